/** What a step of a flow costs: through the whole runner, without its journal, and beside another tool on the same browser. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";
import { openScriptEngine } from "../server/automations/script/engine.ts";
import { systemClock } from "../server/clock.ts";
import { parseConfig } from "../server/config.ts";
import { silentLog } from "../server/log.ts";
import type { PhoneAutomation } from "../server/phones/automation-port.ts";
import { findBrowser } from "../server/phones/drivers/web/browser.ts";
import { openBench, serveSite } from "../server/phones/drivers/web/web.fixture.ts";
import { startServer } from "../server/server.ts";
import { call, signIn } from "../server/testing.ts";
import type { RunDetail } from "../shared/automation-model.ts";
import { findElements } from "../shared/flows/match.ts";
import { parseFlow } from "../shared/flows/parse.ts";
import type { PhoneId } from "../shared/ids.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";

const SIZES = [200, 1_000, 5_000] as const;
const STEPS = 60;
const PARSES = 200;
const EVALS = 500;
const RUNS = 8;
const PHONES = 4;

/** As many elements as asked for, all of them on the screen, and one to be touched. */
const pageOf = (nodes: number) =>
  `<title>${nodes}</title><style>i{display:inline-block;width:6px;height:6px;line-height:6px;font-size:5px;overflow:hidden;vertical-align:top}body{line-height:6px}</style><button id="go" onclick="this.dataset.n=(this.dataset.n|0)+1">Touch me</button><div>${Array.from({ length: nodes - 6 }, (_, n) => `<i>t${n}</i>`).join("")}</div>`;

const FLOW = `url: https://shop.example\nname: A flow of middle length\ntags: [smoke]\nenv: {WHO: Ada}\n---\n- launchApp: {clearState: true}\n${Array.from(
  { length: 4 },
  (_, n) =>
    `- tapOn: {id: field-${n}}\n- inputText: "\${WHO} ${n}"\n- assertVisible: {text: "Saved.*", below: Title}\n- runFlow:\n    when: {visible: Cookies}\n    commands:\n      - tapOn: Accept\n`,
).join("")}- takeScreenshot: done\n`;

export const automations: Benchmark = {
  name: "automations",
  title: "Automations",
  about:
    "A step of a flow on a web phone, on pages of 200, 1,000 and 5,000 elements that are all on the screen: 60 tapOn and " +
    "60 assertVisible in one run on the whole server, from the beginning of a step to that of the next, journal, events and " +
    "settling of the target included; “driver alone” is the same look, settling, hit check and touch without a run. Beside " +
    "tapOn playwright-core's getByText().tap(), beside assertVisible its isVisible(), on the same Chromium with the same " +
    "page. Maestro's own web driver spends 1 s or more on a tap by the pauses in its source. A flow of 22 commands is " +
    "parsed; an expression is evaluated in its thread; 8 runs share 4 phones, beside one run alone.",
  async run() {
    const site = await serveSite(Object.fromEntries(SIZES.map((size) => [`/n${size}`, pageOf(size)])));
    const folder = await mkdtemp(join(tmpdir(), "perch-bench-automations-"));
    const bench = await openBench();
    const server = await startServer({
      config: parseConfig({
        PORT: "0",
        DATA_DIR: join(folder, "data"),
        WARM_PHONES: "0",
        PHONES_PER_TEAM: "10",
        RUNNING_PER_TEAM: "10",
        RUNNING_PHONES: "10",
      }),
      clock: systemClock,
      log: silentLog,
      driver: bench.driver,
    });
    const figures: Figure[] = [];
    try {
      const { token } = await signIn({ ...server, clock: systemClock });
      const ask = async <T>(type: "query" | "mutation", path: string, input: unknown): Promise<T> => {
        const answer = await call(server, type, path, input, token);
        if (!answer.ok) throw new Error(answer.error.message);
        // Each caller knows what the procedure it names gives.
        return answer.data as T;
      };
      let keys = 0;
      const key = () => `bench-key-${++keys}`;
      const launch = async () =>
        (await ask<{ id: PhoneId }>("mutation", "phones.launch", { idempotencyKey: key() })).id;
      const begin = (phoneId: PhoneId, source: string) =>
        ask<{ runId: string }>("mutation", "runs.start", { source, phoneId, idempotencyKey: key() });
      const detail = (runId: string) => ask<RunDetail>("query", "runs.get", { runId });
      const perform = async (phoneId: PhoneId, source: string): Promise<RunDetail> => {
        const { runId } = await begin(phoneId, source);
        await server.automations.runner.idle();
        const run = await detail(runId);
        if (run.state !== "passed") throw new Error(`The flow ${run.state}: ${run.error?.message}`);
        return run;
      };
      const phone = await launch();
      const { automation } = bench.driver;
      if (automation === undefined) throw new Error("The web driver runs automations.");
      const peer = await openPeer(bench.dataDir);
      try {
        for (const size of SIZES) {
          const url = `${site.base}/n${size}`;
          const steps = (command: string) => `url: ${url}\n---\n- launchApp\n${`- ${command}\n`.repeat(STEPS)}`;
          const taps = between(await perform(phone, steps("tapOn: Touch me")));
          const looks = between(await perform(phone, steps("assertVisible: Touch me")));
          const alone = await driverAlone(automation, bench.driver, phone);
          const other = await peerTimes(peer.page, url);
          const shown = size.toLocaleString("en");
          figures.push(
            {
              name: `tapOn, ${shown} elements`,
              unit: "ms",
              ...spread(taps),
              beside: { name: "playwright-core", median: median(other.taps) },
              ...(size === 5_000 ? {} : { aim: { of: "median", atMost: 100 } as const }),
            },
            { name: `tapOn, ${shown} elements, driver alone`, unit: "ms", ...spread(alone) },
            {
              name: `assertVisible, ${shown} elements`,
              unit: "ms",
              ...spread(looks),
              beside: { name: "playwright-core", median: median(other.looks) },
            },
          );
        }
      } finally {
        await peer.browser.close();
      }
      figures.push(parsing(), await evaluating());

      const flow = `url: ${site.base}/n200\n---\n- launchApp\n${"- tapOn: Touch me\n".repeat(20)}`;
      const phones = [phone, ...(await Promise.all(Array.from({ length: PHONES - 1 }, launch)))];
      for (const one of phones) await perform(one, `url: ${site.base}/n200\n---\n- launchApp\n`);
      const single = await wall(() => perform(phone, flow));
      const crowd = await wall(async () => {
        const ids = await Promise.all(
          Array.from({ length: RUNS }, (_, n) => begin(phones[n % PHONES] ?? phone, flow).then(({ runId }) => runId)),
        );
        await server.automations.runner.idle();
        for (const id of ids) if ((await detail(id)).state !== "passed") throw new Error("A run of the crowd failed.");
      });
      figures.push({
        name: `${RUNS} runs on ${PHONES} phones, 21 steps each`,
        unit: "ms",
        median: crowd,
        beside: { name: "one run on one phone", median: single },
      });
    } finally {
      await server.close();
      await bench.close();
      await site.close();
      await rm(folder, { recursive: true, force: true });
    }
    return figures;
  },
};

