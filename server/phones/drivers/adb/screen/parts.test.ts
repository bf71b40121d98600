import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import { decode, encode } from "fast-png";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../../../../clock.ts";
import { silentLog } from "../../../../log.ts";
import type { PhoneInput } from "../../../driver.ts";
import { parseAppNames } from "./app-names.ts";
import { parseDisplay } from "./display.ts";
import { createHands } from "./hands.ts";
import { createInputQueue } from "./input-queue.ts";
import { parseKeyboard } from "./keyboard.ts";
import { encodingOf } from "./levels.ts";
import { packetsOf } from "./scrcpy-protocol.ts";
import type { ScrcpySession } from "./scrcpy-session.ts";
import { withoutEscapes } from "./shell-hands.ts";
import { smallerPng } from "./smaller-png.ts";
import { troubleUnless } from "./trouble.ts";
import { chunks } from "./typing.ts";

describe("names of apps, as scrcpy's server writes them", () => {
  const line = (name: string, id: string, mark = "-") =>
    ` ${mark} ${name}${name.length < 30 ? " ".repeat(30 - name.length) : `\n${" ".repeat(33)}`} ${id}`;

  it("are found, however long", () => {
    const name = fc
      .string({ unit: "grapheme", minLength: 1, maxLength: 50 })
      .filter((text) => /^[\p{L}\p{N}]/u.test(text));
    fc.assert(
      fc.property(fc.array(name, { maxLength: 8 }), (names) => {
        const ids = names.map((_, index) => `com.example.app${index}`);
        const text = ["[server] INFO: List of apps:", ...names.map((one, index) => line(one, ids[index] ?? ""))];
        const found = parseAppNames(text.join("\n"));
        expect([...found.keys()]).toEqual(ids);
        for (const [index, id] of ids.entries()) {
          expect((names[index] ?? "").replaceAll(/\s+/g, " ").startsWith(found.get(id)?.slice(0, 1) ?? "?")).toBe(true);
        }
      }),
    );
    const long = "A name that is longer than its column";
    expect([...parseAppNames([line("Brief", "a.b", "*"), line(long, "a.c")].join("\n"))]).toEqual([
      ["a.b", "Brief"],
      ["a.c", long],
    ]);
  });

  it("are those of their own app: one that writes another's line takes its name away, and gives none", () => {
    const hostile = line(`Game\n${line("Your bank", "com.bank")}\n - Rest`, "com.game");
    const found = parseAppNames([hostile, line("Bank", "com.bank"), line("\u202e\u0007", "com.odd")].join("\n"));
    expect(found.has("com.bank")).toBe(false);
    expect(found.has("com.odd")).toBe(false);
  });
});

describe("packets of a media stream", () => {
  const packets = fc.array(
    fc.record({
      flags: fc.constantFrom(0n, 1n << 62n, 1n << 63n),
      data: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    }),
  );

  async function cut(stream: Uint8Array, sizes: readonly number[], most = 64) {
    const found: { type: string; keyframe?: boolean; data: number[] }[] = [];
    const { readable, writable } = packetsOf(most);
    const writer = writable.getWriter();
    const reading = (async () => {
      const reader = readable.getReader();
      for (let next = await reader.read(); !next.done; next = await reader.read()) {
        const { type, data } = next.value;
        found.push({
          type,
          data: [...data],
          ...(next.value.type === "data" && next.value.keyframe === true && { keyframe: true }),
        });
      }
    })();
    reading.catch(() => {});
    let at = 0;
    for (let piece = 0; at < stream.length; piece += 1) {
      const size = Math.max(1, sizes[piece % Math.max(1, sizes.length)] ?? 1);
      await writer.write(stream.subarray(at, at + size));
      at += size;
    }
    await writer.close();
    await reading;
    return found;
  }
  function bytesOf(list: readonly { flags: bigint; data: Uint8Array }[]): Uint8Array {
    return Buffer.concat(
      list.flatMap(({ flags, data }) => {
        const head = Buffer.alloc(12);
        head.writeBigUInt64BE(flags);
        head.writeUInt32BE(data.length, 8);
        return [head, Buffer.from(data)];
      }),
    );
  }

  it("come out whole however the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(packets, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1 }), async (list, sizes) => {
        expect(await cut(bytesOf(list), sizes)).toEqual(
          list.map(({ flags, data }) => ({
            type: flags === 1n << 63n ? "configuration" : "data",
            data: [...data],
            ...(flags === 1n << 62n && { keyframe: true }),
          })),
        );
      }),
      { numRuns: 60 },
    );
  });
  it("end the stream when one claims to be too large or empty", async () => {
    await expect(cut(bytesOf([{ flags: 0n, data: new Uint8Array(65) }]), [100])).rejects.toThrow("65 bytes");
    await expect(cut(bytesOf([{ flags: 0n, data: new Uint8Array(0) }]), [100])).rejects.toThrow("0 bytes");
  });
});

