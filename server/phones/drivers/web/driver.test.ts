/** The web driver with real browsers: one phone handled as a person would, against a site on loopback. */
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Bench, Hand, openBench, type Site, serveSite, until } from "./web.fixture.ts";

const PAGES = {
  "/": "<title>Start</title><h1>Start page</h1>",
  "/colour": `<title>Colour</title><body style="background:#fff"><button onclick="document.body.style.background='#f00'">Paint</button>`,
  "/fields": `<title>Fields</title><input aria-label="Words" oninput="report('typed '+this.value)"><button onclick="getSelection().selectAllChildren(document.querySelector('p'))">Select words</button><p>copy me</p>`,
  "/cookies": `<title>Cookies</title><script>if(!document.cookie)document.cookie='kept=yes;max-age=9999',document.cookie='session=yes',localStorage.kept='yes';report('cookies '+document.cookie+' '+localStorage.kept)</script>`,
  "/controls": `<title>Controls</title>
    <select aria-label="Fruit" onchange="report('fruit '+this.value)"><option>Apple<option disabled>Nothing<optgroup label=More><option>Pear</optgroup></select>
    <input type="date" aria-label="Day" value="2026-02-28" onchange="report('day '+this.value)">
    <input type="color" aria-label="Shade" onchange="report('shade '+this.value)">
    <input type="file" aria-label="Upload" onchange="this.files[0].text().then((text)=>report('file '+this.files[0].name+' '+text))">`,
  "/slow-list": `<title>Slow list</title><select aria-label="Fruit" onmousemove="const end=Date.now()+150;while(Date.now()<end);"><option>Apple<option>Pear</select>`,
  "/dialogs": `<title>Dialogs</title><button onclick="report('prompt '+prompt('Your <b>name</b>?','x'))">Ask name</button><button onclick="report('confirm '+confirm('Sure?'))">Ask sure</button><button onclick="let n=0;while(n<50){alert('again '+(++n));}report('storm over')">Storm</button>`,
  "/popups": `<title>Opener</title><button onclick="w=window.open('/child');window.addEventListener('message',(e)=>report('from child '+e.data))">Open child</button><a href="/child" target="_blank">Blank child</a><script>const u=open('/child?unasked');const t=setInterval(()=>{if(u.closed){clearInterval(t);report('unasked closed')}},20)</script>`,
  "/child": `<title>Child</title><button onclick="opener.postMessage('hello','*');window.close()">Say and close</button><h1>Child page</h1>`,
  "/links": `<title>Links</title><button onclick="location='file:///etc/hostname'">To file</button><button onclick="window.open('chrome://version')">To chrome</button><button onclick="location='data:text/html,<h1>data page</h1>'">To data</button><a href="view-source:http://127.0.0.1/">To source</a><button onclick="location=URL.createObjectURL(new Blob(['<h1>blob page</h1>'],{type:'text/html'}))">To blob</button><iframe src="data:text/html,inner" onload="report('frame loaded')"></iframe>`,
  "/crash": `<title>Crash</title><h1>Before crash</h1>`,
  "/hang": `<title>Hang</title><button onclick="const end=Date.now()+9000;while(Date.now()<end);report('awake')">Hang</button>`,
  "/download": `<title>Download</title><a href="/report.txt" download>Save it</a>`,
  "/facts": `<title>Facts</title><script>report(JSON.stringify({width:innerWidth,height:innerHeight,dpr:devicePixelRatio,touch:navigator.maxTouchPoints,mobile:navigator.userAgentData?.mobile??/Mobile/.test(navigator.userAgent),language:navigator.language,zone:Intl.DateTimeFormat().resolvedOptions().timeZone,dark:matchMedia('(prefers-color-scheme: dark)').matches,coarse:matchMedia('(pointer: coarse)').matches}));addEventListener('resize',()=>report('resized '+innerWidth+'x'+innerHeight))</script>`,
  "/app": `<title>App page</title><link rel="manifest" href="/app.json"><h1>An app</h1>`,
  "/restless":
    "<title>Restless</title><h1>Restless page</h1><script>report('again');setTimeout(()=>location.reload(),150)</script>",
  "/touches": `<title>Touches</title><body style="height:3000px"><script>for(const type of ['touchstart','touchend','touchcancel'])addEventListener(type,(e)=>report(type+' '+e.touches.length));addEventListener('scroll',()=>report('scrolled'),{once:true})</script>`,
  "/two-fields": `<title>Fields</title><input aria-label="First"><input aria-label="Second"><script>const [a,b]=document.querySelectorAll('input');const busy=()=>{const end=Date.now()+150;while(Date.now()<end);};for(const field of [a,b]){field.addEventListener('touchstart',busy);field.addEventListener('input',()=>report('typed '+a.value+' and '+b.value))}</script>`,
  "/aim": `<title>Aim</title><body style="height:100vh"><script>for(const type of ['touchstart','touchend','click'])addEventListener(type,(event)=>{const at=event.changedTouches?.[0]??event;report(type+' '+Math.round(at.clientX)+','+Math.round(at.clientY))})</script>`,
};
const FILE = "The quick brown fox";
const ICON = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

