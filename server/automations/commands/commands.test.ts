/** Every command of the language on a real web phone, through the whole server: what the pages say counts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { hasEnded, type RunDetail } from "../../../shared/automations.ts";
import { COMMAND_NAMES } from "../../../shared/flows/commands.ts";
import { parseFlow } from "../../../shared/flows/parse.ts";
import { allSteps } from "../../../shared/flows/targets.ts";
import { phoneId as phoneIdSchema } from "../../../shared/ids.ts";
import { systemClock } from "../../clock.ts";
import { parseConfig } from "../../config.ts";
import { silentLog } from "../../log.ts";
import { type Bench, openBench, type Site, serveSite } from "../../phones/drivers/web/web.fixture.ts";
import { type RunningServer, startServer } from "../../server.ts";
import { call, signIn } from "../../testing.ts";
import type { Case } from "./case.ts";
import { HARD } from "./hard.cases.ts";
import { MOVING } from "./moving.cases.ts";
import { COMMAND_PAGES } from "./pages.fixture.ts";
import { PHONE } from "./phone.cases.ts";
import { TOUCHING } from "./touching.cases.ts";
import { TYPING } from "./typing.cases.ts";

const GROUPS = { touches: TOUCHING, types: TYPING, "moves and waits": MOVING, reaches: HARD, "sets and steers": PHONE };

/** Shown elsewhere, or not to be shown here. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  runScript: "needs a file beside the flow",
  addMedia: "needs a file beside the flow",
  assertScreenshot: "needs a picture beside the flow",
  startRecording: "makes a film",
  stopRecording: "makes a film",
  assertWithAI: "needs Maestro's own cloud",
  assertNoDefectsWithAI: "needs Maestro's own cloud",
  extractTextWithAI: "needs Maestro's own cloud",
};

/** Shorter than people get, so that what fails fails soon. */
const LIMITS = "limits: {lookup: 5s, optional: 500ms}";
const flowOf = ({ page, header = LIMITS, steps }: Case, site: string, other: string) =>
  `url: ${site}${page}\n${header}\n---\n- launchApp\n${steps.replaceAll("SITE", site).replaceAll("OTHER", other)}\n`;

describe("the cases", () => {
  it("show every command of the language", () => {
    const shown = new Set<string>();
    for (const one of Object.values(GROUPS).flat()) {
      const { flow, diagnostics } = parseFlow(flowOf(one, "http://a.test", "http://b.test"));
      expect(
        diagnostics.filter(({ severity }) => severity === "error"),
        one.name,
      ).toEqual([]);
      for (const { command } of flow === undefined ? [] : allSteps(flow)) shown.add(command.name);
      if (/^- action:/m.test(one.steps)) shown.add("action");
    }
    const missing = COMMAND_NAMES.filter((name) => !shown.has(name));
    expect(missing.toSorted()).toEqual(Object.keys(ELSEWHERE).toSorted());
  });
});

describe("a flow on a web phone", () => {
  let site: Site;
  let bench: Bench;
  let server: RunningServer;
  let folder: string;
  let token: string;
  let phoneId: string;
  let keys = 0;
  const other = () => site.base.replace("127.0.0.1", "other.test");
  const ask = async (type: "query" | "mutation", path: string, input: unknown) => {
    const answer = await call(server, type, path, input, token);
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.data;
  };
  const run = async (one: Case): Promise<RunDetail> => {
    keys += 1;
    const source = flowOf(one, site.base, other());
    const started = await ask("mutation", "runs.start", { source, phoneId, idempotencyKey: `command-${keys}-run` });
    const { runId } = started as { runId: string };
    await server.automations.runner.idle();
    const detail = (await ask("query", "runs.get", { runId })) as RunDetail;
    expect(hasEnded(detail.state)).toBe(true);
    return detail;
  };
  /** What the page said, in the order it did. */
  const said = () =>
    site.reports
      .map((line) => /^([\d.]+)\|(.*)$/s.exec(line) ?? [])
      .toSorted(([, a], [, b]) => Number(a) - Number(b))
      .map(([, , text = ""]) => text);

  beforeAll(async () => {
    const pages: Record<string, Parameters<typeof serveSite>[0][string]> = {
      ...COMMAND_PAGES,
      "/slow": (_, answer) => {
        answer.setHeader("content-type", "text/html");
        setTimeout(() => answer.end("<title>Slow</title><h1>Slow page</h1>"), 900);
      },
    };
    site = await serveSite(pages);
    pages["/frames"] = (COMMAND_PAGES["/frames"] ?? "").replaceAll("OTHER", other());
    folder = mkdtempSync(join(tmpdir(), "perch-commands-"));
    bench = await openBench();
    server = await startServer({
      config: parseConfig({ PORT: "0", DATA_DIR: join(folder, "data"), WARM_PHONES: "0" }),
      clock: systemClock,
      log: silentLog,
      driver: bench.driver,
    });
    token = (await signIn({ ...server, clock: systemClock })).token;
    const phone = await ask("mutation", "phones.launch", { idempotencyKey: "web-phone" });
    phoneId = phoneIdSchema.parse((phone as { id: string }).id);
  });
  afterAll(async () => {
    await server.close();
    await bench.close();
    await site.close();
    rmSync(folder, { recursive: true, force: true });
  });

  for (const [group, cases] of Object.entries(GROUPS)) {
    describe(group, () => {
      it.each(cases)("$name", async (one) => {
        site.reports.length = 0;
        const detail = await run(one);
        const { state, error, steps } = detail;
        expect(error === undefined ? state : `${state}: ${error.message}`).toMatch(
          one.ends === "failed" ? /^failed/ : new RegExp(`^${one.ends ?? "passed"}$`),
        );
        if (one.words !== undefined) {
          expect([error?.message, ...steps.map(({ message }) => message)].join("\n")).toMatch(one.words);
        }
        const expected = one.says;
        if (expected === undefined) return;
        await vi.waitFor(() => expect(said().length).toBeGreaterThanOrEqual(expected.length));
        expect(said()).toEqual(expected.map((text) => (typeof text === "string" ? text : expect.stringMatching(text))));
      });
    });
  }
});