describe("what a device says", () => {
  it("about its screen as it is turned", () => {
    const dump = (cur: string) =>
      `  Display: mDisplayId=0\n    init=1080x2400 420dpi cur=${cur} app=2274x1080 rng=1080x945`;
    expect(parseDisplay(dump("2400x1080"))).toEqual({ width: 2400, height: 1080 });
    expect(parseDisplay(dump("0x1080"))).toBeUndefined();
    expect(parseDisplay(dump("99999x1080"))).toBeUndefined();
    expect(parseDisplay("")).toBeUndefined();
  });
  it("about its keyboard", () => {
    expect(parseKeyboard("  mInputShown=true")).toBe(true);
    expect(parseKeyboard("  mShowRequested=true mInputShown=false")).toBe(false);
    expect(parseKeyboard("xmInputShown=true")).toBeUndefined();
  });
});

describe("encoders", () => {
  it("keep their size after one failure and get smaller with each more, never larger than the level", () => {
    expect([0, 1, 2, 3, 4, 5, 9].map((failures) => encodingOf(4, failures).maxSize)).toEqual([
      1920, 1920, 1600, 1280, 1024, 800, 800,
    ]);
    expect(encodingOf(0, 3).maxSize).toBe(800);
  });
});

describe("text", () => {
  it("is cut between characters, and nothing of it is lost", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 200 }), fc.integer({ min: 2, max: 20 }), (text, most) => {
        const pieces = chunks(text, most);
        expect(pieces.join("")).toBe(text);
        for (const piece of pieces) {
          expect(piece.length).toBeLessThanOrEqual(most);
          expect(piece.isWellFormed()).toBe(true);
        }
      }),
    );
  });
  it("for `input` never holds its escape for a space", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom("%", "s", "a", " ")).map((one) => one.join("")),
        (text) => {
          const pieces = withoutEscapes(text);
          expect(pieces.join("")).toBe(text);
          for (const piece of pieces) expect(piece).not.toContain("%s");
        },
      ),
    );
  });
});

describe("a smaller PNG", () => {
  it("shows the same, whatever filters its rows have", async () => {
    const [width, height] = [64, 48];
    for (const channels of [3, 4] as const) {
      const data = new Uint8Array(width * height * channels);
      for (let y = 0; y < height; y += 1) {
        for (let x = 0; x < width; x += 1) {
          const at = (y * width + x) * channels;
          data.set([x < width / 2 ? 200 : 20, y < height / 2 ? 10 : 240, 99], at);
          if (channels === 4) data[at + 3] = 255;
        }
      }
      const small = decode(await smallerPng(refilter(encode({ width, height, data, channels, depth: 8 })), 0.25));
      expect([small.width, small.height, small.channels]).toEqual([16, 12, 3]);
      const pixel = (x: number, y: number) => [...small.data.subarray((y * 16 + x) * 3, (y * 16 + x) * 3 + 3)];
      expect([pixel(0, 0), pixel(15, 0), pixel(0, 11), pixel(15, 11)]).toEqual([
        [200, 10, 99],
        [20, 10, 99],
        [200, 240, 99],
        [20, 240, 99],
      ]);
    }
  });
  it("gives back what it does not understand, and never more than it should", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 100 }), async (bytes) => {
        expect(await smallerPng(bytes, 0.5)).toBe(bytes);
      }),
      { numRuns: 50 },
    );
    const bomb = Buffer.from(encode({ width: 8, height: 8, data: new Uint8Array(256), channels: 4, depth: 8 }));
    bomb.writeUInt32BE(100_000, 16);
    bomb.writeUInt32BE(100_000, 20);
    expect(await smallerPng(bomb, 0.5)).toBe(bomb);
  });
});

