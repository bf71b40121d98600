/**
 * A canary: one secret goes everywhere a flow can put it, on a real web phone, and afterwards it is looked for in all that
 * is kept and told of the run. To see it fail, let `redactorOf` give `NO_SECRETS`.
 */

import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { decode } from "fast-png";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FlowDetail, RunDetail, RunLinks } from "../../../shared/automations.ts";
import type { SecretSummary } from "../../../shared/secrets.ts";
import { systemClock } from "../../clock.ts";
import { type Config, parseConfig } from "../../config.ts";
import { openMasterKey } from "../../db/master-key.repo.ts";
import { folderBlobs } from "../../files/testing/folder-blobs.ts";
import { deriveKey, readFileKey } from "../../keys.ts";
import { createLog } from "../../log.ts";
import { type Bench, openBench, type Site, serveSite } from "../../phones/drivers/web/web.fixture.ts";
import { type RunningServer, startServer } from "../../server.ts";
import { call, signIn } from "../../testing.ts";
import { createArtifactStore } from "../run-artifacts.ts";

const CANARY = 'C4nary-"7f&3 <öß> +/=';
const uri = encodeURIComponent(CANARY);
/** What must be found nowhere. Base64 in the part that does not depend on what stands around it. */
const FORMS = [
  CANARY,
  uri,
  uri.toLowerCase(),
  uri.replaceAll("%20", "+"),
  JSON.stringify(CANARY).slice(1, -1),
  CANARY.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;"),
  ...[0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(CANARY)])
      .toString("base64")
      .slice(before + 1, 24);
    return [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  }),
  "C4nary",
];
const found = (text: string) => FORMS.filter((form) => text.includes(form));

/** Fields at fixed places, so that their pixels can be looked at. */
const FIELD = "position:absolute;left:20px;width:300px;height:50px;margin:0";
const PAGES = {
  "/login": `<title>Log in</title><body style="background:#fff;height:340px">
    <input id="password" type="password" aria-label="Password" style="${FIELD};top:20px">
    <input id="plain" aria-label="Plain" style="${FIELD};top:90px">
    <div id="narrow" aria-hidden="true" style="${FIELD};top:160px;width:40px;white-space:nowrap">.</div>
    <button style="${FIELD};top:230px" onclick="narrow.textContent=plain.value;done.textContent='Copied'">Copy</button>
    <button style="${FIELD};top:290px" onclick="alert('Wait a moment')">Alert</button>
    <p id="done" style="${FIELD};top:345px;height:20px;color:#000">Ready</p>`,
  "/next": "<title>Next</title><h1>Next page</h1>",
  "/bare": `<title>Bare</title><input id="bare" aria-label="Bare" style="${FIELD};top:20px">`,
};

const SCRIPT = `
const abc = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const base64 = (text) => {
  const bytes = unescape(encodeURIComponent(text)).split('').map((char) => char.charCodeAt(0));
  let out = '';
  for (let at = 0; at < bytes.length; at += 3) {
    const number = (bytes[at] << 16) | ((bytes[at + 1] || 0) << 8) | (bytes[at + 2] || 0);
    out += abc[number >> 18] + abc[(number >> 12) & 63] + abc[(number >> 6) & 63] + abc[number & 63];
  }
  return out;
};
output.kept = PASSWORD;
output.inside = { list: ['before ' + PASSWORD + ' after'] };
output.encoded = base64('user:' + PASSWORD);
console.log('raw ' + PASSWORD);
console.log('uri ' + encodeURIComponent(PASSWORD) + ' and ' + encodeURIComponent(PASSWORD).toLowerCase());
console.log('json ' + JSON.stringify({ value: PASSWORD }));
for (const before of ['', 'a', 'ab']) console.log('base64 ' + base64(before + PASSWORD + '!'));
`;

