/** Runs flows on phones and says how it goes. Everything that was made for it is taken away again, whatever happens. */
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunDetail, RunStep } from "../shared/automation-model.ts";
import type { RunArgs } from "./args.ts";
import { type PerchClient, Refusal } from "./client.ts";
import { findFlows, type LocalFlow, Unfit } from "./flows.ts";
import { writeReport } from "./report.ts";

export interface Teller {
  readonly line: (text: string) => void;
  readonly colour: (name: "green" | "red" | "yellow" | "dim", text: string) => string;
}

/** One flow that ended, or that did not come to run. */
export interface Outcome {
  readonly flow: LocalFlow;
  readonly phone: string;
  readonly run: RunDetail | undefined;
  readonly passed: boolean;
  readonly words: string;
}

interface Place {
  readonly id: string;
  readonly name: string;
}

/** Gives the exit status. @throws Unfit, Refusal, and the signal's reason when the person stops it */
export async function runFlows(args: RunArgs, client: PerchClient, tell: Teller, stop: AbortSignal): Promise<0 | 1> {
  const flows = findFlows(args.paths, args);
  const made: Place[] = [];
  try {
    const phones = await findPhones(args.phones, client, made, stop);
    const outcomes = await shared(args, phones, flows, (flow, phone) => one(flow, phone, args, client, tell, stop));
    stop.throwIfAborted();
    const failed = outcomes.filter(({ passed }) => !passed);
    tell.line("");
    const all = outcomes.length === 1 ? "1 flow" : `${outcomes.length} flows`;
    if (failed.length === 0) tell.line(tell.colour("green", `${all} passed.`));
    else {
      tell.line(tell.colour("red", `${failed.length} of ${all} failed:`));
      for (const { flow, words } of failed) tell.line(`  ${flow.file}: ${words}`);
    }
    if (args.format !== "noop") await writeReport(args, outcomes, client, tell);
    return failed.length === 0 ? 0 : 1;
  } finally {
    for (const { id, name } of made) {
      await client.removePhone(id).catch((error: unknown) => {
        const words = error instanceof Error ? error.message : String(error);
        tell.line(tell.colour("yellow", `The phone ${name} could not be removed: ${words}`));
      });
    }
  }
}

/** `made` takes in what has to be removed, also when a later one fails. */
async function findPhones(
  asked: readonly string[],
  client: PerchClient,
  made: Place[],
  stop: AbortSignal,
): Promise<readonly Place[]> {
  const there = asked.some((name) => name !== "web") ? await client.phones() : [];
  const phones: Place[] = [];
  for (const name of asked) {
    stop.throwIfAborted();
    if (name === "web") {
      const { id, name: shown } = await client.launchPhone(`CLI ${new Date().toISOString().slice(0, 16)}`);
      made.push({ id, name: shown });
      phones.push({ id, name: shown });
      continue;
    }
    const fitting = there.filter((phone) => phone.id === name || phone.name === name);
    const [phone] = fitting;
    if (phone === undefined) {
      const names = there.map((one) => one.name).join(", ");
      throw new Unfit(`There is no phone ${name}. ${names === "" ? "Use --phone web." : `There are: ${names}.`}`);
    }
    if (fitting.length > 1) throw new Unfit(`More than one phone is called ${name}. Name it by its id.`);
    phones.push({ id: phone.id, name: phone.name });
  }
  return phones;
}

/** Flows go to whichever phone is free, or all to each. */
async function shared(
  { shard }: RunArgs,
  phones: readonly Place[],
  flows: readonly LocalFlow[],
  work: (flow: LocalFlow, phone: Place) => Promise<Outcome>,
): Promise<readonly Outcome[]> {
  const waiting = [...flows];
  const lines = phones.map(async (phone) => {
    const outcomes: Outcome[] = [];
    const own = shard === "all" ? [...flows] : waiting;
    for (let flow = own.shift(); flow !== undefined; flow = own.shift()) outcomes.push(await work(flow, phone));
    return outcomes;
  });
  const ended = await Promise.allSettled(lines);
  const broken = ended.find((line) => line.status === "rejected");
  if (broken?.status === "rejected") throw broken.reason;
  return ended.flatMap((line) => (line.status === "fulfilled" ? line.value : []));
}