describe("the queue of input", () => {
  const move = (x: number, id = 0): PhoneInput => ({ type: "touch", phase: "move", id, x, y: 0 });

  it("keeps the order, and lets a newer move of the same finger take the place of one that waits", async () => {
    const did: PhoneInput[] = [];
    const first = Promise.withResolvers<void>();
    const queue = createInputQueue(async (input) => {
      if (did.length === 0) await first.promise;
      did.push(input);
    });
    const all = [move(0), move(1), move(2), move(3, 1), move(4), { type: "key", name: "Back" } as const, move(5)].map(
      (one) => queue.input(one),
    );
    const between = queue.run(async () => did.length);
    first.resolve();
    await Promise.all(all);
    expect(did).toEqual([move(0), move(2), move(3, 1), move(4), { type: "key", name: "Back" }, move(5)]);
    expect(await between).toBe(6);
  });
  it("goes on after a failure, and refuses more than it can hold", async () => {
    const stuck = Promise.withResolvers<void>();
    const queue = createInputQueue(async () => {
      await stuck.promise;
      throw new Error("no");
    });
    const taken = Array.from({ length: 257 }, () =>
      queue.input({ type: "key", name: "Back" }).catch((error: Error) => error.message),
    );
    await expect(queue.input({ type: "key", name: "Back" })).rejects.toThrow("does not keep up");
    stuck.resolve();
    expect(new Set(await Promise.all(taken))).toEqual(new Set(["no"]));
  });
});

/** The same picture with another filter in every row: none, sub, up, average, Paeth in turn. Written for 8 bits a channel. */
function refilter(png: Uint8Array): Uint8Array {
  const { width, height, channels, data } = decode(png);
  const stride = width * channels;
  const rows = Buffer.alloc(height * (stride + 1));
  for (let y = 0; y < height; y += 1) {
    const filter = y % 5;
    rows[y * (stride + 1)] = filter;
    for (let x = 0; x < stride; x += 1) {
      const at = (dx: number, dy: number) => (x + dx < 0 || y + dy < 0 ? 0 : (data[(y + dy) * stride + x + dx] ?? 0));
      const [a, b, c] = [at(-channels, 0), at(0, -1), x < channels ? 0 : at(-channels, -1)];
      const [pa, pb, pc] = [Math.abs(b - c), Math.abs(a - c), Math.abs(a + b - 2 * c)];
      const paeth = pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
      const guess = [0, a, b, (a + b) >> 1, paeth][filter] ?? 0;
      rows[y * (stride + 1) + 1 + x] = at(0, 0) - guess;
    }
  }
  const bytes = Buffer.from(png);
  const start = bytes.indexOf("IDAT") - 4;
  const end = bytes.indexOf("IEND") - 4;
  const body = deflateSync(rows);
  const typed = Buffer.concat([Buffer.from("IDAT"), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(typed));
  return Buffer.concat([bytes.subarray(0, start), length, typed, sum, bytes.subarray(end)]);
}

describe("trouble with a screen", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());
  function told() {
    const warn = vi.fn();
    const gone = Promise.withResolvers<void>();
    return { warn, gone, trouble: troubleUnless(gone.promise, { ...silentLog, warn }) };
  }

  it("is a warning while the device is there", async () => {
    const { warn, trouble } = told();
    trouble("the encoder of a phone ended", new Error("no codec"), 2);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(warn.mock.calls).toEqual([
      [
        "the encoder of a phone ended",
        expect.objectContaining({ count: 2, error: expect.stringContaining("no codec") }),
      ],
    ]);
  });
  it("is none when the device is gone, a moment later or already", async () => {
    const { warn, gone, trouble } = told();
    trouble("the encoder of a phone ended", new Error("closed"));
    await vi.advanceTimersByTimeAsync(900);
    gone.resolve();
    await vi.advanceTimersByTimeAsync(0);
    trouble("scrcpy did not start", new Error("closed"));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(warn).not.toHaveBeenCalled();
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("hands that go on in another session", () => {
  it("wait until what they did in the one before has arrived", async () => {
    const session = (): ScrcpySession => ({
      ...{ silent: false, over: false, ended: new Promise(() => {}), size: () => undefined, control: async () => {} },
      async *packets() {},
      async askClipboard() {},
      async close() {},
    });
    const [idle, watched] = [session(), session()];
    const size = { width: 100, height: 100 };
    const clock = new ManualClock(0);
    const hands = createHands(
      async () => ({ session: idle, size }),
      () => size,
      clock,
    );
    await hands.touch({ type: "touch", phase: "start", id: 0, x: 0, y: 0 });
    await hands.touch({ type: "touch", phase: "end", id: 0, x: 0, y: 0 });
    vi.useFakeTimers();
    try {
      const settled = vi.fn();
      await hands.settled(idle);
      clock.advance(100);
      void hands.settled(watched).then(settled);
      await vi.advanceTimersByTimeAsync(49);
      expect(settled).not.toHaveBeenCalled();
      await vi.advanceTimersByTimeAsync(1);
      expect(settled).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });
});