describe("a secret that goes everywhere a flow can put it", () => {
  let site: Site;
  let bench: Bench;
  let server: RunningServer;
  let folder: string;
  let config: Config;
  let token: string;
  let phoneId: string;
  const lines: string[] = [];
  const ask = async <T>(type: "query" | "mutation", path: string, input?: unknown): Promise<T> => {
    const answer = await call(server, type, path, input, token);
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.data as T;
  };
  const read = async (path: string) =>
    Buffer.from(
      await (await fetch(`${server.url}${path}`, { headers: { authorization: `Bearer ${token}` } })).arrayBuffer(),
    );
  let keys = 0;
  const run = async (flowId: string): Promise<RunDetail> => {
    keys += 1;
    const { runId } = await ask<{ runId: string }>("mutation", "runs.start", {
      flowId,
      phoneId,
      idempotencyKey: `canary-run-${keys}`,
    });
    await server.automations.runner.idle();
    return ask("query", "runs.get", { runId });
  };
  const granted = async (name: string, commands: string, header = ""): Promise<string> => {
    const source = `url: ${site.base}/login\nsecrets: [PASSWORD]\n${header}---\n- launchApp\n${commands}`;
    const flow = await ask<FlowDetail>("mutation", "flows.save", { name, source });
    expect(flow.diagnostics).toEqual([]);
    const { id } = await ask<SecretSummary>("mutation", "secrets.set", { name: "PASSWORD", value: CANARY });
    await ask("mutation", "secrets.grant", { secretId: id, flowId: flow.id, seen: flow.updatedAt });
    return flow.id;
  };
  /** Whether all pixels of a rectangle, in CSS pixels, have one colour. */
  const uniform = (png: Buffer, left: number, top: number, width: number, height: number): boolean => {
    const { data, channels, width: across } = decode(png);
    const seen = new Set<string>();
    for (let y = top * 2; y < (top + height) * 2; y += 1) {
      for (let x = left * 2; x < (left + width) * 2; x += 1) {
        const at = (y * across + x) * channels;
        seen.add([...data.subarray(at, at + 3)].join());
      }
    }
    return seen.size === 1;
  };

  beforeAll(async () => {
    site = await serveSite(PAGES);
    folder = mkdtempSync(join(tmpdir(), "perch-canary-"));
    bench = await openBench();
    config = parseConfig({
      PORT: "0",
      DATA_DIR: join(folder, "data"),
      KEY_FILE: join(folder, "key"),
      WARM_PHONES: "0",
      EGRESS_ALLOW: new URL(site.base).host,
      BILLING: "off",
    });
    server = await startServer({
      config,
      clock: systemClock,
      log: createLog({ clock: systemClock, write: (line) => lines.push(line) }),
      driver: bench.driver,
    });
    token = (await signIn({ ...server, clock: systemClock })).token;
    phoneId = (await ask<{ id: string }>("mutation", "phones.launch", { idempotencyKey: "canary-phone" })).id;
  });
  afterAll(async () => {
    await server.close();
    await bench.close();
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it("reaches the page and the network, and nothing that is kept or told", async () => {
    const flowId = await granted(
      "Log in",
      `- tapOn: {id: password}
- inputText: \${PASSWORD}
- tapOn:
    id: plain
    label: Typing \${PASSWORD} into the field
- inputText: \${PASSWORD}
- tapOn: Copy
- assertVisible: Copied
- hideKeyboard
- takeScreenshot: \${PASSWORD}
- tapOn: Alert
- takeScreenshot: dialog
- tapOn: OK
- setOrientation: LANDSCAPE_LEFT
- takeScreenshot: turned
- setOrientation: PORTRAIT
- copyTextFrom: {id: plain}
- evalScript: |
${SCRIPT.replace(/^/gm, "    ")}
- evalScript: "\${http.post('${site.base}/report', { body: PASSWORD })}"
- evalScript:
    script: \${http.get('http://127.0.0.1:1/?q=' + encodeURIComponent(PASSWORD))}
    optional: true
- evalScript:
    script: \${(() => { throw new Error('x'.repeat(1985) + PASSWORD) })()}
    optional: true
- tapOn:
    text: Nothing called \${PASSWORD}
    optional: true
- assertTrue:
    condition: \${[PASSWORD, ''][1]}
    optional: true
- eraseText:
    charactersToErase: \${'9'.repeat(90) + PASSWORD + PASSWORD}
    optional: true
- retry:
    maxRetries: 1
    commands:
      - pressKey:
          key: \${PASSWORD}
          optional: true
- openLink: ${site.base}/next?q=\${encodeURIComponent(PASSWORD)}
- assertVisible: Next page
- openLink: ${site.base}/bare
- tapOn: {id: bare}
- inputText:
    text: \${PASSWORD}
    label: typed where no password is
- waitForAnimationToEnd:
    timeout: 1000
    label: seen where no password is
- launchApp
- tapOn: {id: password}
- inputText: \${PASSWORD}
- tapOn: {id: plain}
- inputText: \${PASSWORD}
- assertVisible: Never called \${PASSWORD}
`,
      "limits: {optional: 300, lookup: 3000}\nonFlowFailure:\n  - evalScript: ${console.log('failed with ' + PASSWORD)}\n",
    );
    const done = await run(flowId);
    expect(done.error).toMatchObject({ code: "element_not_found" });
    const words = done.steps.map(({ label, message }) => `${label}: ${message}`).join("\n");
    expect(words).toContain("Typing [PASSWORD] into the field");
    expect(words).toContain("The script stopped with an error");
    expect(words).toContain('This phone has no key "[PASSWORD]".');
    expect(site.reports).toContain(CANARY);

    const told = await call(server, "subscription", "runs.events", { runId: done.id }, token);
    const events = await server.db.read.select().from(server.db.t.runEvents);
    expect(JSON.stringify(events)).toContain("base64 ");
    expect(JSON.stringify(events)).toContain("raw [PASSWORD]");
    for (const [what, text] of [
      ["the run", JSON.stringify(done)],
      ["its stream", JSON.stringify(told)],
      ["its events", JSON.stringify(events)],
      ["the list of runs", JSON.stringify(await ask("query", "runs.list"))],
      ["the list of secrets", JSON.stringify(await ask("query", "secrets.list"))],
      ["the log", lines.join("")],
      ...(await Promise.all(
        ["junit.xml", "report.html", "run.json"].map(
          async (report) => [report, (await read(`/runs/${done.id}/${report}`)).toString()] as const,
        ),
      )),
    ] as const) {
      expect(found(text), what).toEqual([]);
    }

    // Small pictures are left out where a secret shows, as they are where a password field does. One that is there is of
    // an earlier moment: no frame had come since.
    const bare = done.steps.filter(({ label }) => label.endsWith("where no password is")).map(({ seq }) => seq);
    expect(bare.length).toBe(2);
    const small = await Promise.all(
      done.artifacts
        .filter(({ kind }) => kind === "thumbnail")
        .map(async ({ step = 0, name }) => ({
          step,
          picture: (await read(`/runs/${done.id}/artifacts/${encodeURIComponent(name)}`)).toString("base64"),
        })),
    );
    const [typing = 0] = bare;
    const before = small.filter(({ step }) => step < typing).map(({ picture }) => picture);
    expect(before.length).toBeGreaterThan(0);
    for (const { step, picture } of small) if (bare.includes(step)) expect(before).toContain(picture);

    const names = done.artifacts.flatMap(({ kind, name }) => (kind === "thumbnail" ? [] : [name])).sort();
    expect(names).toEqual([
      "[PASSWORD].png",
      "dialog.png",
      "failure-tree.json",
      "failure.json",
      "failure.png",
      "turned.png",
    ]);
    for (const { name } of done.artifacts) {
      const bytes = await read(`/runs/${done.id}/artifacts/${encodeURIComponent(name)}`);
      expect(found(bytes.toString("latin1")), name).toEqual([]);
      expect(found(bytes.toString("utf8")), name).toEqual([]);
      if (!name.endsWith(".png")) continue;
      expect(decode(bytes).width, name).toBe(name === "turned.png" ? 1_600 : 720);
      const ready = uniform(bytes, 20, 345, 300, 14);
      if (name === "dialog.png") {
        expect(uniform(bytes, 0, 0, 360, 280), name).toBe(true);
        continue;
      }
      expect(uniform(bytes, 20, 20, 300, 50), `password field of ${name}`).toBe(true);
      expect(uniform(bytes, 20, 90, 300, 50), `plain field of ${name}`).toBe(true);
      if (name !== "failure.png")
        expect(uniform(bytes, 20, 162, 120, 14), `text that runs out of its box, ${name}`).toBe(true);
      if (name === "[PASSWORD].png") expect(ready, "what is no secret stays").toBe(false);
    }
  });

  it("is covered in password fields also in runs without secrets", async () => {
    const source = `url: ${site.base}/login\n---\n- launchApp\n- tapOn: {id: password}\n- inputText: hunter2hunter2\n- hideKeyboard\n- takeScreenshot: field\n`;
    const { id } = await ask<FlowDetail>("mutation", "flows.save", { name: "Field", source });
    const done = await run(id);
    expect(done.state).toBe("passed");
    const { files } = await ask<RunLinks>("query", "runs.links", { runId: done.id });
    const part = await fetch(files.find(({ name }) => name === "field.png")?.url ?? "", {
      headers: { range: "bytes=1-3" },
    });
    expect([part.status, await part.text(), part.headers.get("content-type")]).toEqual([206, "PNG", "image/png"]);
    const png = await read(`/runs/${done.id}/artifacts/field.png`);
    expect(uniform(png, 20, 20, 300, 50)).toBe(true);
    expect(uniform(png, 20, 345, 300, 14)).toBe(false);
  });

  it("stands in no page of the database and in no file of the server", async () => {
    const fileKey = readFileKey({ keyFile: config.keyFile, databaseExists: true });
    const master = await openMasterKey(server.db, fileKey, undefined);
    const store = createArtifactStore({
      shelf: folderBlobs(config.DATA_DIR).runs,
      key: deriveKey(master, "run artifacts"),
    });
    const rows = await server.db.read.select().from(server.db.t.runArtifacts);
    expect(rows.length).toBeGreaterThan(4);
    const runs = new Map((await server.db.read.select().from(server.db.t.runs)).map((run) => [run.id, run]));
    for (const { runId, file, name } of rows) {
      const run = runs.get(runId);
      if (run === undefined) throw new Error("A file of no run.");
      expect(found((await store.read(run, file)).toString("latin1")), name).toEqual([]);
    }
    await server.close();
    expect(found(lines.join(""))).toEqual([]);
    for (const file of filesBelow(config.DATA_DIR)) {
      expect(found(readFileSync(file).toString("latin1")), file).toEqual([]);
    }

    // The same pages in clear: everything in them, free ones included.
    const copy = join(folder, "clear.db");
    copyFileSync(join(config.DATA_DIR, "perch.db"), copy);
    const db = new Sqlite(copy);
    db.pragma(`key = "x'${deriveKey(fileKey, "database").toString("hex")}'"`);
    db.pragma("journal_mode = DELETE");
    db.pragma("rekey = ''");
    db.close();
    const pages = readFileSync(copy);
    expect(pages.subarray(0, 15).toString()).toBe("SQLite format 3");
    expect(pages.includes("Typing [PASSWORD] into the field")).toBe(true);
    expect(found(pages.toString("latin1"))).toEqual([]);
    expect(found(pages.toString("utf8"))).toEqual([]);
  });
});

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesBelow(path) : [path];
  });
}