async function one(
  flow: LocalFlow,
  phone: Place,
  args: RunArgs,
  client: PerchClient,
  tell: Teller,
  stop: AbortSignal,
): Promise<Outcome> {
  stop.throwIfAborted();
  const prefix = args.phones.length > 1 ? `[${phone.name}] ` : "";
  tell.line(`${prefix}${flow.name} ${tell.colour("dim", `on ${phone.name}`)}`);
  let runId: string;
  try {
    runId = await client.startRun({ source: flow.source, files: flow.files, phoneId: phone.id, inputs: args.env });
  } catch (error) {
    if (!(error instanceof Refusal) || ["unreachable", "401", "403", "forbidden"].includes(error.code)) throw error;
    tell.line(`${prefix}  ${tell.colour("red", error.message)}`);
    return { flow, phone: phone.name, run: undefined, passed: false, words: error.message };
  }
  const late = new AbortController();
  const timer =
    args.timeoutMs === undefined ? undefined : setTimeout(() => late.abort(new Error("timeout")), args.timeoutMs);
  try {
    for await (const event of client.events(runId, AbortSignal.any([stop, late.signal]))) {
      if (event.type === "step" && event.step.state !== "started") tell.line(`${prefix}${stepLine(event.step, tell)}`);
      if (event.type === "log") tell.line(`${prefix}      ${tell.colour("dim", event.message)}`);
    }
  } catch (error) {
    await client.cancelRun(runId).catch(() => undefined);
    if (!late.signal.aborted || stop.aborted) throw error;
  } finally {
    clearTimeout(timer);
  }
  const run = await client.run(runId);
  const passed = run.state === "passed" || run.state === "warned";
  const place = run.error?.line === undefined ? "" : `${flow.file}:${run.error.line} `;
  const reason = late.signal.aborted ? `It took longer than ${(args.timeoutMs ?? 0) / 1_000} s.` : run.error?.message;
  const words = passed ? run.state : `${place}${reason ?? run.state}`;
  tell.line(`${prefix}  ${passed ? tell.colour("green", words) : tell.colour("red", words)}`);
  if (args.debugOutput !== undefined) await keep(run, flow, args.debugOutput, client);
  return { flow, phone: phone.name, run, passed, words };
}

const MARKS = { passed: "✓", warned: "!", failed: "✗", skipped: "–", started: "…" } as const;
const COLOURS = { passed: "green", warned: "yellow", failed: "red", skipped: "dim", started: "dim" } as const;

function stepLine({ depth, label, state, durationMs, message }: RunStep, tell: Teller): string {
  const time = durationMs === undefined ? "" : ` ${tell.colour("dim", `${durationMs} ms`)}`;
  const remark = message === undefined ? "" : `\n${"  ".repeat(depth)}      ${tell.colour("dim", message)}`;
  return `${"  ".repeat(depth)}  ${tell.colour(COLOURS[state], MARKS[state])} ${label}${time}${remark}`;
}

/** Pictures and the record of a run, in a folder of its own. */
async function keep(run: RunDetail, flow: LocalFlow, folder: string, client: PerchClient): Promise<void> {
  const own = join(folder, `${flow.name.replace(/[^\p{L}\p{N}._-]+/gu, "-").slice(0, 60)}-${run.id}`);
  await mkdir(own, { recursive: true });
  await writeFile(join(own, "run.json"), await client.file(run.id, "run.json"));
  for (const { name } of run.artifacts) {
    const bytes = await client.file(run.id, `artifacts/${encodeURIComponent(name)}`);
    await writeFile(join(own, name.replace(/[/\\]/g, "-")), bytes);
  }
}
