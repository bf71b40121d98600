/** What a page tells rules, read in a real Chromium's isolated world: ordinary pages right, hostile ones capped and quick. */
import { createServer, type Server } from "node:http";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { extractPage } from "../../shared/rules/extract-page.ts";
import type { PageFacts, PageNeeds } from "../../shared/rules/page-facts.ts";

const executable = inject("chromium");
const BUDGET_MS = 20;
/** What an ordinary page is read under here, so that what is found does not depend on what else this machine does. */
const ROOMY_MS = 5_000;
const EVERYTHING: PageNeeds = {
  dom: [
    { css: "h1", visible: true },
    { css: ".item", visible: false },
  ],
  css: [{ css: ".price" }, { css: "a.buy", attr: "href" }],
  meta: ["og:title", "al:android:package"],
  text: true,
  selection: true,
  links: true,
  jsonLd: true,
  media: true,
};

describe.skipIf(executable === undefined)("reading a page", () => {
  let browser: Browser;
  let site: Server;
  let address = "";
  let html = "";
  let page: Page;

  beforeAll(async () => {
    site = createServer((_, response) => {
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      response.end(html);
    });
    await new Promise<void>((resolve) => site.listen(0, "127.0.0.1", resolve));
    const bound = site.address();
    address = `http://127.0.0.1:${typeof bound === "object" && bound !== null ? bound.port : 0}/product/42`;
    browser = await chromium.launch({
      executablePath: executable ?? "",
      args: [
        "--disable-gpu",
        "--autoplay-policy=no-user-gesture-required",
        ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    site?.close();
  });
  afterEach(async () => page?.close());

  const open = async (text: string, before?: () => void): Promise<void> => {
    html = text;
    page = await browser.newPage();
    if (before !== undefined) await page.addInitScript(before);
    await page.goto(address);
  };
  /** As a content script runs: the page's own scripts cannot reach in, its document can. */
  const read = async (needs: Partial<PageNeeds> = EVERYTHING, budgetMs = ROOMY_MS): Promise<PageFacts> => {
    const session = await page.context().newCDPSession(page);
    const { frameTree } = await session.send("Page.getFrameTree");
    const { executionContextId } = await session.send("Page.createIsolatedWorld", {
      frameId: frameTree.frame.id,
      worldName: "rules",
    });
    const given = { ...EMPTY, ...needs };
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      contextId: executionContextId,
      returnByValue: true,
      expression: `(${extractPage.toString()})(${JSON.stringify(given)}, ${budgetMs})`,
    });
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return result.value;
  };
  const EMPTY: PageNeeds = {
    dom: [],
    css: [],
    meta: [],
    text: false,
    selection: false,
    links: false,
    jsonLd: false,
    media: false,
  };

  it("finds what rules need on an ordinary page", async () => {
    await open(`<!doctype html><html><head><base href="/shop/">
      <link rel="Canonical" href="https://shop.example/p/42"><link rel="alternate" href="android-app://com.shop/https/x">
      <meta property="og:title" content="Blue chair"><meta name="AL:android:package" content="com.shop.app">
      <script type="application/ld+json">{"@type":"Product"}</script></head>
      <body><h1>Blue</h1><h1 hidden>no</h1><p class="item">One</p><p class="item">Two</p>
      <script>var not = "text"</script><span class="price"> 12.50
      EUR <b>each</b></span><a class="buy" href="cart?id=42">Buy</a><a href="market://details?id=com.shop">App</a></body></html>`);
    await page.evaluate(() => {
      const range = document.createRange();
      range.setStart(document.querySelectorAll(".item")[0]?.firstChild ?? document.body, 1);
      range.setEnd(document.querySelectorAll(".item")[1]?.firstChild ?? document.body, 2);
      getSelection()?.addRange(range);
    });
    const { tookMs, ...facts } = await read();
    expect(tookMs).toBeLessThan(BUDGET_MS);
    expect(facts).toEqual({
      dom: [
        { css: "h1", visible: true, count: 1 },
        { css: ".item", visible: false, count: 2 },
      ],
      css: [
        { css: ".price", value: "12.50 EUR each" },
        { css: "a.buy", attr: "href", value: address.replace("/product/42", "/shop/cart?id=42") },
      ],
      meta: [
        { name: "og:title", content: "Blue chair" },
        { name: "al:android:package", content: "com.shop.app" },
      ],
      text: "Blue no One Two 12.50 EUR each Buy App",
      selection: "neTw",
      canonical: "https://shop.example/p/42",
      apps: ["android-app://com.shop/https/x", "market://details?id=com.shop"],
      jsonLd: ['{"@type":"Product"}'],
      playing: false,
      cut: false,
    });
  });
  it("answers nothing that was not asked", async () => {
    await open("<title>x</title><h1>Blue</h1><meta name=a content=b><link rel=canonical href=/x>");
    expect(await read({})).toMatchObject({
      dom: [],
      css: [],
      meta: [],
      text: "",
      selection: "",
      canonical: null,
      apps: [],
      jsonLd: [],
      playing: false,
    });
  });
  it("says which selector cannot be read, and tells no password", async () => {
    await open('<input id="p" type="password" value="secret"><input id="q" value="open">');
    const facts = await read({
      dom: [{ css: "::::", visible: false }],
      css: [{ css: "#p", attr: "value" }, { css: "#q", attr: "value" }, { css: "((" }],
    });
    expect(facts.dom[0]?.count).toBe(-1);
    expect(facts.css.map(({ value }) => value)).toEqual([null, "open", null]);
  });
  it("hears media that plays", async () => {
    await open("<audio loop></audio>");
    expect((await read({ media: true })).playing).toBe(false);
    await page.evaluate(async () => {
      const samples = new Uint8Array(44 + 16_000).fill(128);
      const view = new DataView(samples.buffer);
      const words: [number, string][] = [
        [0, "RIFF"],
        [8, "WAVEfmt "],
        [36, "data"],
      ];
      for (const [at, word] of words)
        [...word].forEach((letter, index) => {
          samples[at + index] = letter.charCodeAt(0);
        });
      const numbers: [number, number][] = [
        [4, 16_036],
        [16, 16],
        [24, 8_000],
        [28, 8_000],
        [40, 16_000],
      ];
      for (const [at, value] of numbers) view.setUint32(at, value, true);
      const shorts: [number, number][] = [
        [20, 1],
        [22, 1],
        [32, 1],
        [34, 8],
      ];
      for (const [at, value] of shorts) view.setUint16(at, value, true);
      const audio = document.querySelector("audio");
      if (audio === null) return;
      audio.src = URL.createObjectURL(new Blob([samples], { type: "audio/wav" }));
      await audio.play();
    });
    expect((await read({ media: true })).playing).toBe(true);
  });

  describe("that is hostile", () => {
    const price = '<h1>Blue</h1><span class="price">12</span>';
    /** The quickest of three reads, because other programs take their share; one look-up cannot be stopped midway. */
    const readQuickly = async (): Promise<PageFacts> => {
      const quick = () => read(EVERYTHING, BUDGET_MS);
      const reads = [await quick(), await quick(), await quick()];
      expect(Math.min(...reads.map(({ tookMs }) => tookMs))).toBeLessThan(BUDGET_MS + 5);
      return reads[0] ?? quick();
    };
    it.each<[string, string, Partial<PageFacts>]>([
      [
        "1 MB in one meta",
        `${price}<meta property="og:title" content="${"x".repeat(1_000_000)}">`,
        { meta: [{ name: "og:title", content: "x".repeat(2_048) }], cut: false },
      ],
      ["20,000 metas", `${"<meta name=a content=b>".repeat(20_000)}${price}`, { meta: [], cut: true }],
      [
        "10,000 JSON-LD blocks",
        `${price}${'<script type="application/ld+json">{"@type":"Product"}</script>'.repeat(10_000)}`,
        { jsonLd: Array<string>(20).fill('{"@type":"Product"}'), cut: true },
      ],
      [
        "10,000 nodes in one JSON-LD block",
        `${price}<script type="application/ld+json">[${'{"@type":"Product"},'.repeat(10_000)}0]</script>`,
        { jsonLd: [], cut: true },
      ],
      ["1 MB of text", `${price}<p>${"a b ".repeat(250_000)}</p>`, { cut: false }],
      ["15,000 texts that are blank", `${"<p> </p>".repeat(15_000)}${price}`, { cut: true }],
      ["200,000 elements", `${price}${"<i class=item></i>".repeat(200_000)}`, { cut: true, text: "" }],
    ])("by %s is capped and quick", async (_, text, expected) => {
      await open(`<!doctype html><body>${text}</body>`);
      const facts = await readQuickly();
      expect(facts).toMatchObject(expected);
      expect(JSON.stringify(facts).length).toBeLessThan(100_000);
      expect(facts.text.length).toBeLessThanOrEqual(10_240);
    });
    it("by 400 nested elements and 20,000 texts, all of it selected, is capped and quick", async () => {
      await open("<!doctype html><body><h1>Blue</h1></body>");
      await page.evaluate(() => {
        let inner: Element = document.body;
        for (let depth = 0; depth < 400; depth++) {
          inner.append("deep ");
          inner = inner.appendChild(document.createElement("div"));
        }
        for (let count = 0; count < 20_000; count++) inner.append("wide ", document.createElement("br"));
        getSelection()?.selectAllChildren(document.body);
      });
      const facts = await readQuickly();
      expect(facts.selection.length).toBeGreaterThan(1_000);
      expect(facts.selection.length).toBeLessThanOrEqual(2_048);
    });
    it("by names that hide the document's and forms' own is read all the same", async () => {
      const names = [
        "querySelector",
        "querySelectorAll",
        "getSelection",
        "body",
        "baseURI",
        "createTreeWalker",
        "getElementsByTagName",
      ];
      await open(`<!doctype html><body>${names.map((name) => `<img name="${name}">`).join("")}
        <form class="price">12<input name="getAttribute"><input name="firstChild"><input name="textContent"><input name="localName"></form>
        <form class="buy"></form><a class="buy" href="x">Buy</a><h1>Blue</h1></body>`);
      const facts = await read();
      expect(await page.evaluate(() => typeof document.querySelectorAll)).toBe("object");
      expect(facts.text).toBe("12 Buy Blue");
      expect(facts.css.map(({ value }) => value)).toEqual(["12", address.replace(/42$/, "x")]);
      expect(facts.dom[0]?.count).toBe(1);
    });
    it("by its own getters and prototypes changes nothing", async () => {
      await open(`<!doctype html><body>${price}</body>`, () => {
        const evil = () => {
          throw new Error("reached");
        };
        Object.defineProperty(Object.prototype, "css", { get: evil });
        Object.defineProperty(Object.prototype, "value", { get: evil, configurable: true });
        Document.prototype.querySelectorAll = evil;
        Document.prototype.querySelector = evil;
        Element.prototype.getAttribute = evil;
        Array.prototype.map = evil;
        performance.now = () => 0;
      });
      const facts = await read();
      expect(facts.css[0]?.value).toBe("12");
      expect(facts.text).toBe("Blue 12");
    });
  });
});
