/**
 * Automations and runs in memory, for panel tests. Flows are read by the real parser; a run does only what a test tells
 * it to, event by event, so that every state can be looked at.
 */
import {
  type FlowDetail,
  type FlowSummary,
  hasEnded,
  type RunArtifact,
  type RunDetail,
  type RunError,
  type RunEvent,
  type RunState,
  type RunStep,
  type RunSummary,
} from "../../shared/automations.ts";
import { parseFlow } from "../../shared/flows/parse.ts";
import { type FlowId, newId, type PhoneId, type RunId } from "../../shared/ids.ts";

export class StubRun {
  readonly events: RunEvent[] = [];
  detail: RunDetail;
  readonly #wake = new Set<() => void>();

  constructor(detail: Omit<RunDetail, "lastEvent" | "steps" | "artifacts" | "state">) {
    this.detail = { ...detail, state: "queued", steps: [], artifacts: [], lastEvent: 0 };
    this.emit({ type: "run", state: "queued" });
  }

  to(state: RunState, error?: RunError): void {
    const now = new Date().toISOString();
    const { error: _, ...rest } = this.detail;
    this.detail = {
      ...rest,
      state,
      ...(error !== undefined && { error }),
      ...(state === "running" && { startedAt: now }),
      ...(hasEnded(state) && { finishedAt: now }),
    };
    this.emit({ type: "run", state, ...(error !== undefined && { error }) });
  }

  /** A step begins, or changes. */
  step(change: Pick<RunStep, "seq" | "label"> & Partial<RunStep>): void {
    const known = this.detail.steps.find(({ seq }) => seq === change.seq);
    const step: RunStep = {
      attempt: 1,
      path: String(change.seq - 1),
      line: change.seq + 2,
      depth: 0,
      command: "tapOn",
      kind: "effect",
      state: "started",
      startedAt: new Date().toISOString(),
      ...known,
      ...change,
    };
    const others = this.detail.steps.filter(({ seq }) => seq !== step.seq);
    this.detail = { ...this.detail, steps: [...others, step].sort((a, b) => a.seq - b.seq) };
    this.emit({ type: "step", step });
  }

  log(message: string, step?: number): void {
    this.emit({ type: "log", message, ...(step !== undefined && { step }) });
  }

  artifact(change: Pick<RunArtifact, "name"> & Partial<RunArtifact>): void {
    const artifact: RunArtifact = {
      kind: "screenshot",
      mimeType: "image/png",
      bytes: 1000,
      createdAt: new Date().toISOString(),
      ...change,
    };
    this.detail = { ...this.detail, artifacts: [...this.detail.artifacts, artifact] };
    this.emit({ type: "artifact", artifact });
  }

  emit(event: RunEvent): void {
    this.events.push(event);
    this.detail = { ...this.detail, lastEvent: this.events.length };
    for (const wake of this.#wake) wake();
  }

  /** Every event after number `after`; ends with the run. */
  async *follow(after: number, signal: AbortSignal | undefined): AsyncGenerator<{ seq: number; event: RunEvent }> {
    let seen = after;
    while (signal?.aborted !== true) {
      const event = this.events[seen];
      if (event !== undefined) {
        seen += 1;
        yield { seq: seen, event };
      } else if (hasEnded(this.detail.state)) return;
      else {
        await new Promise<void>((resolve) => {
          this.#wake.add(resolve);
          signal?.addEventListener("abort", () => resolve(), { once: true });
        });
        this.#wake.clear();
      }
    }
  }
}

export class StubRuns {
  readonly flows = new Map<FlowId, FlowDetail>();
  readonly runs = new Map<RunId, StubRun>();
  readonly #keys = new Map<string, RunId>();

  save(input: { flowId?: FlowId | undefined; name: string; source: string }): FlowDetail {
    const { flow, commands, portable, diagnostics } = parseFlow(input.source);
    const detail: FlowDetail = {
      id: input.flowId ?? newId("flow"),
      name: input.name,
      source: input.source,
      runnable: flow !== undefined,
      portable,
      commands,
      tags: flow?.header.tags ?? [],
      inputs: flow?.header.inputs ?? [],
      diagnostics,
      updatedAt: new Date().toISOString(),
    };
    this.flows.set(detail.id, detail);
    return detail;
  }

  list(): FlowSummary[] {
    return [...this.flows.values()].reverse();
  }

  start(input: {
    flowId?: FlowId | undefined;
    phoneId: PhoneId;
    inputs?: Record<string, string> | undefined;
    idempotencyKey: string;
  }): RunId {
    const earlier = this.#keys.get(input.idempotencyKey);
    if (earlier !== undefined) return earlier;
    const flow = input.flowId && this.flows.get(input.flowId);
    const run = new StubRun({
      id: newId("run"),
      ...(flow && { flowId: flow.id }),
      name: flow?.name ?? "Unsaved flow",
      phoneId: input.phoneId,
      trigger: "person",
      createdAt: new Date().toISOString(),
      source: flow?.source ?? "",
      inputs: input.inputs ?? {},
    });
    this.#keys.set(input.idempotencyKey, run.detail.id);
    this.runs.set(run.detail.id, run);
    return run.detail.id;
  }

  startAll(
    input: {
      flowIds?: readonly FlowId[] | undefined;
      share: "each" | "any";
      inputs?: Record<string, string> | undefined;
      idempotencyKey: string;
    },
    phones: readonly PhoneId[],
  ): RunId[] {
    const targets = input.share === "each" ? phones : phones.slice(0, 1);
    return (input.flowIds ?? []).flatMap((flowId, index) =>
      targets.map((phoneId, place) => {
        const { inputs } = input;
        return this.start({ flowId, phoneId, inputs, idempotencyKey: `${input.idempotencyKey}.${index}.${place}` });
      }),
    );
  }

  /** Newest first. */
  summaries(flowId: FlowId | undefined): RunSummary[] {
    return [...this.runs.values()]
      .reverse()
      .map(({ detail }) => detail)
      .filter((run) => flowId === undefined || run.flowId === flowId);
  }

  /** The run asked for last. */
  get newest(): StubRun {
    const run = [...this.runs.values()].at(-1);
    if (run === undefined) throw new Error("No run was asked for.");
    return run;
  }
}
