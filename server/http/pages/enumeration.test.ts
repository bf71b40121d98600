/** Whether an address has an account is told by nothing: not by words, headers or status, and not by how long it takes. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { QUICK_PASSWORDS, requestInfo, startPages, type TestPages } from "./testing.ts";

const PASSWORD = "blaue gurken tanzen";
const PAIRS = 20;
/** What really differs does so in every round; what other work on the machine does to one, it does not do to all. */
const ROUNDS = 5;
/** Far less than a hash takes. A loaded machine is slow to both, so what counts is the part of the whole, too. */
const MOST_MS = 4;
const MOST_PART = 0.4;

let test: TestDatabase;
let server: TestPages;
beforeAll(async () => {
  test = await testSqlite.open();
});
beforeEach(() => {
  server = startPages(test.db);
});
afterAll(() => test.dispose());

const newEmail = () => `${newId("user").toLowerCase()}@x.example`;
const known = async () => {
  const email = newEmail();
  await server.accounts.create({ email, password: PASSWORD }, "operator");
  return email;
};
const post = (path: string, email: string, ip = "127.0.0.1") =>
  server.browser({ ip }).post(path, { email, fullName: "", password: "gruene gurken 77" });

describe("whether there is an account", () => {
  it.each(["/sign-up", "/reset", "/sign-in", "/recover"])("ABUSE-02 %s answers alike", async (path) => {
    const outcome = async (email: string) => {
      const answer = await post(path, email);
      const headers = [...answer.headers].filter(([name]) => name !== "date").toSorted();
      return { status: answer.status, body: (await answer.text()).replaceAll(email, "E"), headers };
    };
    expect(await outcome(await known())).toEqual(await outcome(newEmail()));
  });

  it("ABUSE-02 a notice goes to the owner of an account, and nobody's sign-up makes one", async () => {
    const owner = await known();
    const nobody = newEmail();
    for (const email of [owner, nobody]) await post("/sign-up", email);
    const subjects = (await server.mail.preview()).filter(({ recipient }) => [owner, nobody].includes(recipient));
    expect(subjects.map(({ subject }) => subject).toSorted()).toEqual([
      "Confirm your Perch account",
      "You already have a Perch account",
    ]);
    expect(await server.accounts.findByEmail(nobody)).toBeUndefined();
  });

  const actor = async (): Promise<Actor> => {
    const { token } = await server.signedIn(await known(), PASSWORD);
    const found = await server.sessions.find(token, requestInfo());
    if (found === undefined || found === "ended") throw new Error("no actor");
    return found;
  };
  const ways: readonly (readonly [string, (email: string, ip: string, by: Actor) => Promise<unknown>])[] = [
    ...["/sign-in", "/sign-up", "/reset", "/recover"].map(
      (path) => [path, (email: string, ip: string) => post(path, email, ip)] as const,
    ),
    ["a change of address", (email, _ip, by) => server.credentials.changeEmail(by, { email })],
  ];
  it.each(ways)("ABUSE-02 %s hashes as often and writes as many rows for nobody as for somebody", async (name, ask) => {
    let hashes = 0;
    const counted =
      <A extends unknown[], R>(work: (...given: A) => R) =>
      (...given: A): R => {
        hashes += 1;
        return work(...given);
      };
    const { hash, verify, verifyNothing } = QUICK_PASSWORDS;
    // The dummy hash is made once, at the first need.
    await verifyNothing("warm up");
    const passwords = { hash: counted(hash), verify: counted(verify), verifyNothing: counted(verifyNothing) };
    server = startPages(test.db, { passwords });
    const somebody = await known();
    const rows = () => test.db.read.$count(test.db.t.oneTimeTokens);
    const cost = async (email: string) => {
      server.clock.advance(3_600_000);
      const by = await actor();
      const before = { hashes, rows: await rows() };
      await ask(email, "203.0.113.1", by);
      return { hashes: hashes - before.hashes, rows: (await rows()) - before.rows };
    };
    const costs = [await cost(somebody), await cost(newEmail())];
    expect(costs[0]).toEqual(costs[1]);
    expect(costs[0]?.hashes).toBe(["/reset", "a change of address"].includes(name) ? 0 : 1);
  });

  const medianOf = (values: number[]) => values.toSorted((a, b) => a - b)[values.length / 2] ?? 0;
  it.each(ways)("ABUSE-02 %s takes as long for nobody as for somebody", async (_name, ask) => {
    const by = await actor();
    const somebody = await known();
    const once = async (email: string, n: number) => {
      server.clock.advance(3_600_000);
      const start = performance.now();
      await ask(email, `203.0.113.${n + 1}`, by);
      return performance.now() - start;
    };
    /** By how much the medians differ beyond what is allowed. */
    const difference = async () => {
      const times = { somebody: [] as number[], nobody: [] as number[] };
      for (let n = 0; n < PAIRS; n += 1) {
        const first = n % 2 === 0;
        if (first) times.somebody.push(await once(somebody, n));
        times.nobody.push(await once(newEmail(), n));
        if (!first) times.somebody.push(await once(somebody, n));
      }
      const [a, b] = [medianOf(times.somebody), medianOf(times.nobody)];
      return Math.abs(a - b) - Math.max(MOST_MS, MOST_PART * Math.max(a, b));
    };
    let least = Number.POSITIVE_INFINITY;
    for (let round = 0; round < ROUNDS && least > 0; round += 1) least = Math.min(least, await difference());
    expect(least).toBeLessThanOrEqual(0);
  });
});
