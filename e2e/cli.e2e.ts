/** The command line as CI runs it: a real server, real phones, exit statuses and reports. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { RunSummary } from "../shared/automations.ts";
import type { Phone } from "../shared/phones.ts";
import { type Site, startSite } from "./fixtures/site.ts";
import { ApiClient, admin } from "./harness/api.ts";
import { PerchServer } from "./harness/server.ts";
import { until } from "./harness/until.ts";

describe("perch run", () => {
  let site: Site;
  let server: PerchServer;
  let api: ApiClient;
  let token: string;
  let folder: string;

  interface Ended {
    readonly status: number | null;
    readonly out: string;
  }
  function start(...args: string[]): { child: ChildProcess; said: () => string; ended: Promise<Ended> } {
    const child = spawn(process.execPath, ["cli/perch.js", "run", ...args], {
      env: { PATH: process.env["PATH"] ?? "", PERCH_TOKEN: token, PERCH_SERVER: server.url },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream?.setEncoding("utf8").on("data", (text: string) => {
        out += text;
      });
    }
    const ended = once(child, "close").then(() => ({ status: child.exitCode, out }));
    return { child, said: () => out, ended };
  }
  const run = (...args: string[]) => start(...args).ended;
  const flow = (name: string, steps: string, header = "") => {
    const path = join(folder, name);
    writeFileSync(path, `url: ${site.origin}/form\n${header}---\n- launchApp\n${steps}\n`);
    return path;
  };
  const phones = () => api.query<Phone[]>("phones.list");

  beforeAll(async () => {
    site = await startSite();
    server = await PerchServer.start({ env: { EGRESS_ALLOW: `127.0.0.1:${site.port}` } });
    api = await ApiClient.create(server, "ci@example.com");
    token = await admin(server, [
      "token",
      "create",
      "--email",
      "ci@example.com",
      "--name",
      "CI",
      "--scopes",
      "phones:view,phones:control",
    ]);
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perch-cli-e2e-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  afterAll(async () => {
    await server?.stop();
    await site?.close();
  });

  it("passes with status 0, a report and pictures, and leaves no phone behind", async () => {
    const path = flow("hello.yaml", "- tapOn: Your words\n- inputText: ${WORD}\n- takeScreenshot: said");
    const [report, debug] = [join(folder, "out", "report.xml"), join(folder, "debug")];
    const { status, out } = await run(
      path,
      "-e",
      "WORD=héllo",
      "--format",
      "junit",
      "--output",
      report,
      "--debug-output",
      debug,
    );
    expect(out).toContain("1 flow passed.");
    expect(out).toMatch(/✓ tapOn "Your words" \d+ ms/);
    expect(status).toBe(0);
    expect(site.last("typed")).toBe("héllo");
    expect(readFileSync(report, "utf8")).toMatch(/<testcase id="hello" name="hello" .*file=".*hello\.yaml"/);
    const kept = readdirSync(join(debug, readdirSync(debug)[0] ?? ""));
    expect(kept).toEqual(expect.arrayContaining(["run.json", "said.png", "step-1.jpg"]));
    expect(await phones()).toEqual([]);
  });

  it("fails with status 1 and the place, running all of a folder", async () => {
    flow("a.yaml", "- assertVisible: Nothing of the kind", "limits: {lookup: 1s}\n");
    flow("b.yaml", "- assertVisible: Your words");
    const report = join(folder, "report.html");
    const { status, out } = await run(folder, "--format", "html", "--output", report);
    expect(out).toMatch(/a\.yaml:5 "Nothing of the kind" did not appear/);
    expect(out).toContain("1 of 2 flows failed:");
    expect(status).toBe(1);
    expect(readFileSync(report, "utf8")).toContain("report-2.html");
  });

  it("refuses a bad flow with its place before anything happens", async () => {
    const { status, out } = await run(flow("bad.yaml", "- tapOm: x"));
    expect(out).toMatch(/bad\.yaml:4:3 `tapOm` is not a command/);
    expect(status).toBe(1);
  });

  it("says what is wrong with the server, the token or the phone", async () => {
    const path = flow("a.yaml", "- back");
    expect(await run(path, "--server", "http://127.0.0.1:9")).toMatchObject({
      status: 1,
      out: expect.stringContaining("does not answer"),
    });
    expect(await run(path, "--token", "nonsense")).toMatchObject({
      status: 1,
      out: expect.stringContaining("does not know this token"),
    });
    const views = await admin(server, [
      "token",
      "create",
      "--email",
      "ci@example.com",
      "--name",
      "V",
      "--scopes",
      "phones:view",
    ]);
    expect(await run(path, "--token", views)).toMatchObject({
      status: 1,
      out: expect.stringMatching(/scope|token|may not/),
    });
    expect(await run(path, "--phone", "Nobody")).toMatchObject({
      status: 1,
      out: expect.stringContaining("There is no phone Nobody"),
    });
  });

  it("cancels within a second on Ctrl-C, and takes its phone away", async () => {
    const { child, said, ended } = start(flow("long.yaml", "- extendedWaitUntil: {visible: Never, timeout: 60000}"));
    await until("the flow to wait", () => said().includes("launchApp"));
    const stopped = performance.now();
    child.kill("SIGINT");
    await until("the run to be cancelled", async () =>
      (await api.query<RunSummary[]>("runs.list")).some(({ state }) => state === "cancelled"),
    );
    expect(performance.now() - stopped).toBeLessThan(2_000);
    expect((await ended).status).toBe(130);
    expect((await api.query<RunSummary[]>("runs.list"))[0]).toMatchObject({ state: "cancelled" });
    expect(await phones()).toEqual([]);
  });

  it("runs on a phone that is there, and leaves it", async () => {
    const phone = await api.launch("about:blank");
    const { status } = await run(flow("a.yaml", "- assertVisible: Your words"), "--phone", phone.name);
    expect(status).toBe(0);
    expect((await phones()).map(({ id }) => id)).toEqual([phone.id]);
  });
});
