/** Pages nobody looks at rest, and nothing is lost by it: real browsers, with a grace of a tenth of a second. */
import type { ServerResponse } from "node:http";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Bench, Hand, openBench, type Site, serveSite, until } from "./web.fixture.ts";

const REST_AFTER_MS = 100;
/** Reports when the page hides, goes to rest and comes back; as long as it is awake, every half second that it is. */
const life = (
  title: string,
  body: string,
  head = "",
) => `<title>${title}</title>${head}<h1>${title} page</h1>${body}<script>
  document.addEventListener("visibilitychange", () => report("${title} " + document.visibilityState));
  for (const type of ["freeze", "resume"]) document.addEventListener(type, () => report("${title} " + type));
  let ticks = 0;
  setInterval(() => { ticks += 1; if (ticks % 25 === 0) report("${title} awake"); }, 20);
</script>`;
const PAGES = {
  "/other": life("Other", ""),
  "/moving": life(
    "Moving",
    `<style>@keyframes go{to{translate:200px}}h1{animation:go 1s infinite}</style><button onclick="report('pressed '+document.visibilityState+' '+screen.width)">Press</button>`,
  ),
  "/opener": life(
    "Opener",
    `<button onclick="window.open('http://child.test:'+location.port+'/child')">Open child</button><script>addEventListener('message',({data})=>report('from child '+data))</script>`,
  ),
  "/child": life(
    "Child",
    `<button onclick="opener.postMessage('hello','*')">Say</button><button onclick="setTimeout(()=>opener.postMessage('late','*'),3000);report('will say')">Say later</button>`,
  ),
  "/asks": life(
    "Asks",
    `<script>setTimeout(()=>report('answer '+confirm('Still there?')),${REST_AFTER_MS / 2})</script>`,
  ),
  "/lock": life(
    "Lock",
    `<script>navigator.locks.request('seat',()=>new Promise((free)=>{new BroadcastChannel('seat').onmessage=free})).then(()=>report('freed'))</script>`,
  ),
  "/wants": life(
    "Wants",
    `<button onclick="navigator.locks.request('seat',()=>report('seated'));new BroadcastChannel('seat').postMessage('please')">Ask</button>`,
  ),
  "/download": life("Download", `<a href="/slow.txt" download>Save it</a>`),
  "/app": life("App", "", `<link rel="manifest" href="/app.json">`),
};
const LATE = "<title>Late</title><script>navigator.sendBeacon('/report','Late is '+document.visibilityState)</script>";

