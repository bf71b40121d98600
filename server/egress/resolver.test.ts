import { createSocket } from "node:dgram";
import { afterEach, describe, expect, it } from "vitest";
import { Cleanup } from "./internet.fixture.ts";
import { systemResolver } from "./resolver.ts";

const cleanup = new Cleanup();
afterEach(() => cleanup.run());

const TYPE_A = 1;
const NO_SUCH_NAME = 3;

/** A name server on loopback (RFC 1035 §4) that knows IPv4 addresses of a few names. */
async function startNameServer(names: Readonly<Record<string, readonly string[]>>) {
  const asked: string[] = [];
  const socket = createSocket("udp4");
  socket.on("message", (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString("latin1", at + 1, at + 1 + length));
      at += 1 + length;
    }
    const name = labels.join(".");
    asked.push(name);
    const isA = query.readUInt16BE(at + 1) === TYPE_A;
    const addresses = isA ? (names[name] ?? []) : [];
    const header = Buffer.alloc(12);
    query.copy(header, 0, 0, 2);
    header.writeUInt16BE(0x8180 | (names[name] === undefined ? NO_SUCH_NAME : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(addresses.length, 6);
    const answers = addresses.map((address) =>
      Buffer.from([0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0, 60, 0, 4, ...address.split(".").map(Number)]),
    );
    socket.send(Buffer.concat([header, query.subarray(12, at + 5), ...answers]), from.port, from.address);
  });
  await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
  cleanup.add(() => socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}

describe("systemResolver", () => {
  it("gives all addresses of a name, and none for one that is not there", async () => {
    const { server, asked } = await startNameServer({ "shop.example": ["11.0.0.1", "10.0.0.1"] });
    const resolve = systemResolver([server]);
    expect([...(await resolve("shop.example", { listed: false }))].sort()).toEqual(["10.0.0.1", "11.0.0.1"]);
    expect(await resolve("none.example", { listed: false })).toEqual([]);
    // Exactly as asked: no search domain of this machine is tried.
    expect(new Set(asked)).toEqual(new Set(["shop.example", "none.example"]));
  });

  it("asks for short names as they are", async () => {
    const { server, asked } = await startNameServer({});
    expect(await systemResolver([server])("printer", { listed: false })).toEqual([]);
    expect(new Set(asked)).toEqual(new Set(["printer"]));
  });

  it("reads the hosts file only for listed names", async () => {
    const { server } = await startNameServer({});
    const resolve = systemResolver([server]);
    expect(await resolve("localhost", { listed: true })).toContain("127.0.0.1");
  });
});
