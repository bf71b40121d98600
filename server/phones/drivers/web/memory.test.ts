/** What a running phone remembers, and how seldom that is written. */
import { afterEach, describe, expect, it, vi } from "vitest";
import { newId } from "../../../../shared/ids.ts";
import { PhoneMemory } from "./memory.ts";
import { type PhoneRecord, WebPhoneStorage } from "./storage.ts";

class Disk extends WebPhoneStorage {
  readonly written: PhoneRecord[] = [];
  failing = false;

  constructor() {
    super("/nonexistent", undefined, Buffer.alloc(32));
  }

  override async writeRecord(_: unknown, record: PhoneRecord): Promise<void> {
    if (this.failing) throw new Error("The disk is full");
    this.written.push(record);
  }
}

const EMPTY: PhoneRecord = { pages: [], apps: [], sessionCookies: [] };
const page = (n: number) => ({ url: `https://example.com/${n}`, title: `Page ${n}` });

describe("a phone's memory", () => {
  afterEach(() => {
    vi.useRealTimers();
  });

  it("writes a change at once, those that follow together a second later, and nothing when nothing changed", async () => {
    vi.useFakeTimers();
    const disk = new Disk();
    const memory = new PhoneMemory(newId("phone"), disk, EMPTY);
    for (let n = 0; n < 100; n += 1) memory.remember(page(n).url, [page(n)]);
    await vi.advanceTimersByTimeAsync(0);
    const last = { ...EMPTY, open: page(99).url, pages: [page(99)] };
    expect(disk.written).toEqual([last]);
    memory.remember(page(99).url, [page(99)]);
    memory.remember(undefined, [page(98)]);
    memory.remember(undefined, [page(99)]);
    await vi.advanceTimersByTimeAsync(999);
    expect(disk.written).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(disk.written.slice(1)).toEqual([{ ...EMPTY, pages: [page(99)] }]);
    await vi.advanceTimersByTimeAsync(10_000);
    await memory.settled();
    expect(disk.written).toHaveLength(2);
  });

  it("writes what is due at once when it ends or saves something else", async () => {
    const disk = new Disk();
    const memory = new PhoneMemory(newId("phone"), disk, EMPTY);
    memory.remember(undefined, [page(1)]);
    await memory.settled();
    expect(disk.written).toEqual([{ ...EMPTY, pages: [page(1)] }]);
    memory.remember(undefined, [page(2)]);
    const apps = [{ name: "App", url: "https://example.com" }];
    await memory.save({ ...memory.record, apps });
    expect(disk.written.slice(1)).toEqual([{ ...EMPTY, pages: [page(2)], apps }]);
  });

  it("makes a failed write good with the next", async () => {
    const disk = new Disk();
    const memory = new PhoneMemory(newId("phone"), disk, EMPTY);
    disk.failing = true;
    await expect(memory.save({ ...EMPTY, pages: [page(1)] })).rejects.toThrow("full");
    disk.failing = false;
    await memory.settled();
    expect(disk.written).toEqual([{ ...EMPTY, pages: [page(1)] }]);
  });
});
