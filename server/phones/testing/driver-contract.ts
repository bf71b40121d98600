/** What every kind of phone does alike, whatever it is made of: the tests each driver passes. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { PerchError } from "../../errors.ts";
import type { DriverEvent, FileToPut, PhoneDriver, PhoneSpec, ScreenFrame, UiNode } from "../driver.ts";

export interface DriverBench {
  readonly driver: PhoneDriver;
  /** A phone that may be made now. */
  spec(): Promise<PhoneSpec>;
  /** Brings up what says `Count 0`, and counts one up wherever it is touched in its middle. */
  showCounter(spec: PhoneSpec): Promise<void>;
  /** Absent where a phone cannot be out of reach: it lives in this process. */
  readonly loss?: { cut(): Promise<void>; mend(): Promise<void> };
  dispose(): Promise<void>;
}

const WAIT_MS = 20_000;

async function until<T>(what: string, look: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (const deadline = performance.now() + WAIT_MS; ; ) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`Waited in vain for ${what}.`);
    await delay(25);
  }
}

function namesIn({ name, children }: UiNode): string[] {
  return [name, ...children.flatMap(namesIn)];
}

/** A picture that needs none before it: a still, or a key frame with its parameters. */
function startsWhole(frames: readonly ScreenFrame[]): boolean {
  const [first, second] = frames;
  if (first?.kind === "image" || first?.kind === "keyFrame") return true;
  return first?.kind === "codecConfig" && (second === undefined || second.kind === "keyFrame");
}

const fileOf = (name: string, text: string): FileToPut => {
  const blob = new Blob([text]);
  return { name, size: blob.size, content: blob.stream() };
};