/** From the beginning of each step to that of the next; the first one opens the page. */
function between({ steps }: RunDetail): readonly number[] {
  const began = steps.slice(1).map(({ startedAt }) => Date.parse(startedAt));
  return began.slice(1).map((at, index) => at - (began[index] ?? at));
}

async function wall(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

async function driverAlone(
  automation: PhoneAutomation,
  driver: Awaited<ReturnType<typeof openBench>>["driver"],
  id: PhoneId,
): Promise<readonly number[]> {
  const times: number[] = [];
  for (let time = 0; time < STEPS; time += 1) {
    const started = performance.now();
    const [element] = findElements(await automation.elements(id), { text: "Touch me" });
    const target = element && (await automation.target(id, element.ref, 1_000));
    if (target === undefined) throw new Error("The target is on the page.");
    const { x, y } = target.point;
    await driver.input(id, { type: "touch", phase: "start", id: 0, x, y });
    await driver.input(id, { type: "touch", phase: "end", id: 0, x, y });
    times.push(performance.now() - started);
  }
  return times;
}

async function openPeer(root: string): Promise<{ browser: Browser; page: Page }> {
  const found = await findBrowser(root, undefined, undefined);
  const browser = await chromium.launch({
    executablePath: found.path,
    env: { ...process.env, ...found.env },
    args: ["--no-sandbox"],
  });
  const page = await browser.newPage({ viewport: { width: 360, height: 800 }, isMobile: true, hasTouch: true });
  return { browser, page };
}

async function peerTimes(page: Page, url: string): Promise<{ taps: readonly number[]; looks: readonly number[] }> {
  await page.goto(url);
  const [taps, looks]: number[][] = [[], []];
  for (let time = 0; time < STEPS; time += 1) {
    taps?.push(await wall(() => page.getByText("Touch me").tap()));
    looks?.push(await wall(() => page.getByText(/^Touch me$/).isVisible()));
  }
  return { taps: taps ?? [], looks: looks ?? [] };
}

function parsing(): Figure {
  const times = Array.from({ length: PARSES }, () => {
    const started = performance.now();
    if (parseFlow(FLOW).flow === undefined) throw new Error("The flow is right.");
    return (performance.now() - started) * 1_000;
  });
  return { name: "parsing a flow", unit: "µs", ...spread(times.slice(20)) };
}

async function evaluating(): Promise<Figure> {
  const engine = openScriptEngine({
    platform: "web",
    seed: "bench",
    http: async () => ({ ok: false, message: "No requests here." }),
    onLog: () => {},
  });
  const times: number[] = [];
  const signal = new AbortController().signal;
  for (let time = 0; time < EVALS; time += 1) {
    const started = performance.now();
    const outcome = await engine.renderTemplate("${NAME || 'default'}", { signal, idempotencyKey: "bench" });
    if (!outcome.ok) throw new Error(outcome.error.message);
    times.push((performance.now() - started) * 1_000);
  }
  await engine.dispose();
  return { name: "an expression, in its thread", unit: "µs", ...spread(times.slice(20)) };
}
