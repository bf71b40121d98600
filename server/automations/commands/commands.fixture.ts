/** Cases tried on a real web phone, through the whole server: what the pages say counts. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { hasEnded, type RunDetail } from "../../../shared/automations.ts";
import { phoneId as phoneIdSchema } from "../../../shared/ids.ts";
import { systemClock } from "../../clock.ts";
import { parseConfig } from "../../config.ts";
import { silentLog } from "../../log.ts";
import { type Bench, openBench, type Site, serveSite } from "../../phones/drivers/web/web.fixture.ts";
import { type RunningServer, startServer } from "../../server.ts";
import { call, signIn } from "../../testing.ts";
import type { Case } from "./case.ts";
import { COMMAND_PAGES } from "./pages.fixture.ts";

/** Shorter than people get, so that what fails fails soon. */
const LIMITS = "limits: {lookup: 5s, optional: 500ms}";
/** The whole flow of a case. */
export const flowOf = ({ page, header = LIMITS, steps }: Case, site: string, other: string) =>
  `url: ${site}${page}\n${header}\n---\n- launchApp\n${steps.replaceAll("SITE", site).replaceAll("OTHER", other)}\n`;

/** One test for each case, all on one phone. */
export function tryCases(group: string, cases: readonly Case[]): void {
  describe(`a flow on a web phone ${group}`, () => {
    let site: Site;
    let bench: Bench;
    let server: RunningServer;
    let folder: string;
    let token: string;
    let phoneId: string;
    let keys = 0;
    let caseBegan = 0;
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
    /** What the case's pages said, in the order they did. Those of the case before it may say something as they close. */
    const said = () =>
      site.reports
        .map((line) => /^([\d.]+)\|([\d.]+)\|(.*)$/s.exec(line) ?? [])
        .filter(([, began]) => Number(began) >= caseBegan)
        .toSorted(([, , a], [, , b]) => Number(a) - Number(b))
        .map(([, , , text = ""]) => text);

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
        config: parseConfig({ PORT: "0", DATA_DIR: join(folder, "data"), WARM_PHONES: "0", BILLING: "off" }),
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

    it.each(cases)("$name", async (one) => {
      site.reports.length = 0;
      caseBegan = Date.now();
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
      await vi.waitFor(() => expect(said().length).toBeGreaterThanOrEqual(expected.length), 5_000);
      expect(said()).toEqual(expected.map((text) => (typeof text === "string" ? text : expect.stringMatching(text))));
    });
  });
}