describe("a page that left the foreground", () => {
  let bench: Bench;
  let site: Site;
  let hand: Hand;
  let slow: ServerResponse | undefined;

  beforeAll(async () => {
    site = await serveSite({
      ...PAGES,
      "/app.json": (_, answer) => void answer.end(JSON.stringify({ name: "Kept app" })),
      "/late": (_, answer) => {
        answer.setHeader("content-type", "text/html");
        setTimeout(() => answer.end(LATE), 5 * REST_AFTER_MS);
      },
      "/slow.txt": (_, answer) => {
        answer.writeHead(200, { "content-type": "application/octet-stream", "content-disposition": "attachment" });
        // Enough for the browser to know what it is.
        answer.write("x".repeat(4096));
        slow = answer;
      },
    });
    bench = await openBench({ restAfterMs: REST_AFTER_MS });
  });
  afterAll(async () => {
    await bench.close();
    await site.close();
  });
  beforeEach(async () => {
    hand = new Hand(bench.driver);
    await bench.driver.create(hand.spec);
    await bench.driver.start(hand.spec);
    site.reports.length = 0;
  });
  afterEach(async () => {
    slow?.end();
    slow = undefined;
    await bench.driver.remove(hand.id);
  });

  const open = async (title: string, host = "127.0.0.1") => {
    await bench.driver.openUrl(hand.id, `${site.base.replace("127.0.0.1", host)}/${title.toLowerCase()}`);
    await hand.see(`${title} page`);
  };
  /** Waits for a report made after the call. */
  const reports = (what: string) => {
    const seen = site.reports.length;
    return until(`the page to report ${what}`, () => (site.reports.indexOf(what, seen) >= 0 ? true : undefined));
  };
  const home = async () => {
    await hand.press("Home");
    await hand.see("Web apps");
  };

  it("rests after a while and is as it was when it comes back", async () => {
    await open("Moving");
    const rests = reports("Moving freeze");
    await home();
    await rests;
    await bench.driver.rotate(hand.id);
    await bench.driver.configure({ ...hand.spec, rotated: true, settings: { colorScheme: "dark" } });
    await open("Other", "other.test");
    await reports("Other awake");
    expect(site.reports).not.toContain("Moving resume");
    const awake = reports("Moving awake");
    await hand.choose("Moving");
    hand.watch();
    await until("a moving picture", () => (hand.frames.length > 10 ? true : undefined));
    await awake;
    const pressed = reports("pressed visible 800");
    await hand.tap("Press");
    await pressed;
    const life = site.reports.filter((report) => /^Moving (?!awake)/.test(report));
    expect(life).toEqual(["Moving hidden", "Moving freeze", "Moving resume", "Moving visible"]);
  });

  it("rests behind another page, and not while it is in front", async () => {
    await open("Moving");
    const rests = reports("Moving freeze");
    await open("Other", "other.test");
    await rests;
    await reports("Other awake");
    await hand.choose("Moving");
    await reports("Moving awake");
    expect(site.reports).toContain("Other freeze");
    expect(site.reports.filter((report) => report === "Moving freeze")).toHaveLength(1);
  });

  it("stays awake while a page it opened is in front, and hears it", async () => {
    await open("Opener");
    await hand.tap("Open child");
    await hand.see("Child page");
    await reports("Opener awake");
    await reports("Opener awake");
    const heard = reports("from child hello");
    await hand.tap("Say");
    await heard;
    expect(site.reports).not.toContain("Opener freeze");
  });

  it("gets the messages of its child when both come back", async () => {
    await open("Opener");
    await hand.tap("Open child");
    await hand.see("Child page");
    const will = reports("will say");
    await hand.tap("Say later");
    await will;
    const rest = [reports("Child freeze"), reports("Opener freeze")];
    await home();
    await Promise.all(rest);
    const wake = [reports("Child resume"), reports("Opener resume"), reports("from child late")];
    await hand.choose("Child");
    await Promise.all(wake);
  });

  it("keeps no lock from a page of its origin", async () => {
    await open("Lock");
    await open("Wants");
    await reports("Lock awake");
    await reports("Lock awake");
    const seated = [reports("freed"), reports("seated")];
    await hand.tap("Ask");
    await Promise.all(seated);
    expect(site.reports).not.toContain("Lock freeze");
  });

  it("wakes when a page of its origin comes to the front", async () => {
    await open("Lock");
    const rests = reports("Lock freeze");
    await home();
    await rests;
    const wakes = reports("Lock resume");
    await open("Wants");
    await wakes;
    const seated = reports("seated");
    await hand.tap("Ask");
    await seated;
  });

  it("is awake until it is there", async () => {
    const is = reports("Late is visible");
    await bench.driver.openUrl(hand.id, `${site.base}/late`);
    await home();
    await is;
  });

  it("asks its question when it comes back", async () => {
    await bench.driver.openUrl(hand.id, `${site.base}/asks`);
    await hand.press("Home");
    const rests = reports("Other freeze");
    await open("Other", "other.test");
    await home();
    await rests;
    await hand.choose("Asks");
    await hand.see("Still there?");
    const answer = reports("answer true");
    await hand.tap("OK");
    await answer;
  });

  it("is awake while a download runs", async () => {
    await open("Download");
    await hand.tap("Save it");
    await until("the download", () => slow);
    await home();
    await reports("Download awake");
    await reports("Download awake");
    expect(await bench.driver.files.list(hand.id)).toEqual([]);
    const rests = reports("Download freeze");
    slow?.end();
    await rests;
    expect(await bench.driver.files.list(hand.id)).toHaveLength(1);
  });

  it("becomes a web app from its rest, and rests again", async () => {
    await open("App");
    const rests = reports("App freeze");
    await home();
    await rests;
    const again = reports("App freeze");
    expect(await bench.driver.installWebApp(hand.id, `${site.base}/app`)).toEqual({ name: "Kept app" });
    await again;
    expect(site.reports).toContain("App resume");
  });
});
