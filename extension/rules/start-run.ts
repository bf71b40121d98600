/** Starts a rule's run on the server and hears how runs ended. A start that fails leaves everything as it was. */
import { hasEnded, type RunState } from "../../shared/automation-model.ts";
import type { PhoneId, RunId } from "../../shared/id-values.ts";
import { ended, type GateOutcome } from "../../shared/rules/gates.ts";
import type { SavedRule } from "../../shared/rules-api.ts";
import { classifyFailure, failureSentence } from "../api/errors.ts";
import type { Offer } from "./offers.ts";
import type { RuleParts } from "./parts.ts";

export type StartResult =
  | { readonly ok: true; readonly runId: RunId; readonly duplicate: boolean }
  | { readonly ok: false; readonly words: string };

/** `phoneId` is for a rule that asks which phone. The server makes one run of one key, however often it is asked. */
export async function startRun(
  parts: RuleParts,
  { rule }: SavedRule,
  offer: Offer,
  outcome: Extract<GateOutcome, { fire: true }>,
  phoneId: PhoneId | undefined,
): Promise<StartResult> {
  const { records } = parts;
  const { server } = await parts.app.settings.get();
  if (server === undefined) return { ok: false, words: "There is no server yet. Set Perch up first." };
  const api = parts.app.api(server);
  const { dedupeKey } = outcome;
  try {
    // Where the rule restarts, the server ends the run before: it alone knows of other browsers'.
    const { outcome: said, runId } = await api.rules.start.mutate({
      ruleId: rule.id,
      way: offer.way,
      values: Object.fromEntries(offer.values.map(({ name, value }) => [name, value])),
      dedupeKey,
      ...(phoneId !== undefined && rule.action.phone === "ask" && { phoneId }),
      cause: outcome.chain.slice(0, -1),
    });
    await records.update("runs", (runs) => [
      ...runs.filter(({ key }) => key !== dedupeKey && !outcome.cancel.includes(key)),
      { ruleId: rule.id, key: dedupeKey, runId },
    ]);
    return { ok: true, runId, duplicate: said === "duplicate" };
  } catch (error) {
    await records.update("gates", (state) => ended(state, rule.id, dedupeKey, "refused", parts.now()));
    return { ok: false, words: failureSentence(classifyFailure(error, server, navigator.onLine)) };
  }
}

/** Asks how the runs that are not known to have ended are, and tells the gates. */
export async function settleRuns(parts: RuleParts): Promise<void> {
  const active = await parts.records.get("runs");
  const { server } = await parts.app.settings.get();
  if (active.length === 0 || server === undefined) return;
  const runs = await parts.app
    .api(server)
    .runs.list.query({ limit: 200 })
    .catch(() => undefined);
  if (runs === undefined) return;
  const over = active.flatMap((one) => {
    // One that is not in the list any more is long over, or its team is another one now.
    const state = runs.find(({ id }) => id === one.runId)?.state ?? "cancelled";
    return hasEnded(state) ? [{ ...one, result: resultOf(state) }] : [];
  });
  if (over.length === 0) return;
  await parts.records.update("gates", (state) =>
    over.reduce((now, { ruleId, key, result }) => ended(now, ruleId, key, result, parts.now()), state),
  );
  const gone = new Set(over.map(({ key }) => key));
  await parts.records.update("runs", (all) => all.filter(({ key }) => !gone.has(key)));
}

function resultOf(state: RunState): "passed" | "failed" | "cancelled" {
  if (state === "passed" || state === "warned") return "passed";
  return state === "cancelled" ? "cancelled" : "failed";
}
