/** Parts of the simulated phone by themselves: what is read from outside, and what is drawn. */
import { constants, generateKeyPairSync, privateEncrypt } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { SaxesParser } from "saxes";
import { afterAll, describe, expect, it } from "vitest";
import { newToken, parseAndroidKey, signed } from "./adb-auth.ts";
import { AdbPacketReader, CNXN, encodePacket, WRTE } from "./adb-packet.ts";
import { makeApk, readApk } from "./apk.ts";
import { decodeXml, type Element, encodeXml } from "./axml.ts";
import { Canvas } from "./canvas.ts";
import { DeviceFiles } from "./device-files.ts";
import { hierarchy } from "./hierarchy.ts";
import { Phone } from "./phone.ts";
import { ControlReader } from "./scrcpy/control.ts";
import { seen } from "./view.ts";

const folder = mkdtempSync(join(tmpdir(), "adb-parts-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const newPhone = (width = 1080, height = 1920) =>
  new Phone({ serial: "x", width, height, density: 480 }, new DeviceFiles(folder));

/** Bytes in pieces of any size. */
const pieces = (bytes: Buffer, sizes: readonly number[]) => {
  const parts: Buffer[] = [];
  let at = 0;
  for (const size of [...sizes, bytes.length]) {
    parts.push(bytes.subarray(at, at + size));
    at += size;
  }
  return parts;
};

describe("ADB messages", () => {
  it("come out whole however they are cut", () => {
    const payloads = fc.array(fc.uint8Array({ maxLength: 200 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(payloads, fc.array(fc.nat(60)), fc.boolean(), (all, sizes, checked) => {
        const packets = all.map((bytes, at) => ({ command: WRTE, arg0: at, arg1: 7, payload: Buffer.from(bytes) }));
        const bytes = Buffer.concat(packets.map((packet) => encodePacket(packet, checked)));
        const reader = new AdbPacketReader();
        expect(pieces(bytes, sizes).flatMap((piece) => reader.push(piece))).toEqual(packets);
      }),
    );
  });
  it("are refused when they are none, or too large", () => {
    const packet = encodePacket({ command: CNXN, arg0: 0, arg1: 0, payload: Buffer.alloc(0) }, false);
    const large = Buffer.from(packet);
    large.writeUInt32LE(1024 * 1024 + 1, 12);
    expect(() => new AdbPacketReader().push(large)).toThrow("too large");
    const wrong = Buffer.from(packet);
    wrong.writeUInt32LE(1, 20);
    expect(() => new AdbPacketReader().push(wrong)).toThrow("wrong magic");
  });
});

describe("a host's key", () => {
  it("counts for the token it signed and for no other", () => {
    const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const token = newToken();
    const digest = Buffer.concat([Buffer.from("3021300906052b0e03021a05000414", "hex"), token]);
    const signature = privateEncrypt({ key: privateKey, padding: constants.RSA_PKCS1_PADDING }, digest);
    expect(signed(publicKey, token, signature)).toBe(true);
    expect(signed(publicKey, newToken(), signature)).toBe(false);
    expect(signed(publicKey, token, Buffer.alloc(256, 1))).toBe(false);
    expect(() => parseAndroidKey("bm8ga2V5 who@there")).toThrow("no public key");
  });
});

describe("APKs", () => {
  const word = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
  it("say what they are", () => {
    const options = fc.record({
      package: fc.tuple(word, word).map((words) => words.join(".")),
      label: fc.string({ minLength: 1, unit: "grapheme", maxLength: 20 }),
      versionCode: fc.nat(2 ** 31 - 1),
      permissions: fc.array(
        word.map((name) => `android.permission.${name}`),
        { maxLength: 3 },
      ),
    });
    fc.assert(
      fc.property(options, (wanted) => {
        expect(readApk(makeApk(wanted))).toMatchObject(wanted);
      }),
      { numRuns: 50 },
    );
  });
  it("keep any tree of elements", () => {
    const name = fc.stringMatching(/^[a-z]{1,6}$/);
    const value = fc.oneof(fc.string({ unit: "grapheme", maxLength: 12 }), fc.nat());
    const attributes = fc.dictionary(fc.oneof(name, fc.constant("android:name")), value, {
      maxKeys: 3,
      noNullPrototype: true,
    });
    const leaf = fc.record({ name, attributes, children: fc.constant<Element[]>([]) });
    const parent = fc.record({ name, attributes, children: fc.array(leaf, { maxLength: 3 }) });
    const tree: fc.Arbitrary<Element> = fc.record({ name, attributes, children: fc.array(parent, { maxLength: 3 }) });
    fc.assert(
      fc.property(tree, (element) => {
        expect(decodeXml(encodeXml(element))).toEqual(element);
      }),
      { numRuns: 50 },
    );
  });
  it("are refused with a code, whatever is broken in them", () => {
    const good = Buffer.from(makeApk({ package: "com.example.good" }));
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), fc.nat(good.length), (at, byte, length) => {
        const broken = Buffer.from(good.subarray(0, length));
        if (at < length) broken[at] = byte;
        const found = readApk(broken);
        expect(typeof found === "object" || found.startsWith("INSTALL_PARSE_FAILED_")).toBe(true);
      }),
      { numRuns: 300 },
    );
    expect(readApk(makeApk({ package: "nodots" }))).toMatch(/^INSTALL_PARSE_FAILED_BAD_PACKAGE_NAME/);
  });
});

describe("paths of the phone", () => {
  it("never lead out of its folder", () => {
    const files = new DeviceFiles(folder);
    const part = fc.constantFrom(
      "..",
      ".",
      "sdcard",
      "data",
      "local",
      "tmp",
      "storage",
      "emulated",
      "0",
      "etc",
      "x",
      "",
    );
    fc.assert(
      fc.property(fc.array(part), fc.boolean(), (parts, write) => {
        try {
          expect(files.real(`/${parts.join("/")}`, write)).toMatch(new RegExp(`^${folder}(/|$)`));
        } catch (error) {
          expect(String(error)).toContain("Permission denied");
        }
      }),
    );
    expect(files.normal("/storage/emulated/0/Download/../x")).toBe("/sdcard/x");
    expect(() => files.real("/data/data/com.example", false)).toThrow("Permission denied");
  });
});

describe("scrcpy's control messages", () => {
  const reader = (phone: Phone, sent: Buffer[], warned: string[] = []) =>
    new ControlReader({
      phone,
      size: () => ({ width: 1080, height: 1920 }),
      clipboardAutosync: false,
      resetVideo: () => undefined,
      send: (bytes) => sent.push(bytes),
      warn: (words) => warned.push(words),
    });
  // The bytes scrcpy's own client is tested with: app/tests/test_control_msg_serialize.c and test_device_msg_deserialize.c.
  const touch = "0200123456788765432100000064000000c804380780ffff0000000100000001";
  const scroll = "0300000104000004020438078000107fff00000001".replace("00107fff", "7fff8000");
  const setClipboard = `0901020304050607080100${"00000d"}${Buffer.from("hello, world!").toString("hex")}`;

  it("are understood as scrcpy's own tests write them", () => {
    const phone = newPhone();
    const sent: Buffer[] = [];
    const control = reader(phone, sent);
    phone.launch("com.example.form");
    control.push(Buffer.from(touch, "hex"));
    expect(phone.touches.at(-1)).toEqual({
      action: "down",
      pointer: Number(0x1234567887654321n),
      x: 100,
      y: 200,
      pressure: 1,
    });
    phone.focus({ value: "", selected: false });
    control.push(Buffer.from(`010000000d${Buffer.from("hello, world!").toString("hex")}`, "hex"));
    expect(phone.focused?.value).toBe("hello, world!");
    control.push(Buffer.from(setClipboard, "hex"));
    expect([phone.clipboard, phone.focused?.value]).toEqual(["hello, world!", "hello, world!hello, world!"]);
    expect(sent.map((bytes) => bytes.toString("hex"))).toEqual(["010102030405060708"]);
    control.push(Buffer.from("0801", "hex"));
    expect(sent[1]?.toString("hex")).toBe(`000000001a${Buffer.from("hello, world!".repeat(2)).toString("hex")}`);
    control.push(Buffer.from(`${scroll}0b`, "hex"));
    expect(phone.rotation).toBe(1);
    // An Enter that is let go of does nothing.
    control.push(Buffer.from("0001000000420000000500000041", "hex"));
    expect(phone.focused).toBeDefined();
  });
  it("are the same however they are cut", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9)), (sizes) => {
        const phone = newPhone(108, 192);
        const control = reader(phone, []);
        for (const piece of pieces(Buffer.from(`${touch}${setClipboard}0b`, "hex"), sizes)) control.push(piece);
        expect([phone.touches.length, phone.clipboard, phone.rotation]).toEqual([1, "hello, world!", 1]);
      }),
      { numRuns: 30 },
    );
  });
  it("end the server when they are none, and are left out for another size", () => {
    expect(() => reader(newPhone(), []).push(Buffer.from("63", "hex"))).toThrow("Unknown event type: 99");
    expect(() => reader(newPhone(), []).push(Buffer.from("01ffffffff", "hex"))).toThrow("too large");
    const phone = newPhone();
    const warned: string[] = [];
    reader(phone, [], warned).push(Buffer.from(touch.replace("04380780", "02d00500"), "hex"));
    expect(phone.touches).toEqual([]);
    expect(warned).toEqual(["Ignore positional event generated for size 720x1280 (current size is 1080x1920)"]);
  });
});

