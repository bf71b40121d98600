/**
 * What this process counts as it happens. Labels are closed sets: kinds of endpoints, routers, results. No team, no
 * person, no phone and no address ever is one.
 */
import { createCounter, createHistogram, type Family } from "./exposition.ts";

/** Kinds of endpoints that take their time alike. */
export type EndpointClass = "call" | "stream" | "file" | "hook" | "page" | "health";
export type CallType = "query" | "mutation" | "subscription";
/** `refused`: no with a reason, to the caller; `failed`: ours. */
export type CallResult = "ok" | "refused" | "failed";
export type HookSource = "stripe" | "geelark" | "rules";

/** From answers out of memory to what nobody waits for. */
const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

export interface Meters {
  /** An answer's head was on its way after so many seconds. */
  answered(kind: EndpointClass, status: number, seconds: number): void;
  called(router: string, type: CallType, result: CallResult, seconds: number): void;
  /** A transaction ended; `tries` is more than one where the database made it run again. */
  transaction(result: "ok" | "failed", tries: number, seconds: number): void;
  hook(source: HookSource, taken: boolean): void;
  /** How much later than due a timer of this process ran. */
  loopLag(seconds: number): void;
  families(): Family[];
}

export function createMeters(): Meters {
  const requests = createHistogram(
    { name: "perch_http_request_duration_seconds", help: "Time from a request to the head of its answer." },
    SECONDS,
  );
  const calls = createHistogram(
    { name: "perch_call_duration_seconds", help: "Time of the work of API calls, after sign-in and limits." },
    SECONDS,
  );
  const transactions = createHistogram(
    { name: "perch_database_transaction_duration_seconds", help: "Time of writing transactions, waiting included." },
    SECONDS,
  );
  const retries = createCounter({
    name: "perch_database_retries_total",
    help: "Transactions the database made run once more because of a conflict.",
  });
  const hooks = createCounter({
    name: "perch_webhooks_received_total",
    help: "Webhooks that came in, by who sent them and whether they were taken.",
  });
  const lag = createHistogram(
    { name: "perch_event_loop_lag_seconds", help: "How much later than due a timer of this process ran." },
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  );
  // Counters that stand at 0 from the start: a rate over them sees the first event.
  retries.add({}, 0);
  for (const source of ["stripe", "geelark", "rules"] satisfies HookSource[]) {
    for (const result of ["taken", "refused"]) hooks.add({ source, result }, 0);
  }
  return {
    answered: (kind, status, seconds) =>
      requests.observe(seconds, { class: kind, status: `${Math.floor(status / 100)}xx` }),
    called: (router, type, result, seconds) => calls.observe(seconds, { router, type, result }),
    transaction(result, tries, seconds) {
      transactions.observe(seconds, { result });
      if (tries > 1) retries.add({}, tries - 1);
    },
    hook: (source, taken) => hooks.add({ source, result: taken ? "taken" : "refused" }),
    loopLag: (seconds) => lag.observe(seconds),
    families: () => [requests, calls, transactions, retries, hooks, lag].map((one) => one.family()),
  };
}

const CLASSES: readonly (readonly [pattern: RegExp, kind: EndpointClass])[] = [
  [/^\/trpc\//, "call"],
  [/^\/(hooks|webhooks)\//, "hook"],
  [/^\/(healthz|readyz|version|metrics)$/, "health"],
  [/^\/(files|runs|suites|workspaces|exports)\/|^\/privacy\/import$/, "file"],
];

/** The kind of endpoint behind a path. What streams is told by its answer, not by its path. */
export function endpointClass(path: string, contentType: string | null): EndpointClass {
  if (contentType?.startsWith("text/event-stream") === true) return "stream";
  return CLASSES.find(([pattern]) => pattern.test(path))?.[1] ?? "page";
}

const LAG_EVERY_MS = 500;

/** Looks twice a second how late this process is. Returns how to stop. */
export function watchLoop(meters: Pick<Meters, "loopLag">, monotonic: { now(): number }): () => void {
  let due = monotonic.now() + LAG_EVERY_MS;
  const timer = setInterval(() => {
    const now = monotonic.now();
    meters.loopLag(Math.max(0, now - due) / 1000);
    due = now + LAG_EVERY_MS;
  }, LAG_EVERY_MS);
  timer.unref();
  return () => clearInterval(timer);
}