export function driverContract(kind: string, open: () => Promise<DriverBench>): void {
  describe(`a phone of the kind ${kind}`, () => {
    let bench: DriverBench;
    let driver: PhoneDriver;
    let spec: PhoneSpec;
    const events: DriverEvent[] = [];
    const told = (type: DriverEvent["type"]) => events.filter((event) => event.type === type);
    const counts = async () => namesIn(await driver.tree(spec.id)).find((name) => /Count \d+/.test(name));
    const touch = async () => {
      const at = { id: 0, x: 0.5, y: 0.5 };
      await driver.input(spec.id, { type: "touch", phase: "start", ...at });
      await driver.input(spec.id, { type: "touch", phase: "end", ...at });
    };
    const countsUp = async () => {
      const before = await counts();
      await touch();
      return until("another count", async () => {
        const now = await counts();
        return now === before ? undefined : now;
      });
    };
    const fileNames = async () => (await driver.files.list(spec.id)).map(({ name }) => name).sort();

    beforeAll(async () => {
      bench = await open();
      driver = bench.driver;
      driver.onEvent((event) => events.push(event));
      spec = await bench.spec();
    }, 60_000);
    afterAll(() => bench?.dispose(), 60_000);

    it("is made once, starts, and is not started twice", async () => {
      await driver.create(spec);
      await driver.create(spec);
      expect(await driver.state(spec.id)).not.toBe("running");
      await driver.start(spec);
      await driver.start(spec);
      expect(await driver.state(spec.id)).toBe("running");
      expect([...driver.runningPhones()]).toEqual([spec.id]);
      expect(told("ended")).toEqual([]);
    });

    it("shows what is on it as elements, and changes where it is touched", async () => {
      await bench.showCounter(spec);
      await until("the counter", async () => ((await counts()) === "Count 0" ? true : undefined));
      expect(await countsUp()).toBe("Count 1");
      const inside = ({ bounds, children }: UiNode): boolean =>
        [bounds.x, bounds.y, bounds.width, bounds.height].every(Number.isFinite) && children.every(inside);
      expect(inside(await driver.tree(spec.id))).toBe(true);
    });

    it("gives each who watches whole pictures first, new ones when it changes, and none once they left", async () => {
      const screen = driver.screen(spec.id);
      const { width, height } = screen.size();
      expect(Math.min(width, height)).toBeGreaterThan(0);
      const first: ScreenFrame[] = [];
      const stopFirst = screen.listen((frame) => first.push(frame));
      await until("a picture", () => first.length > 0 || undefined);
      expect(startsWhole(first)).toBe(true);
      const joiner: ScreenFrame[] = [];
      const stopJoiner = screen.listen((frame) => joiner.push(frame));
      await until("a picture for who joins", () => joiner.length > 0 || undefined);
      expect(startsWhole(joiner)).toBe(true);
      const seen = joiner.length;
      await countsUp();
      await until("a picture of the change", () => joiner.length > seen || undefined);
      // As when the right to watch ends: nothing more, at once.
      stopFirst();
      const left = first.length;
      await countsUp();
      await until("a picture for who stays", () => joiner.length > seen + 1 || undefined);
      expect(first).toHaveLength(left);
      stopJoiner();
      const { png } = await driver.screenshot(spec.id);
      expect(Buffer.from(png).toString("latin1", 1, 4)).toBe("PNG");
    });

    it("keeps a text on its clipboard", async () => {
      if (!driver.capabilities.clipboard) return;
      const written = await driver.clipboard.write(spec.id, "Grüße 日本 🙂").catch((error: unknown) => error);
      // Some devices need more than ADB for it, and say what.
      if (written instanceof PerchError && written.code === "capability_missing") return;
      expect(written).toBeUndefined();
      expect(await driver.clipboard.read(spec.id)).toBe("Grüße 日本 🙂");
    });

    it("keeps files that are put on it, gives them back whole, and removes them", async () => {
      const { files } = driver;
      expect(driver.capabilities.upload).toBe(true);
      const sent: number[] = [];
      const name = await files.write?.(spec.id, fileOf("a note.txt", "first"), (bytes) => sent.push(bytes));
      const other = await files.write?.(spec.id, fileOf("a note.txt", "second"), () => {});
      expect(name).toBe("a note.txt");
      expect(other).not.toBe(name);
      expect(sent.at(-1)).toBe(5);
      expect(await fileNames()).toEqual([name, other].sort());
      expect(await new Response(await files.read(spec.id, other ?? "")).text()).toBe("second");
      await files.remove(spec.id, other ?? "");
      expect(await fileNames()).toEqual([name]);
      await expect(files.read(spec.id, "../../etc/passwd")).rejects.toMatchObject({ name: "PerchError" });
    });

    it("is lost and found by itself, with its screen, and nothing hangs meanwhile", async () => {
      const { loss } = bench;
      if (loss === undefined) return;
      await loss.cut();
      await until("the loss", () => told("lost").length > 0 || undefined);
      expect(await driver.state(spec.id)).toBe("unknown");
      expect([...driver.runningPhones()]).toEqual([]);
      await expect(driver.screenshot(spec.id)).rejects.toMatchObject({ code: "phone_unavailable" });
      await expect(touch()).rejects.toMatchObject({ code: "phone_unavailable" });
      await loss.mend();
      await until("the phone again", () => told("found").length > 0 || undefined);
      expect(await driver.state(spec.id)).toBe("running");
      expect([...driver.runningPhones()]).toEqual([spec.id]);
      const frames: ScreenFrame[] = [];
      const stop = driver.screen(spec.id).listen((frame) => frames.push(frame));
      await until("a picture", () => frames.length > 0 || undefined);
      expect(startsWhole(frames)).toBe(true);
      stop();
      expect(told("ended")).toEqual([]);
    });

    it("parks with what is on it, says so, and goes on with that", async () => {
      await driver.park(spec.id);
      // Where a device has to be asked and nobody is connected, nobody knows.
      expect(["parked", "unknown"]).toContain(await driver.state(spec.id));
      expect([...driver.runningPhones()]).toEqual([]);
      await driver.park(spec.id);
      await expect(driver.screenshot(spec.id)).rejects.toMatchObject({ code: "phone_not_running" });
      await driver.start(spec);
      expect(await fileNames()).toEqual(["a note.txt"]);
      expect(await new Response(await driver.files.read(spec.id, "a note.txt")).text()).toBe("first");
    });

    it("is wiped, which is looked at, and is nowhere afterwards", async () => {
      const receipt = await driver.remove(spec.id);
      expect(receipt).toMatchObject({ phoneId: spec.id, verifiedAbsent: true });
      expect(await driver.state(spec.id)).toBe("absent");
      expect([...driver.runningPhones()]).toEqual([]);
      expect((await driver.remove(spec.id)).verifiedAbsent).toBe(true);
      await expect(driver.tree(spec.id)).rejects.toMatchObject({ code: "phone_not_running" });
      expect(told("ended")).toEqual([]);
    });
  });
}