describe("what is on the screen", () => {
  it("is dumped as XML that says the same, whatever the text", () => {
    const letters = fc.string({ unit: fc.constantFrom(..."ab<>&\"'\n\té日😀​"), maxLength: 20 });
    fc.assert(
      fc.property(letters, (text) => {
        const bounds = { x: 1, y: 2, width: 3, height: 4 };
        const root = seen({ kind: "TextView", text, bounds }, { x: 0, y: 0, width: 100, height: 100 });
        if (root === undefined) throw new Error("nothing seen");
        const found: string[] = [];
        const parser = new SaxesParser();
        parser.on("opentag", ({ attributes }) =>
          found.push(String(attributes["text"] ?? ""), String(attributes["bounds"] ?? "")),
        );
        parser.write(hierarchy(root, "com.example", 0, undefined)).close();
        expect(found.slice(-2)).toEqual([text, "[1,2][4,6]"]);
      }),
    );
  });

  it("shows fields as Android does: hints, and dots for what is secret", () => {
    const phone = newPhone();
    phone.launch("com.example.form");
    phone.focus({ value: "x", selected: false });
    const dump = () => hierarchy(phone.tree(), phone.foreground.package, 0, phone.focused);
    expect(dump()).toContain('text="Your name" resource-id="com.example.form:id/name" class="android.widget.EditText"');
    phone.touch({ action: "down", pointer: 0, x: 300, y: 700, pressure: 1 });
    phone.touch({ action: "up", pointer: 0, x: 300, y: 700, pressure: 0 });
    phone.type("geheim");
    expect(phone.apps.form.values.password).toBe("geheim");
    expect(dump()).toContain('text="••••••"');
    expect(dump()).not.toContain("geheim");
  });

  it("turns into video's colours as BT.601 has them", () => {
    const size = fc.constantFrom(2, 4, 6, 8);
    const rects = fc.array(fc.tuple(fc.nat(7), fc.nat(7), fc.nat(7), fc.nat(7), fc.nat(0xffffff)), { maxLength: 6 });
    fc.assert(
      fc.property(size, size, rects, (width, height, all) => {
        const canvas = new Canvas(width, height);
        for (const [x, y, wide, high, colour] of all) canvas.fill({ x, y, width: wide, height: high }, colour);
        const rgb = (x: number, y: number) =>
          [...canvas.bytes.subarray((y * width + x) * 4, (y * width + x) * 4 + 3)] as const;
        const expected: number[] = [];
        const plane = (step: number, of: (r: number, g: number, b: number) => number) => {
          for (let y = 0; y < height; y += step)
            for (let x = 0; x < width; x += step) {
              const [r = 0, g = 0, b = 0] = rgb(x, y);
              expected.push(of(r, g, b));
            }
        };
        plane(1, (r, g, b) => ((66 * r + 129 * g + 25 * b + 128) >> 8) + 16);
        plane(2, (r, g, b) => ((-38 * r - 74 * g + 112 * b + 128) >> 8) + 128);
        plane(2, (r, g, b) => ((112 * r - 94 * g - 18 * b + 128) >> 8) + 128);
        expect([...canvas.i420()]).toEqual(expected);
      }),
    );
  });

  it("scrolls with the finger, only as far as there is something, and does not tap", () => {
    const phone = newPhone();
    phone.launch("com.example.shop");
    const top = () => hierarchy(phone.tree(), "x", 0, undefined);
    const drag = (fromX: number, fromY: number, toX: number, toY: number) => {
      phone.touch({ action: "down", pointer: 0, x: fromX, y: fromY, pressure: 1 });
      for (const part of [0.25, 0.5, 0.75, 1])
        phone.touch({
          action: "move",
          pointer: 0,
          x: fromX + (toX - fromX) * part,
          y: fromY + (toY - fromY) * part,
          pressure: 1,
        });
      phone.touch({ action: "up", pointer: 0, x: toX, y: toY, pressure: 0 });
    };
    expect(top()).not.toContain('text="Offer 20"');
    for (let times = 0; times < 8; times += 1) drag(500, 1700, 500, 500);
    expect(top()).toContain('text="Offer 30"');
    for (let times = 0; times < 8; times += 1) drag(500, 500, 500, 1700);
    expect(top()).not.toContain('text="Gloves"');
    for (let times = 0; times < 8; times += 1) drag(900, 480, 100, 480);
    expect(top()).toContain('text="Gloves"');
    expect(phone.apps.shop.chosen).toBe("");
  });
});
