/** Where new phones go, and which calls are about phones; without a server. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { describeProcedures } from "../authz.ts";
import { looksAfter } from "../billing/usage/meter.ts";
import { joinAnswers, partOf, readBatch, splitBatch } from "./batches.ts";
import { OWNED_CALLS, subjectOf } from "./owned-calls.ts";
import { type Place, placeFor } from "./placement.ts";

const place: fc.Arbitrary<Place> = fc.record({
  id: fc.constant(0).map(() => newId("node")),
  role: fc.constantFrom("all", "api", "host"),
  region: fc.constantFrom("eu", "us"),
  capacity: fc.nat({ max: 20 }),
  taken: fc.nat({ max: 25 }),
  draining: fc.constantFrom(null, null, null, "operator", "stopping"),
  living: fc.boolean(),
});

describe("placement", () => {
  const mayTake = ({ living, draining, role, taken, capacity }: Place) =>
    living && draining === null && role !== "api" && taken < capacity;
  it("chooses a node that may and can take a phone, whenever there is one", () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 8 }), (nodes) => {
        const chosen = placeFor(nodes, { region: "eu", here: newId("node") });
        expect(chosen !== undefined).toBe(nodes.some(mayTake));
        expect(chosen === undefined || mayTake(chosen)).toBe(true);
      }),
    );
  });
  it("leaves the region only when nothing there has room, and takes the emptiest", () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 8 }), (nodes) => {
        const chosen = placeFor(nodes, { region: "eu", here: newId("node") });
        const open = nodes.filter(mayTake);
        const near = open.filter(({ region }) => region === "eu");
        const among = near.length > 0 ? near : open;
        const fullness = ({ taken, capacity }: Place) => taken / capacity;
        const least = Math.min(...among.map(fullness));
        expect(chosen === undefined || (among.includes(chosen) && fullness(chosen) === least)).toBe(true);
      }),
    );
  });
  it("does not depend on the order nodes are told in", () => {
    fc.assert(
      fc.property(fc.array(place, { maxLength: 8 }), (nodes) => {
        const wish = { region: "eu", here: nodes[0]?.id ?? newId("node") };
        expect(placeFor(nodes.toReversed(), wish)).toBe(placeFor(nodes, wish));
      }),
    );
  });
});

describe("looking after teams", () => {
  it("is done by exactly one of the nodes, and moves only when that one goes", () => {
    const ids = fc.uniqueArray(
      fc.nat().map((n) => `node_${n}`),
      { minLength: 2, maxLength: 6 },
    );
    fc.assert(
      fc.property(ids, (nodes) => {
        const team = newId("team");
        const doers = (all: readonly string[]) =>
          all.filter((node) =>
            looksAfter(
              team,
              node,
              all.filter((other) => other !== node),
            ),
          );
        const [doer, ...more] = doers(nodes);
        expect(more).toEqual([]);
        const bystander = nodes.find((node) => node !== doer);
        expect(doers(nodes.filter((node) => node !== bystander))).toEqual([doer]);
      }),
    );
  });
});

describe("calls about phones", () => {
  it("are calls that there are", () => {
    const known = new Set(describeProcedures().map(({ path }) => path));
    expect(Object.keys(OWNED_CALLS).filter((path) => !known.has(path))).toEqual([]);
  });
  it("are what the phones' own calls are, but for lists and events, which are the database's", () => {
    const own = describeProcedures()
      .map(({ path }) => path)
      .filter((path) => path.startsWith("phones.") && !Object.hasOwn(OWNED_CALLS, path));
    expect(own.sort()).toEqual(["phones.events", "phones.list", "phones.models"]);
  });
  it("take nothing for a phone that is none", () => {
    fc.assert(
      fc.property(fc.string(), fc.anything(), (name, input) => {
        expect(() => subjectOf(name, input)).not.toThrow();
        expect(subjectOf("phones.park", input)).toBeUndefined();
      }),
    );
    expect(subjectOf("constructor", { phoneId: newId("phone") })).toBeUndefined();
  });
  it("come out of a batch as they went in, whoever does them", async () => {
    const calls = fc.array(fc.tuple(fc.constantFrom("a.b", "c.d"), fc.jsonValue(), fc.nat({ max: 2 })), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(calls, fc.boolean(), async (asked, isPost) => {
        const names = asked.map(([name]) => name).join(",");
        const inputs = JSON.stringify(Object.fromEntries(asked.map(([, input], index) => [index, input])));
        const url = new URL(`http://perch.example/trpc/${names}?batch=1`);
        if (!isPost) url.searchParams.set("input", inputs);
        const batch = readBatch(url, isPost ? inputs : undefined);
        if (batch === undefined) throw new Error("The batch was not read.");
        const answers = splitBatch(asked.map(([, , owner]) => owner)).map((places) => {
          const part = partOf(batch, places, isPost);
          const read = readBatch(new URL(part.path, url), part.body);
          return { places, answer: Response.json(read?.calls.map(({ procedure, input }) => [procedure, input])) };
        });
        const joined = await joinAnswers(answers, asked.length);
        expect(await joined.json()).toEqual(JSON.parse(JSON.stringify(asked.map(([name, input]) => [name, input]))));
      }),
    );
  });
});
