import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { findElements } from "../../../../../shared/flows/match.ts";
import { openSimulatedAndroid, type SimulatedAndroid } from "./android-bench.fixture.ts";

let android: SimulatedAndroid;
beforeAll(async () => {
  android = await openSimulatedAndroid();
});
afterAll(() => android.close());

const phone = () => android.simulator.phone;
const look = async (selector: Parameters<typeof findElements>[1]) =>
  findElements(await android.automation.elements(), selector)[0];

describe("an Android's screen", () => {
  beforeEach(() => {
    phone().restart();
    phone().neverIdle = false;
  });

  it("is read as elements of the app in front, whose field keeps its ref while it is typed into", async () => {
    await android.automation.launchApp?.("com.example.form", {});
    await android.automation.opened(2_000);
    const field = await look({ id: "name" });
    expect(field).toMatchObject({ role: "textbox", id: "com.example.form:id/name", text: "Your name" });
    expect(await look({ id: "password" })).toMatchObject({ password: true, text: "" });
    const target = await android.automation.target(field?.ref ?? "", 500);
    await android.screen.input({ type: "touch", phase: "start", id: 0, ...(target?.point ?? { x: 0, y: 0 }) });
    await android.screen.input({ type: "touch", phase: "end", id: 0, ...(target?.point ?? { x: 0, y: 0 }) });
    await android.screen.input({ type: "text", value: "Ada" });
    expect(await look({ id: "name" })).toMatchObject({ ref: field?.ref, text: "Ada", focused: true });
    expect(await android.automation.address?.()).toBe("com.example.form");
  });
  it("has what a link opened at once, also where its app was in front", async () => {
    await android.automation.openLink?.("shop://item/Hat", { browser: false });
    await android.automation.opened(3_000);
    await android.automation.openLink?.("shop://item/Shoe", { browser: false });
    const began = performance.now();
    await android.automation.opened(3_000);
    expect(performance.now() - began).toBeLessThan(2_000);
    expect(await look({ text: "Chosen: Shoe" })).toBeDefined();
  });
  it("goes by packages: the home screen is none that could be opened again", async () => {
    expect(await android.automation.address?.()).toBeUndefined();
  });
  it("finds an element again where it moved to, and in place when its words changed", async () => {
    await android.automation.launchApp?.("com.example.counter", {});
    const count = await look({ id: "count" });
    android.simulator.apps.counter.count += 1;
    phone().changed();
    expect(await android.automation.target(count?.ref ?? "", 500)).toMatchObject({ bounds: count?.bounds });
    phone().restart();
    expect(await android.automation.target(count?.ref ?? "", 100)).toBeUndefined();
  });
  it("that never rests has no elements, says so, and is read again when another picture stands still", async () => {
    await android.automation.launchApp?.("com.example.busy", {});
    const busy = await android.automation.elements();
    expect(busy).toMatchObject({ unread: true, note: expect.stringMatching(/never came to rest/) });
    expect(busy.root.children).toEqual([]);
    const began = performance.now();
    expect((await android.automation.elements()).unread).toBe(true);
    expect(performance.now() - began).toBeLessThan(3_000);
    expect(await android.automation.still(400)).toBe(false);
    phone().restart();
    expect(await look({ text: "Form" })).toBeDefined();
  });
  it("is one that stands still", async () => expect(await android.automation.still(5_000)).toBe(true));
  it("leaves nothing of what it read on the phone", async () => {
    await android.automation.elements();
    await android.automation.elements();
    await expect
      .poll(() => android.device.text(["cat", "/data/local/tmp/perch-screen.xml"]), { timeout: 3_000 })
      .toBe("");
  });
  it("takes media where galleries look, a second of one name beside the first", async () => {
    for (const text of ["one", "two"]) await android.automation.addMedia?.("cat -n $(id).png", Buffer.from(text));
    const names = await android.device.text(["ls", "/sdcard/Pictures"]);
    expect(names.trim().split("\n").toSorted()).toEqual(["cat -n $(id) (2).png", "cat -n $(id).png"]);
    expect(await android.device.text(["cat", "/sdcard/Pictures/cat -n $(id) (2).png"])).toBe("two");
    await expect(android.automation.addMedia?.("../cat.png", Buffer.from("x"))).rejects.toThrow(/file name/);
  });
  it("gives who asks at once the same look, and never one from before they asked", async () => {
    const looks = await Promise.all([1, 2, 3].map(() => android.automation.elements()));
    expect(looks[1]).toBe(looks[2]);
    expect(looks[0]).not.toBe(looks[1]);
  });
});