describe("a web phone", () => {
  let bench: Bench;
  let site: Site;
  let hand: Hand;
  const open = (path: string) => bench.driver.openUrl(hand.id, site.base + path);
  const reported = (what: string | RegExp) =>
    until(`the page to report ${what}`, () =>
      site.reports.find((report) => (typeof what === "string" ? report === what : what.test(report))),
    );

  beforeAll(async () => {
    site = await serveSite({
      ...PAGES,
      "/report.txt": (_, answer) => {
        answer.setHeader("content-disposition", 'attachment; filename="../../evil/..re:port.txt"');
        answer.end(FILE);
      },
      "/app.json": (_, answer) => {
        answer.setHeader("content-type", "application/manifest+json");
        answer.end(
          JSON.stringify({
            name: "My <i>app</i>",
            start_url: "/?app",
            icons: [{ src: "/icon.png", sizes: "144x144" }],
          }),
        );
      },
      "/icon.png": (_, answer) => {
        answer.setHeader("content-type", "image/png");
        answer.end(ICON);
      },
      "/to-file": (_, answer) => void answer.writeHead(302, { location: "file:///etc/hostname" }).end(),
    });
    bench = await openBench();
    hand = new Hand(bench.driver, { locale: "de-CH", timeZone: "Asia/Tokyo", colorScheme: "dark" });
    await bench.driver.create(hand.spec);
    await bench.driver.start(hand.spec);
    hand.watch();
  });
  afterAll(async () => {
    await bench.close();
    await site.close();
  });
  beforeEach(() => {
    site.reports.length = 0;
    bench.events.length = 0;
  });

  it("starts on its home screen with a picture of the right size", async () => {
    await until("a frame", () => hand.frames[0]);
    expect(await bench.driver.state(hand.id)).toBe("running");
    await hand.see("Web phone");
    expect(bench.driver.screen(hand.id).size()).toEqual({ width: 360, height: 800 });
    const shot = await bench.driver.screenshot(hand.id);
    expect([shot.width, shot.height]).toEqual([720, 1600]);
  });

  it("opens an address typed on the home screen, and says what is wrong with a bad one", async () => {
    await hand.press("Home");
    await hand.tap("Address");
    expect(await until("the keyboard", () => bench.events.find((event) => event.type === "keyboard"))).toMatchObject({
      open: true,
    });
    await hand.type("file:///etc/passwd");
    await hand.press("Enter");
    await hand.see(/A phone cannot open this address/);
    await hand.tap("Address");
    await hand.press("SelectAll");
    await hand.type(`${site.base}/`);
    await hand.press("Enter");
    await hand.see("Start page");
  });

  it("looks like the phone it is set to be", async () => {
    await open("/facts");
    const facts: unknown = JSON.parse(await reported(/^\{/));
    expect(facts).toEqual({
      width: 360,
      height: 800,
      dpr: 2,
      touch: 5,
      mobile: true,
      language: "de-CH",
      zone: "Asia/Tokyo",
      dark: true,
      coarse: true,
    });
    expect(await bench.driver.rotate(hand.id)).toEqual({ rotated: true, width: 800, height: 360 });
    await reported("resized 800x360");
    expect(bench.events).toContainEqual({ type: "resized", phoneId: hand.id, width: 800, height: 360 });
    const turned = await bench.driver.screenshot(hand.id);
    expect([turned.width, turned.height]).toEqual([1600, 720]);
    await bench.driver.rotate(hand.id);
    await reported("resized 360x800");
  });

  it("turns a tap into other pixels, and a resting picture into one crisp still", async () => {
    await open("/colour");
    await hand.see("Paint");
    expect(await hand.pixel(0.5, 0.5)).toEqual([255, 255, 255]);
    const frame = hand.nextFrame();
    await hand.tap("Paint");
    const { bytes, capturedAtMs } = await frame;
    expect([bytes[0], bytes[1]]).toEqual([0xff, 0xd8]);
    expect(Math.abs(capturedAtMs - Date.now())).toBeLessThan(5_000);
    expect(await hand.pixel(0.5, 0.5)).toEqual([255, 0, 0]);
    await bench.driver.screen(hand.id).still();
    const crisp = hand.frames.filter((one) => one.crisp);
    expect(crisp).toHaveLength(1);
  });

  it("takes Chinese, emoji and compositions, and copies to the outside", async () => {
    await open("/fields");
    await hand.tap("Words");
    await bench.driver.input(hand.id, { type: "compose", value: "ni" });
    await reported("typed ni");
    await hand.type("你好🙂");
    await reported("typed 你好🙂");
    await hand.press("Backspace");
    await reported("typed 你好");
    await hand.tap("Select words");
    await hand.press("Copy");
    await until("the clipboard", () => bench.events.find((event) => event.type === "clipboard"));
    expect(await bench.driver.clipboard.read(hand.id)).toBe("copy me");
  });

  it("handles several fingers and the wheel", async () => {
    await open("/touches");
    await until("the page", async () => ((await bench.driver.tree(hand.id)).name === "Touches" ? true : undefined));
    const touch = (phase: "start" | "end", id: number) =>
      bench.driver.input(hand.id, { type: "touch", phase, id, x: 0.3 + id / 10, y: 0.5 });
    await touch("start", 0);
    await touch("start", 1);
    await touch("end", 0);
    await touch("end", 1);
    await until("four reports", () => (site.reports.length >= 4 ? true : undefined));
    expect(site.reports.slice(0, 4)).toEqual(["touchstart 1", "touchstart 2", "touchend 1", "touchend 0"]);
    await bench.driver.input(hand.id, { type: "wheel", x: 0.5, y: 0.5, dx: 0, dy: 0.5 });
    await reported("scrolled");
  });

  it("lands a touch where it was aimed, also while pictures of the screen are taken", async () => {
    await open("/aim");
    await until("the page on the screen", async () => (await hand.pixel(0.5, 0.5))[0] === 255 || undefined);
    const rounds = 24;
    for (let round = 0; round < rounds; round += 1) {
      const picture = round % 2 === 0 ? bench.driver.screenshot(hand.id) : bench.driver.screen(hand.id).still();
      // Any moment of the picture's taking may be the one.
      await delay(round);
      await hand.touch(0.5, 0.5);
      await picture;
    }
    await until("every touch", () => site.reports.length >= 3 * rounds || undefined);
    expect(new Set(site.reports)).toEqual(new Set(["touchstart 180,400", "touchend 180,400", "click 180,400"]));
  });

  it("stays turned as it was turned last, also while pictures of the screen are taken", async () => {
    await open("/facts");
    await reported(/^\{/);
    for (let round = 0; round < 12; round += 1) {
      const picture = round % 2 === 0 ? bench.driver.screenshot(hand.id) : bench.driver.screen(hand.id).still();
      await delay(2 * round);
      const { width, height } = await bench.driver.rotate(hand.id);
      await picture;
      await reported(`resized ${width}x${height}`);
      const shot = await bench.driver.screenshot(hand.id);
      expect([shot.width, shot.height]).toEqual([2 * width, 2 * height]);
      site.reports.length = 0;
    }
  });

  it("types where the tap before it put the caret, however busy the page is", async () => {
    await open("/two-fields");
    await hand.see("Second");
    for (let round = 1; round <= 5; round += 1) {
      const [first, second] = [await hand.see("First"), await hand.see("Second")];
      for (const { bounds } of [first, second]) {
        // Not waited for: what a person does next is on its way before the page has handled the tap.
        void hand.touch(bounds.x + bounds.width / 2, bounds.y + bounds.height / 2);
        void hand.type("x");
      }
      await reported(`typed ${"x".repeat(round)} and ${"x".repeat(round)}`);
    }
  });

  it("shows a page at rest at every level", async () => {
    await open("/colour");
    await hand.see("Paint");
    for (const level of [0, 1, 2, 3, 4] as const) {
      await hand.nextFrameAfter(() => bench.driver.screen(hand.id).setLevel(level));
    }
  });

  it("shows lists, dates and colours on its own screen", async () => {
    await open("/controls");
    await hand.tap("Fruit");
    await hand.tap("Pear");
    await reported("fruit Pear");
    await hand.tap("Day");
    await hand.tap("Day up");
    await hand.tap("Set");
    // 28 February and a day is the 29th, which 2026 does not have.
    await hand.see("Fruit");
    await hand.tap("Day");
    await hand.tap("Month up");
    await hand.tap("Set");
    await reported("day 2026-03-28");
    await hand.tap("Shade");
    await hand.tap("Colour as #rrggbb");
    await hand.press("SelectAll");
    await hand.type("#12aBef");
    await hand.tap("Set");
    await reported("shade #12abef");
    await hand.tap("Fruit");
    await hand.see("Apple");
    await hand.press("Back");
    await hand.seesNo("Apple✓");
    await hand.see("Fruit");
  });

  it("takes Back for what the tap before it opens, however long the page takes", async () => {
    await open("/slow-list");
    const { bounds } = await hand.see("Fruit");
    for (let round = 0; round < 3; round += 1) {
      await hand.touch(bounds.x + bounds.width / 2, bounds.y + bounds.height / 2);
      await hand.press("Back");
      await hand.seesNo("Apple✓");
    }
    await hand.see("Fruit");
  });

  it("asks a page's questions over the page", async () => {
    await open("/dialogs");
    await hand.tap("Ask name");
    await hand.see("Your <b>name</b>?");
    await hand.press("SelectAll");
    await hand.type("Zoë");
    await hand.tap("OK");
    await reported("prompt Zoë");
    await hand.tap("Ask sure");
    await hand.see("Sure?");
    await hand.press("Back");
    await reported("confirm false");
  });

  it("lets the person stop a storm of dialogs", async () => {
    await open("/dialogs");
    await hand.tap("Storm");
    for (const count of [1, 2, 3]) {
      await hand.see(`again ${count}`);
      await hand.seesNo("Stop this page from asking");
      await hand.tap("OK");
    }
    await hand.see("again 4");
    await hand.tap("Stop this page from asking");
    await hand.tap("OK");
    await reported("storm over");
  });

  it("opens windows the person asked for as pages of their own, and no others", async () => {
    await open("/popups");
    await reported("unasked closed");
    await hand.tap("Open child");
    await hand.see("Child page");
    await hand.press("AppSwitch");
    await hand.see("Opener");
    await hand.press("AppSwitch");
    await hand.tap("Say and close");
    await reported("from child hello");
    await hand.tap("Blank child");
    await hand.see("Child page");
    await hand.press("Back");
    await hand.see("Open child");
  });

  it("lists open pages and closes them", async () => {
    await open("/app");
    await hand.see("An app");
    await hand.press("AppSwitch");
    await hand.tap("Close App page");
    await hand.seesNo("App page");
    await hand.press("Home");
    await hand.see("Web phone");
  });

  it.each([
    "file:///etc/hostname",
    "chrome://version",
    "view-source:https://example.com",
    "devtools://x",
    "data:text/html,x",
  ])("ABUSE-30 does not open %s", async (url) => {
    await expect(bench.driver.openUrl(hand.id, url)).rejects.toMatchObject({ code: "address_not_allowed" });
  });

  it("ABUSE-30 keeps pages from going to files, the browser's own pages and documents from nowhere", async () => {
    await open("/links");
    await reported("frame loaded");
    for (const name of ["To file", "To chrome", "To data", "To source"]) {
      await hand.tap(name);
      await hand.see("To data");
    }
    await hand.tap("To blob");
    await until("not the blob", async () => {
      const tree = JSON.stringify(await bench.driver.tree(hand.id));
      return tree.includes("To file") || tree.includes("This address is not opened") ? true : undefined;
    });
    await open("/to-file");
    await hand.see("This page cannot be reached");
  });

  it("goes back in a page's history before leaving it", async () => {
    await open("/popups");
    await hand.see("Open child");
    const tabs = async () => JSON.stringify(await bench.driver.tree(hand.id));
    await hand.press("Home");
    await hand.tap("Address");
    await hand.type(`${site.base}/`);
    await hand.press("Enter");
    await hand.see("Start page");
    await hand.press("Back");
    await until("home", async () => ((await tabs()).includes("Web apps") ? true : undefined));
  });

  it("reads a page that keeps replacing itself", async () => {
    await open("/restless");
    await hand.see("Restless page");
    while (site.reports.length < 20) expect((await bench.driver.tree(hand.id)).role).toBe("screen");
  });

  it("says in words that a page cannot be reached, and tries again", async () => {
    await bench.driver.openUrl(hand.id, "http://127.0.0.1:9/");
    await hand.see("This page cannot be reached");
    await hand.tap("Try again");
    await hand.see("This page cannot be reached");
    await hand.tap("Close page");
    await hand.see("Web phone");
  });

  it("says that a page does not respond, and waits when told to", async () => {
    await open("/hang");
    const tapped = hand.tap("Hang");
    await hand.see("This page does not respond");
    await tapped;
    await hand.tap("Wait");
    await reported("awake");
    await hand.see("Hang");
  }, 40_000);

  it("saves downloads under safe names and gives them to pages that ask for files", async () => {
    await open("/download");
    await hand.tap("Save it");
    const files = await until("a file", async () => {
      const list = await bench.driver.files.list(hand.id);
      return list.length > 0 ? list : undefined;
    });
    expect(files).toHaveLength(1);
    const name = files[0]?.name ?? "";
    expect(name).not.toMatch(/[/\\:]|^\./);
    expect(await new Response(await bench.driver.files.read(hand.id, name)).text()).toBe(FILE);
    await expect(bench.driver.files.read(hand.id, "../phone.json")).rejects.toMatchObject({ code: "not_found" });
    await open("/controls");
    await hand.tap("Upload");
    await hand.tap(name);
    await reported(`file ${name} ${FILE}`);
    await bench.driver.files.remove(hand.id, name);
    expect(await bench.driver.files.list(hand.id)).toEqual([]);
  });

  it("installs a web app from the page's manifest", async () => {
    expect(await bench.driver.installWebApp(hand.id, `${site.base}/app`)).toEqual({ name: "My <i>app</i>" });
    await expect(bench.driver.installWebApp(hand.id, `${site.base}/colour`)).rejects.toMatchObject({
      code: "bad_input",
    });
    await hand.press("Home");
    await hand.tap("My <i>app</i>");
    await hand.see("Start page");
  });

  it("keeps cookies and storage over parking, and opens what was open", async () => {
    await open("/cookies");
    await reported(/^cookies .*kept=yes/);
    site.reports.length = 0;
    await bench.driver.park(hand.id);
    expect(await bench.driver.state(hand.id)).toBe("parked");
    await bench.driver.park(hand.id);
    await expect(bench.driver.openUrl(hand.id, site.base)).rejects.toMatchObject({ code: "phone_not_running" });
    await bench.driver.start(hand.spec);
    hand.watch();
    expect(await reported(/^cookies /)).toBe("cookies kept=yes; session=yes yes");
  });

  it("is wiped when removed", async () => {
    const receipt = await bench.driver.remove(hand.id);
    expect(receipt).toMatchObject({ phoneId: hand.id, verifiedAbsent: true });
    expect(receipt.files).toBeGreaterThan(10);
    expect(receipt.bytes).toBeGreaterThan(10_000);
    expect(await bench.driver.state(hand.id)).toBe("absent");
    expect(await bench.driver.remove(hand.id)).toMatchObject({ files: 0, bytes: 0, verifiedAbsent: true });
    expect(bench.events.filter((event) => event.type === "ended")).toEqual([]);
  });
});
