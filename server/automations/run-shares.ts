/** Runs shared out over several phones: the same flows on every one of them, or each flow on whichever is free first. */
import { z } from "zod";
import { type PhoneId, type RunId, runId } from "../../shared/ids.ts";
import type { Database, Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { Idempotency } from "../limits/idempotency.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { Runner } from "./runner.ts";
import type { PreparedRun, QueuedRun, RunsService } from "./runs.service.ts";

/** Runs one call may ask for. */
const MOST_RUNS = 200;

export function createShares(options: {
  db: Database;
  runner: Pick<Runner, "wake">;
  idempotency: Idempotency;
  tagged: (scope: TeamScope, tag: string) => Promise<readonly PhoneId[]>;
  prepare: (
    scope: TeamScope,
    run: { flowId?: PreparedRun["flowId"]; source?: string | undefined; inputs?: Record<string, string> | undefined },
    phones: readonly PhoneId[],
    all: boolean,
  ) => Promise<PreparedRun>;
  enqueue: (tx: Writer, scope: TeamScope, run: QueuedRun) => Promise<RunId>;
}): RunsService["startAll"] {
  const { db, idempotency } = options;

  return async (scope, input, trigger) => {
    const { idempotencyKey, ...what } = input;
    const call = { scope, procedure: "runs.startAll", key: idempotencyKey, input: what };
    const earlier = (work: () => Promise<RunId[]>) => (tx: Writer) =>
      idempotency.once(tx, call, (stored) => z.array(runId).parse(stored), work);
    const known = await db.tx((tx) => earlier(() => Promise.reject(new NotYet()))(tx)).catch(unlessNotYet);
    if (known !== undefined) return { runIds: known.result };
    const phones = await phonesOf(options.tagged, scope, input.phones);
    const flows = input.flowIds?.map((flowId) => ({ flowId })) ?? [{ source: input.source }];
    const each = input.share === "each";
    if (flows.length * (each ? phones.length : 1) > MOST_RUNS) {
      throw new PerchError("limit_reached", `One call asks for at most ${MOST_RUNS} runs. Ask for fewer at once.`);
    }
    const prepared: PreparedRun[] = [];
    for (const flow of flows)
      prepared.push(await options.prepare(scope, { ...flow, inputs: input.inputs }, phones, each));
    const runs = prepared.flatMap((one, index) => (each ? onEvery(one) : onAny(one, index)));
    const { result } = await db.tx(async (tx) =>
      earlier(async () => {
        const ids: RunId[] = [];
        for (const [index, run] of runs.entries()) {
          // No caller's key has a dot, so these are nobody else's.
          const key = `${scope.userId}.${idempotencyKey}.${index}`;
          ids.push(await options.enqueue(tx, scope, { ...run, trigger, idempotencyKey: key, requestHash: "" }));
        }
        return ids;
      })(tx),
    );
    options.runner.wake();
    return { runIds: result };
  };
}

type Share = Pick<QueuedRun, "prepared" | "phoneId" | "pool" | "shard">;

function onEvery(prepared: PreparedRun): Share[] {
  return prepared.phones.map((phoneId, shard) => ({ prepared, phoneId, shard }));
}

/** Meant for the phones in turn; whichever is free first takes it. */
function onAny(prepared: PreparedRun, index: number): Share[] {
  const { phones } = prepared;
  const phoneId = phones[index % phones.length];
  return phoneId === undefined ? [] : [{ prepared, phoneId, pool: phones }];
}

/** The phones that are meant, without doubles. @throws PerchError when no phone carries the tag */
export async function phonesOf(
  tagged: (scope: TeamScope, tag: string) => Promise<readonly PhoneId[]>,
  scope: TeamScope,
  phones: { readonly tag: string } | { readonly ids: readonly PhoneId[] },
): Promise<readonly PhoneId[]> {
  if ("ids" in phones) return [...new Set(phones.ids)];
  const found = await tagged(scope, phones.tag);
  if (found.length === 0) {
    throw new PerchError("not_found", `No phone has the tag ${phones.tag}. Tag one in its settings.`);
  }
  return found;
}

class NotYet extends Error {}

function unlessNotYet(error: unknown): undefined {
  if (!(error instanceof NotYet)) throw error;
}
