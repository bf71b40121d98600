import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId } from "../../../../../shared/ids.ts";
import { PROVE_TIMES } from "../../../../../shared/testing/prove.ts";
import { isPublicAddress } from "../../../../egress/address.ts";
import { createBootQueue } from "./boot-queue.ts";
import { androidArguments, parseCatalogue, resourceLimits } from "./catalogue.ts";
import { firewallRules, forbiddenTargets, NOT_PUBLIC_V4 } from "./egress-guard.ts";
import { parseEngineAddress } from "./engine-address.ts";
import { FrameReader } from "./exec-stream.ts";
import { choosePlace } from "./placement.ts";
import { IMAGE, imageOf } from "./testing/fixture.ts";

const always = new AbortController().signal;

describe("frames of a program's output", () => {
  const frames = fc.array(fc.tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 50 })), { maxLength: 12 });
  const cuts = fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 200 });
  const framed = (stream: number, bytes: Uint8Array) => {
    const header = Buffer.alloc(8);
    header.writeUInt8(stream, 0);
    header.writeUInt32BE(bytes.length, 4);
    return Buffer.concat([header, bytes]);
  };
  it("come apart the same however the stream is cut", () => {
    fc.assert(
      fc.property(frames, cuts, (all, lengths) => {
        const got = { 1: [] as Buffer[], 2: [] as Buffer[] };
        const reader = new FrameReader({
          stdout: (bytes) => got[1].push(bytes),
          stderr: (bytes) => got[2].push(bytes),
        });
        const wire = Buffer.concat(all.map(([stream, bytes]) => framed(stream, bytes)));
        let at = 0;
        for (const length of [...lengths, wire.length]) {
          reader.push(wire.subarray(at, at + length));
          at += length;
        }
        for (const stream of [1, 2] as const) {
          const sent = Buffer.concat(all.filter(([one]) => one === stream).map(([, bytes]) => bytes));
          expect(Buffer.concat(got[stream]).equals(sent)).toBe(true);
        }
      }),
      { numRuns: 200 * PROVE_TIMES },
    );
  });
  it("of what is not framed are refused", () => {
    const reader = new FrameReader({ stdout() {}, stderr() {} });
    expect(() => reader.push(Buffer.from("HTTP/1.1 500"))).toThrow("not framed");
  });
});

describe("placement", () => {
  const host = fc.record({
    id: fc.constantFrom(...Array.from({ length: 6 }, () => newId("phoneHost"))),
    region: fc.constantFrom("here", "there"),
    capacity: fc.integer({ min: 0, max: 4 }),
    taken: fc.integer({ min: 0, max: 5 }),
    draining: fc.boolean(),
  });
  const hosts = fc.uniqueArray(host, { selector: ({ id }) => id, maxLength: 6 });
  it("never fills a host over its capacity, puts nothing on one that is drained or not usable, and always decides the same", () => {
    fc.assert(
      fc.property(hosts, fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), fc.boolean(), (all, up, bound) => {
        const usable = new Set(all.flatMap(({ id }, index) => (up[index] ? [id] : [])));
        const wish = { usable, region: bound ? "there" : undefined, near: "here" };
        const taken = new Map(all.map(({ id, taken: n }) => [id, n]));
        for (let n = 0; n < 30; n += 1) {
          const now = all.map((one) => ({ ...one, taken: taken.get(one.id) ?? 0 }));
          const chosen = choosePlace(now, wish);
          expect(choosePlace(now.toReversed(), wish)).toBe(chosen);
          const fits = now.filter((one) => usable.has(one.id) && !one.draining && one.taken < one.capacity);
          const inRegion = fits.filter(({ region }) => !bound || region === "there");
          expect(chosen === undefined).toBe(inRegion.length === 0);
          if (chosen === undefined) return;
          expect(inRegion.map(({ id }) => id)).toContain(chosen);
          const isNear = (id: string) => now.find((one) => one.id === id)?.region === "here";
          expect(isNear(chosen)).toBe(inRegion.some(({ id }) => isNear(id)));
          taken.set(chosen, (taken.get(chosen) ?? 0) + 1);
        }
      }),
      { numRuns: 200 * PROVE_TIMES },
    );
  });
});

describe("the boot queue", () => {
  it("keeps to its number, lets everybody through in order, and forgets who gave up", async () => {
    const queue = createBootQueue(2);
    const order: number[] = [];
    const ends = Array.from({ length: 5 }, () => Promise.withResolvers<void>());
    const givenUp = new AbortController();
    const work = ends.map(({ promise }, index) =>
      queue.run(index === 2 ? givenUp.signal : always, async () => {
        order.push(index);
        await promise;
      }),
    );
    await new Promise(setImmediate);
    expect([order, queue.waiting]).toEqual([[0, 1], 3]);
    givenUp.abort(new Error("gave up"));
    await expect(work[2]).rejects.toThrow("gave up");
    ends[1]?.reject(new Error("broke"));
    await expect(work[1]).rejects.toThrow("broke");
    for (const { resolve } of ends) resolve();
    await Promise.all([work[0], work[3], work[4]]);
    expect(order).toEqual([0, 1, 3, 4]);
    await expect(queue.run(givenUp.signal, async () => {})).rejects.toThrow("gave up");
  });
});

