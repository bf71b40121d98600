/** Parsers of what devices send: cut anywhere, and hostile. */

import { AdbCommand } from "@yume-chan/adb";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PacketParser, packetBytes } from "./connect/packets.ts";
import { parseDevices } from "./connect/server.ts";
import { parseDeviceAddress } from "./device-address.ts";
import { SHELL, ShellParser, shellPacket } from "./shell-protocol.ts";

/** The bytes in pieces, cut where the numbers say. */
function cut(bytes: Uint8Array, at: readonly number[]): Uint8Array[] {
  const places = [...new Set([0, ...at.map((one) => one % (bytes.length + 1)), bytes.length])].sort((a, b) => a - b);
  return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
}
const cuts = fc.array(fc.nat(100_000), { maxLength: 30 });

describe("ADB packets", () => {
  const word = fc.integer({ min: 0, max: 0xffffffff });
  const packet = fc.record({
    command: fc.constantFrom(...Object.values(AdbCommand)),
    arg0: word,
    arg1: word,
    payload: fc.uint8Array({ maxLength: 300 }),
  });
  it("are the same however the stream is cut", () => {
    fc.assert(
      fc.property(fc.array(packet, { maxLength: 8 }), cuts, (packets, at) => {
        const bytes = Buffer.concat(packets.map((one) => packetBytes({ ...one, checksum: 0, magic: 0 })));
        const parser = new PacketParser();
        const read = cut(bytes, at).flatMap((piece) => parser.push(piece));
        expect(read.map((one) => ({ ...one, payload: [...one.payload] }))).toEqual(
          packets.map((one) => ({ ...one, payload: [...one.payload] })),
        );
      }),
    );
  });
  it("of lengths nobody sends, and what is none, end the connection", () => {
    const header = packetBytes({
      command: AdbCommand.Write,
      arg0: 1,
      arg1: 1,
      payload: new Uint8Array(),
      checksum: 0,
      magic: 0,
    });
    new DataView(header.buffer).setUint32(12, 0xffffffff, true);
    expect(() => new PacketParser().push(header)).toThrow(/not an ADB/);
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 24, maxLength: 200 }), (bytes) => {
        fc.pre(!Object.values(AdbCommand).includes(Buffer.from(bytes).readUInt32LE(0) as never));
        expect(() => new PacketParser().push(bytes)).toThrow(/not an ADB/);
      }),
    );
  });
});

describe("the shell protocol", () => {
  it("gives the same bytes however the stream is cut", () => {
    const piece = fc.record({
      id: fc.constantFrom(...Object.values(SHELL)),
      data: fc.uint8Array({ minLength: 1, maxLength: 200 }),
    });
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 10 }), cuts, (pieces, at) => {
        const parser = new ShellParser();
        const bytes = Buffer.concat(pieces.map(({ id, data }) => shellPacket(id, data)));
        const read = cut(bytes, at).flatMap((part) => parser.push(part));
        const sums = (all: readonly { id: number; data: Uint8Array }[], id: number) =>
          Buffer.concat(all.filter((one) => one.id === id).map(({ data }) => data)).toString("hex");
        for (const id of Object.values(SHELL)) expect(sums(read, id)).toBe(sums(pieces, id));
      }),
    );
  });
  it("does not believe a length", () => {
    expect(() => new ShellParser().push(Uint8Array.of(1, 0xff, 0xff, 0xff, 0x7f))).toThrow(/not the shell/);
  });
});

describe("the list of an ADB server", () => {
  it("is read with states of more than one word", () => {
    const said = [
      "0A1B            device product:lynx model:Pixel_7a device:lynx transport_id:3",
      "127.0.0.1:5555         offline transport_id:4",
      "F00             unauthorized usb:1-1 transport_id:5",
      "BAD             no permissions (user in plugdev group; are your udev rules wrong?); see [http://developer.android.com/tools/device.html] usb:1-2 transport_id:6",
      "half a line",
      "",
    ].join("\n");
    expect(parseDevices(said)).toEqual([
      { serial: "0A1B", state: "device", model: "Pixel 7a", transportId: 3n },
      { serial: "127.0.0.1:5555", state: "offline", model: undefined, transportId: 4n },
      { serial: "F00", state: "unauthorized", model: undefined, transportId: 5n },
      { serial: "BAD", state: expect.stringMatching(/^no permissions/), model: undefined, transportId: 6n },
    ]);
  });
  it("may be anything", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 500 }), (text) => void parseDevices(text)));
  });
});

describe("addresses of devices", () => {
  it.each([
    ["server:R58M123", { by: "server", serial: "R58M123" }],
    ["server:10.0.0.7:5555", { by: "server", serial: "10.0.0.7:5555" }],
    ["tcp:10.0.0.7", { by: "tcp", to: { host: "10.0.0.7", port: 5555 } }],
    ["tcp:[fd00::1]:5556", { by: "tcp", to: { host: "fd00::1", port: 5556 } }],
  ])("%s is one", (text, address) => expect(parseDeviceAddress(text)).toEqual(address));
  it.each(["", "server:", "server:a b", "server:x\nhost:kill", "tcp:", "tcp:a b:1", "tcp:h:0", "usb:1", "tcp:h:99999"])(
    "%j is none",
    (text) => expect(parseDeviceAddress(text)).toBeUndefined(),
  );
});
