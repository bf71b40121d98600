/** Flows on a real web phone: the whole server, a real browser, pages that make it hard. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import type { RunDetail } from "../../shared/automations.ts";
import { phoneId as phoneIdSchema } from "../../shared/ids.ts";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { silentLog } from "../log.ts";
import { type Bench, openBench, type Site, serveSite } from "../phones/drivers/web/web.fixture.ts";
import { type RunningServer, startServer } from "../server.ts";
import { call, signIn } from "../testing.ts";

const PAGES = {
  "/shop": `<title>Shop</title><h1>Shop</h1>
    <input id="name" placeholder="Your name"><input id="secret" type="password" aria-label="Password">
    <select id="size" aria-label="Size" onchange="report('size '+this.value)"><option>Small<option>Large</select>
    <button onclick="setTimeout(()=>{done.textContent='Hello '+document.querySelector('#name').value},300)">Greet</button>
    <p id="done"></p><a href="/next" style="display:block;height:60px">Next page</a>
    <div style="height:2500px"></div><button onclick="report('bottom')">At the bottom</button><div style="height:1200px"></div>`,
  "/next": `<title>Next</title><h1>Next page</h1><x-card></x-card><iframe style="border:0;width:100%;height:120px" srcdoc="<button style='height:60px;width:90%' onclick='fetch(&quot;/report&quot;,{method:&quot;POST&quot;,body:&quot;framed&quot;})'>In the frame</button>"></iframe>
    <script>customElements.define('x-card',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<button style="height:60px" onclick="report(\\'shadow\\')">In the shadow</button>'}})</script>`,
  "/busy": `<title>Busy</title><style>@keyframes slide{from{transform:translateX(0)}to{transform:translateX(150px)}}#strip{animation:slide .6s linear infinite alternate;width:100px}</style><div id="strip">Carousel</div>
    <button id="go" onclick="report('went')">Go</button><div id="veil" role="dialog" aria-label="Cookies" style="position:fixed;inset:0;background:#0008"><button id="close" style="margin-top:200px" onclick="veil.remove()">Accept</button></div>
    <script>setTimeout(()=>veil.remove(),1500)</script>`,
  "/upload": `<title>Upload</title><label style="display:block;padding:20px">Photo <input type="file" aria-label="Photo" onchange="(async()=>{const f=this.files[0];report(f.name+' '+f.type+' '+await f.text())})()"></label>
    <div id="box" aria-label="Box" style="width:120px;height:80px;background:teal"></div><p id="clock"></p><script>setInterval(()=>{clock.textContent=Date.now()},50)</script>`,
} as const;

describe("a flow on a web phone", () => {
  let site: Site;
  let bench: Bench;
  let server: RunningServer;
  let folder: string;
  let token: string;
  let phoneId: string;
  let keys = 0;
  const ask = async (type: "query" | "mutation", path: string, input: unknown) => {
    const answer = await call(server, type, path, input, token);
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.data;
  };
  const run = async (commands: string, page: keyof typeof PAGES = "/shop", header = ""): Promise<RunDetail> => {
    keys += 1;
    const source = `url: ${site.base}${page}\n${header}---\n- launchApp\n${commands}\n`;
    const { runId } = (await ask("mutation", "runs.start", {
      source,
      phoneId,
      idempotencyKey: `web-run-${keys}`,
    })) as { runId: string };
    await server.automations.runner.idle();
    return (await ask("query", "runs.get", { runId })) as RunDetail;
  };
  /** Pages report on a way of their own, which may take a moment. */
  const reported = (...what: string[]) => vi.waitFor(() => expect(site.reports).toEqual(expect.arrayContaining(what)));
  const thumbnails = ({ artifacts }: RunDetail) => artifacts.filter(({ kind }) => kind === "thumbnail");
  const failureOf = ({ state, error }: RunDetail) => (error === undefined ? state : `${state}: ${error.message}`);

  beforeAll(async () => {
    site = await serveSite(PAGES);
    folder = mkdtempSync(join(tmpdir(), "perch-web-run-"));
    bench = await openBench();
    server = await startServer({
      config: parseConfig({ PORT: "0", DATA_DIR: join(folder, "data"), WARM_PHONES: "0", BILLING: "off" }),
      clock: systemClock,
      log: silentLog,
      driver: bench.driver,
    });
    const person = await signIn({ ...server, clock: systemClock });
    token = person.token;
    const phone = await ask("mutation", "phones.launch", { idempotencyKey: "web-phone" });
    phoneId = phoneIdSchema.parse((phone as { id: string }).id);
    await ask("mutation", "phones.park", { phoneId });
  });
  afterAll(async () => {
    await server.close();
    await bench.close();
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("opens, taps, types CJK and emoji, asserts, takes a picture, and reports", async () => {
    const done = await run(`- tapOn: Your name
- inputText: 日本語 📱 \${'wor' + 'ld'}
- tapOn: Greet
- assertVisible: Hello 日本語 📱 world
- copyTextFrom: {id: done}
- assertTrue: \${maestro.copiedText.startsWith('Hello')}
- tapOn: {id: secret}
- inputText: hunter2
- eraseText: 3
- hideKeyboard
- takeScreenshot: greeted`);
    expect(failureOf(done)).toBe("passed");
    expect(done.artifacts).toContainEqual(expect.objectContaining({ name: "greeted.png", mimeType: "image/png" }));
    // From the first look at a page with a password field on, no step has a picture of its own.
    expect(thumbnails(done).filter(({ step = 0 }) => step > 1)).toEqual([]);
    const read = (path: string) =>
      fetch(`${server.url}/runs/${done.id}/${path}`, { headers: { authorization: `Bearer ${token}` } });
    const picture = Buffer.from(await (await read("artifacts/greeted.png")).arrayBuffer());
    expect(picture.subarray(1, 4).toString()).toBe("PNG");
    expect(await (await read("junit.xml")).text()).toContain('failures="0"');
    expect(await (await read("report.html")).text()).toContain("data:image/png;base64,");
    expect(await (await read("run.json")).json()).toMatchObject({ state: "passed" });
  });

  it("scrolls, follows a link into shadow roots and frames, goes back, and swipes", async () => {
    const done = await run(`- scrollUntilVisible:
    element: At the bottom
- tapOn: At the bottom
- swipe: {direction: DOWN, duration: 200}
- scrollUntilVisible:
    element: Next page
    direction: UP
- tapOn: Next page
- tapOn: In the shadow
- tapOn: In the frame
- back
- assertNotVisible: In the shadow`);
    expect(failureOf(done)).toBe("passed");
    await reported("bottom", "shadow", "framed");
    const small = thumbnails(done).filter(({ step = 0 }) => step >= 6);
    expect(small.map(({ step }) => step)).toContain(7);
    for (const { bytes } of small) expect(bytes).toBeLessThan(20_000);
  });

  it("is not held up by a carousel, and waits while a layer lies over its target", async () => {
    const started = performance.now();
    const done = await run("- tapOn: Go\n- assertNotVisible: Nowhere", "/busy");
    expect(failureOf(done)).toBe("passed");
    await reported("went");
    expect(performance.now() - started).toBeLessThan(20_000);
  });

  it("is checked before, by GET and, long as it may be, by POST", async () => {
    const source = `url: ${site.base}/shop\n---\n- tapOm: X # ${"x".repeat(100_000)}\n`;
    const short = await ask("query", "flows.validate", { source: source.slice(0, 200) });
    expect(short).toMatchObject({ ok: false, diagnostics: [{ line: 3, severity: "error" }] });
    expect(await ask("mutation", "flows.validate", { source })).toEqual(short);
  });

  it("takes files of its workspace: a script, a subflow, media for a page's file chooser, a picture to compare with", async () => {
    const file = (path: string, text: string) => ({ path, base64: Buffer.from(text).toString("base64") });
    const start = async (key: string, more: readonly { path: string; base64: string }[] = []) => {
      const source = `url: ${site.base}/upload\n---\n- launchApp\n- runFlow: steps/give.yaml\n- assertScreenshot: {path: box, cropOn: {id: box}, thresholdPercentage: 99}\n`;
      const give = `url: ${site.base}/upload\n---\n- runScript: ../lib/name.js\n- addMedia: ["../\${output.name}"]\n- tapOn: Photo\n- tapOn: cat.txt\n- extendedWaitUntil: {visible: Box, timeout: 5000}\n`;
      const files = [
        file("steps/give.yaml", give),
        file("lib/name.js", "output.name = 'media/cat.txt'"),
        file("media/cat.txt", "miau"),
        ...more,
      ];
      const { runId } = (await ask("mutation", "runs.start", { source, files, phoneId, idempotencyKey: key })) as {
        runId: string;
      };
      await server.automations.runner.idle();
      return (await ask("query", "runs.get", { runId })) as RunDetail;
    };
    const first = await start("web-files-1");
    expect(failureOf(first)).toMatch(/failed: There is no picture box\.png/);
    await reported("cat.txt text/plain miau");
    const address = `${server.url}/runs/${first.id}/artifacts/box.png`;
    const picture = await fetch(address, { headers: { authorization: `Bearer ${token}` } });
    const box = { path: "box.png", base64: Buffer.from(await picture.arrayBuffer()).toString("base64") };
    expect(failureOf(await start("web-files-2", [box]))).toBe("passed");
  });

  it("says what was there instead when it fails", async () => {
    const done = await run(
      "- tapOn: {text: Nothing like it, optional: true}\n- assertVisible:\n    text: Absent",
      "/next",
      "limits:\n  lookup: 1500\n  optional: 500\n",
    );
    expect(done).toMatchObject({ state: "failed", error: { code: "element_not_found", line: 8 } });
    expect(done.artifacts.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining(["failure_screenshot", "failure_tree", "failure"]),
    );
  });

  it("is shared out over phones, one at a time on each, whichever is free first", async () => {
    for (const key of ["second-phone", "third-phone"]) {
      const { id } = (await ask("mutation", "phones.launch", { idempotencyKey: key })) as { id: string };
      await ask("mutation", "phones.tag", { phoneId: id, tags: ["shop"] });
    }
    await ask("mutation", "phones.tag", { phoneId, tags: ["shop"] });
    const source = `url: ${site.base}/shop
---
- launchApp
- tapOn: Your name
- inputText: \${MAESTRO_SHARD_INDEX} \${MAESTRO_FILENAME}
- tapOn: Greet
- assertVisible: Hello \${MAESTRO_SHARD_INDEX} \${MAESTRO_FILENAME}
`;
    const flowIds: string[] = [];
    for (let n = 0; n < 6; n += 1) {
      flowIds.push(((await ask("mutation", "flows.save", { name: `flow-${n}.yaml`, source })) as { id: string }).id);
    }
    const { runIds } = (await ask("mutation", "runs.startAll", {
      flowIds,
      phones: { tag: "shop" },
      share: "any",
      idempotencyKey: "shared-on-web",
    })) as { runIds: string[] };
    await server.automations.runner.idle();
    const runs = await Promise.all(runIds.map((runId) => ask("query", "runs.get", { runId }) as Promise<RunDetail>));
    expect(runs.map(failureOf)).toEqual(Array(6).fill("passed"));
    expect(new Set(runs.map((done) => done.phoneId)).size).toBe(3);
    for (const one of runs) {
      for (const other of runs.filter((run_) => run_.phoneId === one.phoneId && run_.id !== one.id)) {
        const [a, b] = [one, other].sort((left, right) => ((left.startedAt ?? "") < (right.startedAt ?? "") ? -1 : 1));
        expect(Date.parse(a?.finishedAt ?? "")).toBeLessThanOrEqual(Date.parse(b?.startedAt ?? ""));
      }
    }
  });
});