describe("the catalogue", () => {
  it("has sizes and limits of its own for what is left out, and says them as redroid and the Engine take them", () => {
    expect(androidArguments(IMAGE)).toEqual([
      ...["androidboot.redroid_width=720", "androidboot.redroid_height=1280", "androidboot.redroid_dpi=320"],
      ...["androidboot.redroid_fps=30", "androidboot.redroid_gpu_mode=guest", "androidboot.use_memfd=1"],
    ]);
    const limits = resourceLimits(
      imageOf({ id: "a", image: "redroid/redroid:14", memoryMb: 1024, cpus: 1.5, pids: 900 }),
    );
    expect(limits).toEqual({ Memory: 2 ** 30, MemorySwap: 2 ** 30, NanoCpus: 1_500_000_000, PidsLimit: 900 });
  });
  it.each([
    ["no JSON", "{", "is not JSON"],
    ["no images", '{"images":[]}', "images"],
    [
      "a word it does not know",
      '{"images":[{"id":"a","label":"A","image":"x","android":"14","colour":"red"}]}',
      "colour",
    ],
    ["an image that is none", '{"images":[{"id":"a","label":"A","image":"x y","android":"14"}]}', "images.0.image"],
    ["too little memory", '{"images":[{"id":"a","label":"A","image":"x","android":"14","memoryMb":10}]}', "memoryMb"],
    [
      "an id twice",
      '{"images":[{"id":"a","label":"A","image":"x","android":"14"},{"id":"a","label":"A","image":"x","android":"14"}]}',
      "the same id",
    ],
  ])("with %s names what to correct", (_what, text, named) => {
    expect(() => parseCatalogue(text, "images.json")).toThrow(named);
  });
});

describe("addresses of Engines", () => {
  it.each([
    ["unix:///var/run/docker.sock", { kind: "socket", path: "/var/run/docker.sock" }],
    ["https://phones-1.example:2376", { kind: "tls", host: "phones-1.example", port: 2376 }],
    ["tcp://10.0.0.7", { kind: "tls", host: "10.0.0.7", port: 2376 }],
    ["https://[fd00::7]:2376", { kind: "tls", host: "fd00::7", port: 2376 }],
    ["http://127.0.0.1:2375", { kind: "loopback", host: "127.0.0.1", port: 2375 }],
  ])("%s is read", (text, address) => expect(parseEngineAddress(text)).toEqual(address));
  it.each([
    "http://10.0.0.7:2375",
    "http://docker.example",
    "ssh://root@host",
    "unix://relative",
    "https://u:p@host",
    "x",
    "",
  ])("%s is refused", (text) => expect(() => parseEngineAddress(text)).toThrow(/TLS|unix:/));
});

describe("the egress guard", () => {
  const bits = (address: string) => address.split(".").reduce((all, byte) => all * 256 + Number(byte), 0);
  const ranges = NOT_PUBLIC_V4.map((range) => {
    const [network = "", prefix = ""] = range.split("/");
    return { from: bits(network), size: 2 ** (32 - Number(prefix)) };
  });
  const text = (number: number) => [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join(".");
  const isListed = (number: number) => ranges.some(({ from, size }) => number >= from && number < from + size);

  it("lists just what phones of the web may not reach either", () => {
    const edges = ranges.flatMap(({ from, size }) => [from - 1, from, from + size - 1, from + size]);
    const inside = edges.filter((number) => number >= 0 && number < 2 ** 32);
    for (const number of inside)
      expect([text(number), isListed(number)]).toEqual([text(number), !isPublicAddress(text(number))]);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2 ** 32 - 1 }), (number) => {
        expect([text(number), isListed(number)]).toEqual([text(number), !isPublicAddress(text(number))]);
      }),
      { numRuns: 500 * PROVE_TIMES },
    );
  });
  it("looks at the host's doors, the cloud's metadata and this server", () => {
    const targets = forbiddenTargets({ gateways: ["172.30.0.1"], servers: ["198.51.100.7"], serverPort: 8787 });
    expect(targets.map(({ address, port }) => `${address}:${port}`)).toEqual([
      ...["172.30.0.1:22", "172.30.0.1:2375", "172.30.0.1:2376", "172.30.0.1:8787"],
      ...["169.254.169.254:80", "198.51.100.7:8787"],
    ]);
  });
  it("writes rules with the server's addresses and never an IPv6 one among them", () => {
    const rules = firewallRules(["8.8.4.4", "2001:db8::1"]);
    expect(rules).toContain("ip daddr { 8.8.4.4 } drop");
    expect(rules).not.toContain("2001:db8");
    expect(firewallRules([])).not.toContain("{  }");
  });
  const nft = spawnSync("nft", ["-c", "-f", "-"], { input: "table inet perch_probe\n", encoding: "utf8" });
  it.runIf(nft.status === 0)("writes rules nft takes", () => {
    const { status, stderr } = spawnSync("nft", ["-c", "-f", "-"], {
      input: firewallRules(["8.8.4.4"]),
      encoding: "utf8",
    });
    expect([status, stderr]).toEqual([0, ""]);
  });
});
