import dgram from "node:dgram";
import dns, { lookup } from "node:dns";
import { Resolver } from "node:dns/promises";
import { once } from "node:events";
import { get } from "node:http";
import net, { type AddressInfo, createServer } from "node:net";
import { connect as tlsConnect } from "node:tls";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ManualClock } from "../../clock.ts";
import { tcpConnect } from "../../egress/dial.ts";
import { createLog } from "../../log.ts";
import { guardOutbound, type Outbound } from "./outbound.ts";
import { PROCESSOR_IDS, processorsOf } from "./processors.ts";

const REFUSED = "connects to its processors and to nobody else";
const lines: string[] = [];
const clock = new ManualClock();
let wall: Outbound;

beforeEach(() => {
  lines.length = 0;
  wall = guardOutbound({
    processors: processorsOf({ SMTP_URL: "smtps://u:p@mail.invalid" }),
    ownPlaces: [{ host: "traces.invalid", port: 4318 }],
    clock,
    log: createLog({ clock, write: (line) => lines.push(line) }),
  });
});
afterEach(() => wall.remove());

/** What a connection attempt failed with. */
const failure = async (socket: net.Socket) => (await once(socket, "error"))[0] as Error;

describe("the wall around the process", () => {
  it.each([
    ["a host", () => net.connect({ host: "tracker.example", port: 443 })],
    ["an address", () => net.connect(443, "203.0.113.7")],
    ["a socket made first", () => new net.Socket().connect(443, "tracker.example")],
    ["IPv6", () => net.connect({ host: "2001:db8::1", port: 443 })],
    ["TLS", () => tlsConnect({ host: "tracker.example", port: 443 })],
    ["a processor at another port", () => net.connect({ host: "mail.invalid", port: 80 })],
    ["a name that ends like a processor's", () => net.connect({ host: "notmail.invalid", port: 465 })],
    ["a lookup of its own", () => net.connect({ host: "x.example", port: 1, lookup: () => {} })],
    ["http", () => get("http://tracker.example/")],
  ])("stops %s before a packet leaves", (_what, connect) => {
    expect(connect).toThrow(REFUSED);
    expect(lines.join("")).toContain("outside the processor register was stopped");
    expect(lines.join("")).not.toMatch(/tracker|203\.0/);
  });

  it("lets the operator's own places through, at their port, as nobody's processor", async () => {
    const reached = await failure(net.connect({ host: "traces.invalid", port: 4318 }));
    expect(reached.message).not.toContain(REFUSED);
    expect(() => net.connect({ host: "traces.invalid", port: 443 })).toThrow(REFUSED);
    for (const id of PROCESSOR_IDS) expect(wall.lastContactAt(id)).toBeUndefined();
  });

  it("stops fetch, name servers and datagrams", async () => {
    await expect(fetch("https://tracker.example/")).rejects.toThrow();
    expect(() => lookup("tracker.example", () => {})).toThrow(REFUSED);
    expect(() => dns.resolve4("tracker.example", () => {})).toThrow(REFUSED);
    expect(() => new Resolver().resolveTxt("tracker.example")).toThrow(REFUSED);
    const socket = dgram.createSocket("udp4");
    expect(() => socket.send("x", 53, "203.0.113.1")).toThrow(REFUSED);
    socket.close();
    expect(lines).toHaveLength(5);
  });

  it("lets a processor pass, and remembers when", async () => {
    expect(wall.lastContactAt("mail")).toBeUndefined();
    // The failure is the resolver's, not the wall's.
    const nobody: net.LookupFunction = (_host, _options, done) => done(new Error("There is no such host."), "", 4);
    const error = await failure(net.connect({ host: "Mail.invalid", port: 465, lookup: nobody }));
    expect(error.message).not.toContain(REFUSED);
    expect(wall.lastContactAt("mail")).toEqual(new Date(clock.now()));
  });

  it("lets this machine pass, and what the guarded dialler opens", async () => {
    const server = createServer((socket) => socket.on("error", () => {}).end("hello"));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    for (const socket of [
      net.connect(port, "localhost"),
      net.connect({ port }),
      net.connect({ host: "127.0.0.1", port }),
    ]) {
      expect(String((await once(socket, "data"))[0])).toBe("hello");
    }
    const own = await tcpConnect("127.0.0.1", port, AbortSignal.timeout(2_000));
    own.destroy();
    expect(lines).toEqual([]);
    // What the dialler started does not open the way for others.
    expect(() => net.connect(443, "203.0.113.7")).toThrow(REFUSED);
    server.close();
  });
});
