/** Which devices may be dialled, with the wall of the processor register standing. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../../../../clock.ts";
import { parseEgressAllow } from "../../../../egress/allow.ts";
import { createReach } from "../../../../egress/reach.ts";
import { silentLog } from "../../../../log.ts";
import { guardOutbound, type Outbound } from "../../../../privacy/processors/outbound.ts";
import { dialOutside, dialOwn } from "./dial-device.ts";

const reached: string[] = [];
const connect = async (address: string, port: number) => {
  reached.push(`${address}:${port}`);
  throw Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
};
let wall: Outbound;
beforeAll(() => {
  wall = guardOutbound({ processors: [], clock: systemClock, log: silentLog });
});
afterAll(() => wall.remove());

describe("connections to devices", () => {
  it("go to whatever private address the operator wrote down", async () => {
    const dial = dialOwn({ connect, resolve: async () => ["10.1.2.3"] });
    await expect(dial({ host: "192.168.7.7", port: 5555 }, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      reason: "device_gone",
      message: "The device at 192.168.7.7:5555 refuses the connection. Is ADB over the network on there?",
    });
    await expect(dial({ host: "phone.lab", port: 5556 }, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      reason: "device_gone",
    });
    expect(reached.splice(0)).toEqual(["192.168.7.7:5555", "10.1.2.3:5556"]);
  });

  it("pass the wall, which stops everybody else", async () => {
    const { connect: plain } = await import("node:net");
    expect(() => plain({ host: "192.0.2.1", port: 5555 })).toThrow(/processors/);
    const tried = await dialOwn()({ host: "192.0.2.1", port: 5555 }, AbortSignal.timeout(100)).catch(
      (error: unknown) => error,
    );
    expect(String(tried)).not.toMatch(/processors/);
  });

  it("named by somebody else go to public addresses only", async () => {
    const reach = createReach({
      allow: parseEgressAllow(""),
      connect,
      resolve: async () => ["10.0.0.9"],
      ownAddresses: () => new Set(),
    });
    const dial = dialOutside(reach);
    for (const host of ["127.0.0.1", "10.0.0.1", "169.254.169.254", "inside.example", "::1"]) {
      await expect(dial({ host, port: 5555 }, AbortSignal.timeout(5_000))).rejects.toMatchObject({
        reason: "device_gone",
      });
    }
    expect(reached).toEqual([]);
    await expect(dial({ host: "8.8.8.8", port: 25219 }, AbortSignal.timeout(5_000))).rejects.toMatchObject({
      reason: "device_gone",
    });
    expect(reached).toEqual(["8.8.8.8:25219"]);
  });
});
