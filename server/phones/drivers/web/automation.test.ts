/** What automations see and reach on a web phone, with a real browser and pages that make it hard. */
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { UiElement, UiTree } from "../../../../shared/ui-tree.ts";
import type { PhoneAutomation } from "../../automation-port.ts";
import { PAGES } from "./automation.fixture.ts";
import { type Bench, Hand, openBench, type Site, serveSite, until } from "./web.fixture.ts";

function* all(element: UiElement): Generator<UiElement> {
  yield element;
  for (const child of element.children) yield* all(child);
}
const texts = (tree: UiTree) => [...all(tree.root)].map(({ text }) => text).filter((text) => text !== "");

describe("an automation on a web phone", () => {
  let bench: Bench;
  let site: Site;
  let hand: Hand;
  let automation: PhoneAutomation;
  /** The answer to `/held`, which a test gives. */
  let held: ServerResponse | undefined;
  const open = async (path: string, host = "127.0.0.1") => {
    await bench.driver.openUrl(hand.id, site.base.replace("127.0.0.1", host) + path);
  };
  /** The element that shows these words, or goes by this id; waited for. */
  const seen = (what: string) =>
    until(what, async () =>
      [...all((await automation.elements(hand.id)).root)].findLast(
        (one) => one.text === what || one.accessibilityText === what || one.id === what,
      ),
    );
  const reported = (what: string | RegExp) =>
    until(`the page to report ${what}`, () =>
      site.reports.find((report) => (typeof what === "string" ? report === what : what.test(report))),
    );
  const touch = ({ x, y }: { x: number; y: number }) => hand.touch(x, y);

  beforeAll(async () => {
    site = await serveSite({
      ...PAGES,
      "/held": (_, answer) => {
        held = answer;
      },
      "/apart": (asked, answer) => {
        answer.setHeader("content-type", "text/html");
        const port = new URL(`http://${asked.headers.host}`).port;
        answer.end(
          `<title>Apart</title><meta name="viewport" content="width=device-width"><h1>Around</h1><iframe style="border:0;width:300px;height:300px" src="http://other.test:${port}/inner"></iframe><iframe style="border:0;width:300px;height:100px" sandbox="allow-scripts" src="/inner?sandboxed"></iframe>`,
        );
      },
      "/worker.js": (_, answer) => {
        answer.setHeader("content-type", "text/javascript");
        answer.end(
          "oninstall=()=>skipWaiting();onactivate=(event)=>event.waitUntil(clients.claim());onfetch=(event)=>event.respondWith(fetch(event.request).catch(()=>new Response('from the worker')))",
        );
      },
      "/data": (_, answer) => void answer.end("from the network"),
      "/inner": (_, answer) => {
        answer.setHeader("content-type", "text/html");
        answer.end(
          `<body style="margin:0"><h2 class="item">Inside ${_.url?.includes("?") ? "the box" : "another site"}</h2><div style="height:600px"></div><button style="height:50px" id="far" onclick="fetch('/report',{method:'POST',body:'far pressed'})">Far in</button>`,
        );
      },
    });
    bench = await openBench();
    hand = new Hand(bench.driver);
    await bench.driver.create(hand.spec);
    await bench.driver.start(hand.spec);
    const { automation: part } = bench.driver;
    if (part === undefined) throw new Error("No automations");
    automation = part;
  });
  afterAll(async () => {
    await bench.close();
    await site.close();
  });
  beforeEach(() => {
    site.reports.length = 0;
  });

  describe("sees", () => {
    it("what elements say, what they are called and what they go by", async () => {
      await open("/words");
      expect(await seen("Save")).toMatchObject({
        role: "button",
        id: "save-button",
        alsoIds: ["save", "keep"],
        clickable: true,
        enabled: true,
        checked: false,
      });
      expect(await seen("Sign in")).toMatchObject({ role: "button", text: "Sign" });
      await seen("Line one\nline two");
      expect(await seen("mail")).toMatchObject({ text: "a@b.c", hint: "E-mail", focused: true, role: "textbox" });
      expect(await seen("tel")).toMatchObject({ accessibilityText: "Phone", focused: false });
      expect(await seen("A dog")).toMatchObject({ role: "image" });
      expect(await seen("Forward")).toMatchObject({ role: "link", text: "→", id: "", alsoIds: ["Forward"] });
      expect(await seen("plain")).toMatchObject({ text: "日本語 🦊", role: "text" });
      const tree = await automation.elements(hand.id);
      expect([tree.width, tree.height]).toEqual([360, 800]);
      await open("/covered");
      const { bounds } = await seen("Lower");
      expect([bounds.x, bounds.y * 800, bounds.width, bounds.height * 800].map(Math.round)).toEqual([0, 200, 1, 60]);
    });

    it("no password, however its field is made", async () => {
      await open("/words");
      expect(await seen("Secret")).toMatchObject({ password: true, text: "" });
      const tree = JSON.stringify([await automation.elements(hand.id), await bench.driver.tree(hand.id)]);
      expect(tree).not.toContain("hunter");
    });

    it("states", async () => {
      await open("/states");
      for (const off of ["Off", "In a set", "Aria off"]) expect(await seen(off)).toMatchObject({ enabled: false });
      expect(await seen("Tick")).toMatchObject({ checked: true, clickable: true });
      expect(await seen("Switch")).toMatchObject({ checked: true, role: "switch" });
      expect(await seen("Tab one")).toMatchObject({ selected: true });
      expect(await seen("Tab two")).toMatchObject({ selected: false, enabled: true });
      expect(await seen("Pressable")).toMatchObject({ clickable: true });
      const pointed = [...all((await automation.elements(hand.id)).root)].filter(({ children }) =>
        children.some(({ text }) => text === "Pointed"),
      );
      expect(pointed).toMatchObject([{ clickable: true }]);
    });

    it("only what can be seen on the screen", async () => {
      await open("/hidden");
      await seen("but this");
      expect(texts(await automation.elements(hand.id))).toEqual(["but this", "first row", "fixed inside", "no box"]);
    });

    it("into open shadow roots, not into closed ones", async () => {
      await open("/shadow");
      await seen("Slotted");
      expect(texts(await automation.elements(hand.id))).toEqual(["Outer", "Slotted", "Deep button"]);
      const reach = await automation.target(hand.id, (await seen("Deep button")).ref, 1_000);
      expect(reach).not.toHaveProperty("coveredBy");
      await touch(reach?.point ?? { x: 0, y: 0 });
      await reported("deep");
    });

    it("into frames of the same origin, where they are", async () => {
      await open("/frames");
      const { bounds } = await seen("Top of frame");
      const { bounds: above } = await seen("Above");
      expect(bounds.x * 360).toBeCloseTo(12, 1);
      expect(bounds.height * 800).toBeCloseTo(200, 1);
      expect(bounds.y).toBeGreaterThan(above.y + above.height);
      expect(texts(await automation.elements(hand.id))).not.toContain("In a frame");
    });

    it("into frames of other sites and of none", async () => {
      await open("/apart", "shop.test");
      const inside = await seen("Inside another site");
      const { bounds: around } = await seen("Around");
      expect(inside.bounds.y).toBeGreaterThan(around.y + around.height - 0.001);
      await seen("Inside the box");
      const [first = "", ...others] = await automation.findByCss(hand.id, ".item");
      expect([first, others.length]).toEqual([inside.ref, 1]);
    });

    it("as much as fits of a page without end, and says so", async () => {
      await open("/many");
      await until("the page", async () => (await bench.driver.tree(hand.id)).name === "Many");
      const tree = await automation.elements(hand.id);
      expect([...all(tree.root)].length).toBe(5_001);
      expect(tree.note).toMatch(/its first 5000 elements/);
    });

    it("a page that does everything to mislead", async () => {
      await open("/hostile");
      const button = await seen("In a form");
      expect(await seen("One")).toMatchObject({ role: "textbox", id: "tagName" });
      expect((await automation.findByCss(hand.id, "form button")).length).toBe(1);
      const reach = await automation.target(hand.id, button.ref, 1_000);
      await touch(reach?.point ?? { x: 0, y: 0 });
      await reported("form pressed");
    });

    it("a page that keeps replacing itself", async () => {
      await open("/restless");
      await seen("Restless");
      for (let n = 0; n < 30; n += 1) {
        const tree = await automation.elements(hand.id).catch((error: unknown) => {
          expect(String(error)).toMatch(/kept changing/);
          return undefined;
        });
        if (tree !== undefined) expect(texts(tree).every((text) => text === "Restless")).toBe(true);
      }
    });

    it("nothing of a page that hangs, and says so in time", async () => {
      await open("/hang");
      await seen("Hanging");
      await reported("hanging");
      const started = performance.now();
      await expect(automation.elements(hand.id)).rejects.toThrow(/did not answer/);
      expect(performance.now() - started).toBeLessThan(7_000);
      await hand.press("Home");
    });

    it("a question that opens while a page is read", async () => {
      await open("/question");
      const asked = await until("the question", async () => {
        const tree = await automation.elements(hand.id);
        return texts(tree).includes("Really?") ? tree : undefined;
      });
      expect(texts(asked)).not.toContain("Behind");
      await touch((await automation.target(hand.id, (await seen("Cancel")).ref, 1_000))?.point ?? { x: 0, y: 0 });
      await reported("answer false");
    });

    it("what is chosen from the phone's own sheets", async () => {
      await open("/select");
      expect(await seen("fruit")).toMatchObject({ text: "Apple", role: "combobox" });
      await touch((await automation.target(hand.id, (await seen("fruit")).ref, 1_000))?.point ?? { x: 0, y: 0 });
      const pear = await seen("Pear");
      expect((await seen("Apple")).text).toBe("Apple");
      await touch((await automation.target(hand.id, pear.ref, 1_000))?.point ?? { x: 0, y: 0 });
      await reported("fruit Pear");
      expect(await seen("fruit")).toMatchObject({ text: "Pear" });
      await touch((await automation.target(hand.id, (await seen("fruit")).ref, 1_000))?.point ?? { x: 0, y: 0 });
      const far = await automation.target(hand.id, (await seen("Kind 55")).ref, 1_000);
      await touch(far?.point ?? { x: 0, y: 0 });
      await reported("fruit Kind 55");
      await touch((await automation.target(hand.id, (await seen("Day")).ref, 1_000))?.point ?? { x: 0, y: 0 });
      expect(await seen("Month")).toMatchObject({ text: "02" });
      await touch((await automation.target(hand.id, (await seen("Cancel")).ref, 1_000))?.point ?? { x: 0, y: 0 });
      await seen("Shade");
    });

    it("what was typed", async () => {
      await open("/typed");
      const area = await seen("area");
      expect(area).toMatchObject({ text: "", hint: "Notes" });
      await touch((await automation.target(hand.id, area.ref, 1_000))?.point ?? { x: 0, y: 0 });
      await until("the field to have the focus", async () => (await seen("area")).focused);
      await hand.type("héllo 日本 👩‍👩‍👧\nsecond");
      expect(await seen("area")).toMatchObject({ text: "héllo 日本 👩‍👩‍👧\nsecond", focused: true });
      await automation.hideKeyboard(hand.id);
      expect(await seen("area")).toMatchObject({ focused: false });
    });

    it("the phone's own screens", async () => {
      await hand.press("Home");
      expect(await seen("Address")).toMatchObject({ role: "textbox" });
      await seen("Web phone");
    });
  });

  describe("reaches", () => {
    it("an element that came to rest", async () => {
      await open("/late");
      const { ref } = await seen("Late");
      const reach = await automation.target(hand.id, ref, 5_000);
      expect(reach).not.toHaveProperty("moving");
      await touch(reach?.point ?? { x: 0, y: 0 });
      await reported("late pressed");
    });

    it("one beside what never stops, and says of that one that it moves", async () => {
      await open("/moving");
      const started = performance.now();
      const steady = await automation.target(hand.id, (await seen("Steady")).ref, 5_000);
      expect(steady).not.toHaveProperty("moving");
      expect(performance.now() - started).toBeLessThan(3_000);
      expect(await automation.target(hand.id, (await seen("Carousel")).ref, 200)).toMatchObject({ moving: true });
    });

    it("what lies outside the screen by bringing it there", async () => {
      await open("/below");
      await seen("Tall");
      const [ref = ""] = await automation.findByCss(hand.id, "#deep");
      const reach = await automation.target(hand.id, ref, 1_000);
      expect(reach?.coveredBy).toBeUndefined();
      await touch(reach?.point ?? { x: 0, y: 0 });
      await reported("below");
    });

    it("what lies under a bar at the edge by bringing it out", async () => {
      await open("/bar");
      const reach = await automation.target(hand.id, (await seen("Under the bar")).ref, 1_000);
      expect(reach?.coveredBy).toBeUndefined();
      await touch(reach?.point ?? { x: 0, y: 0 });
      await reported("low");
    });

    it("nothing under a veil, and says what is over it", async () => {
      await open("/covered");
      expect(await automation.target(hand.id, (await seen("Under")).ref, 500)).toMatchObject({
        coveredBy: "dialog “Cookies?”",
      });
    });

    it("the free part of what is covered in part", async () => {
      await open("/half");
      const reach = await automation.target(hand.id, (await seen("Half covered")).ref, 500);
      expect(reach?.coveredBy).toBeUndefined();
      await touch(reach?.point ?? { x: 0, y: 0 });
      await reported("half");
    });

    it("a field through its label", async () => {
      await open("/label");
      await seen("Agree");
      for (const [aim, field] of [
        ["label > span", "up"],
        ["#agreed", "agreed"],
      ] as const) {
        const [ref = ""] = await automation.findByCss(hand.id, aim);
        const reach = await automation.target(hand.id, ref, 500);
        expect(reach?.coveredBy).toBeUndefined();
        await touch(reach?.point ?? { x: 0, y: 0 });
        await until("the tick", async () =>
          [...all((await automation.elements(hand.id)).root)].some(({ id, checked }) => id === field && checked),
        );
      }
    });

    it("into frames, scrolled there", async () => {
      await open("/frames");
      await seen("Top of frame");
      const [ref = ""] = await automation.findByCss(hand.id, "button");
      const reach = await automation.target(hand.id, ref, 1_000);
      expect(reach?.coveredBy).toBeUndefined();
      await touch(reach?.point ?? { x: 0, y: 0 });
      await reported("framed");
    });

    it("into frames of other sites, scrolled there", async () => {
      await open("/apart", "shop.test");
      await seen("Inside another site");
      const [ref = ""] = await automation.findByCss(hand.id, "#far");
      const reach = await automation.target(hand.id, ref, 1_000);
      expect(reach?.coveredBy).toBeUndefined();
      await touch(reach?.point ?? { x: 0, y: 0 });
      await reported("far pressed");
    });

    it("what lies at a place, the innermost first, whatever covers what", async () => {
      await open("/covered");
      const under = await seen("Under");
      const at = async (x: number, y: number) => {
        const hits = (await automation.elementAt?.(hand.id, x, y)) ?? [];
        const tree = [...all((await automation.elements(hand.id)).root)];
        const [css] = hits.flatMap((hit) => hit.css ?? []);
        if (css !== undefined)
          expect(await automation.findByCss(hand.id, css)).toEqual([hits.find((hit) => hit.css)?.ref]);
        return hits.flatMap(({ ref }) => tree.find((one) => one.ref === ref) ?? []);
      };
      const { x, y, width, height } = under.bounds;
      const [over] = await at(x + width / 2, y + height / 2);
      expect(over).toMatchObject({ role: "dialog", accessibilityText: "Cookies?" });
      await open("/shadow");
      const deep = await seen("Deep button");
      const [inner] = await at(deep.bounds.x + deep.bounds.width / 2, deep.bounds.y + deep.bounds.height / 2);
      expect(inner?.text).toBe("Deep button");
      expect(await automation.elementAt?.(hand.id, 2, 2)).toEqual([]);
      expect(await automation.address?.(hand.id)).toBe(`${site.base}/shadow`);
    });

    it("the address of a page that still loads", async () => {
      await open("/held");
      expect(await automation.address?.(hand.id)).toBe(`${site.base}/held`);
      const answer = await until("the page to be asked for", () => held);
      answer.setHeader("content-type", "text/html").end("<button>Here at last</button>");
      await seen("Here at last");
    });

    it("nothing of a document that is gone, nor by a name it never gave", async () => {
      await open("/words");
      const { ref } = await seen("Save");
      await open("/states");
      await seen("Switch");
      expect(await automation.target(hand.id, ref, 500)).toBeUndefined();
      for (const made of ["", "1", `${ref}>x`, `${ref}>AB:${ref}`, "0".repeat(16)]) {
        expect(await automation.target(hand.id, made, 500)).toBeUndefined();
      }
    });

    it("by selector in order, through shadow roots, and says what is none", async () => {
      await open("/list");
      await seen("Two");
      const refs = await automation.findByCss(hand.id, "li.item, .item");
      const tree = [...all((await automation.elements(hand.id)).root)];
      expect(refs.map((ref) => tree.find((one) => one.ref === ref)?.text)).toEqual([
        "One",
        "Two",
        "Shadowed",
        undefined,
      ]);
      await expect(automation.findByCss(hand.id, "li[")).rejects.toThrow(/“li\[” is not a CSS selector/);
    });
  });

  describe("knows when the picture is still", () => {
    it("of a page at rest, also with a caret in it, not of one that moves", async () => {
      await open("/words");
      await seen("Save");
      expect(await automation.still(hand.id, 5_000)).toBe(true);
      await open("/moving");
      await seen("Steady");
      expect(await automation.still(hand.id, 1_500)).toBe(false);
    });

    it("while a person looks on", async () => {
      const stop = hand.watch();
      await open("/moving");
      await seen("Steady");
      expect(await automation.still(hand.id, 1_000)).toBe(false);
      await open("/states");
      await seen("Switch");
      expect(await automation.still(hand.id, 5_000)).toBe(true);
      stop();
    });
  });

  describe("sets", () => {
    afterEach(() => automation.setAirplaneMode(hand.id, false));

    it("an origin back to nothing, and no other", async () => {
      for (const host of ["other.test", "www.shop.test"]) {
        await open("/state", host);
        await reported("state |1|1");
        site.reports.length = 0;
      }
      await hand.press("Reload");
      await reported("state a=1; b=1|2|2");
      await automation.clearState(hand.id, `${site.base.replace("127.0.0.1", "www.shop.test")}/any`);
      site.reports.length = 0;
      await hand.press("Reload");
      await reported("state |1|1");
      await open("/state", "other.test");
      await reported("state a=1|2|1");
      await expect(automation.clearState(hand.id, "file:///etc")).rejects.toThrow(/cannot open this address/);
    });

    it("what pages may use", async () => {
      const ask = async () => {
        site.reports.length = 0;
        await open("/ask");
        return reported(/^geolocation/);
      };
      await automation.setPermissions(hand.id, { all: "deny", camera: "allow", contacts: "allow" });
      const first = "geolocation=denied camera=granted microphone=denied notifications=denied clipboard-read=denied";
      expect(await ask()).toBe(first);
      await bench.driver.configure(hand.spec);
      expect(await ask()).toBe(first);
      await automation.setPermissions(hand.id, { all: "allow" });
      expect(await ask()).toMatch(/^geolocation=granted camera=granted microphone=granted notifications=granted/);
      await automation.setPermissions(hand.id, { all: "unset" });
      expect(await ask()).not.toContain("granted");
    });

    it("airplane mode, for pages that open later too", async () => {
      await open("/net");
      await seen("net true 0");
      await automation.setAirplaneMode(hand.id, true);
      await seen("net false 1");
      await open("/words");
      await hand.see(/airplane mode/);
      await automation.setAirplaneMode(hand.id, false);
      await open("/words");
      await seen("Save");
    });

    it("airplane mode also for a page's worker", async () => {
      await open("/worker");
      await seen("from the network true");
      await automation.setAirplaneMode(hand.id, true);
      await seen("from the worker true");
      await automation.setAirplaneMode(hand.id, false);
      await seen("from the network true");
    });

    it("files a page can be given", async () => {
      await automation.addMedia?.(hand.id, "../photo.txt", Buffer.from("first"));
      await automation.addMedia?.(hand.id, "_photo.txt", Buffer.from("second"));
      const names = (await bench.driver.files.list(hand.id)).map(({ name }) => name);
      expect(names.sort()).toEqual(["_photo (2).txt", "_photo.txt"]);
      await open("/upload");
      await touch((await automation.target(hand.id, (await seen("Photo")).ref, 1_000))?.point ?? { x: 0, y: 0 });
      await touch(
        (await automation.target(hand.id, (await seen("_photo (2).txt")).ref, 1_000))?.point ?? { x: 0, y: 0 },
      );
      await reported("file _photo (2).txt second");
      const tooMuch = automation.addMedia?.(hand.id, "big", { length: 2e9 } as Uint8Array);
      await expect(tooMuch).rejects.toThrow(/no room for big/);
    });
  });
});
