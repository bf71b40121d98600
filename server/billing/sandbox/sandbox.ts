/**
 * The billing sandbox: stands in for Stripe's API behind the real SDK. No money moves. Production differs by the key and
 * the HTTP client alone.
 */
import type { Hono } from "hono";
import type { Clock } from "../../clock.ts";
import { PerchError } from "../../errors.ts";
import type { PagesEnv } from "../../http/pages/page-context.ts";
import type { Refusals } from "../../http/refusals.ts";
import { errorFields, type Log } from "../../log.ts";
import { createActs } from "./acts.ts";
import { createAlone, NOBODY } from "./alone.ts";
import { type ApiRequest, createApi } from "./api.ts";
import { type BankAnswer, type PayOutcome, payCheckout } from "./checkout-pay.ts";
import { createDeliveries, type Deliver } from "./deliveries.ts";
import { eventTaken } from "./due.ts";
import { createFaults, type Faults } from "./faults.ts";
import { type Forgotten, without } from "./forgetting.ts";
import { createIds } from "./ids.ts";
import { payInvoice } from "./pages/invoice-page.ts";
import { createSandboxPages } from "./pages/pages.ts";
import { openDispute, warnOfFraud } from "./payments.ts";
import { closeDispute } from "./refunds.ts";
import { ROUTES } from "./routes.ts";
import { changeSettings, type Settings, settingsOf } from "./settings.ts";
import type { SandboxStore } from "./store.ts";
import { createTime } from "./time.ts";
import type { Way } from "./ways.ts";

export { createMemoryStore, type SandboxRow, type SandboxStore, type SandboxWrites } from "./store.ts";
export type { ApiRequest, Deliver, Faults, PayOutcome, Settings, Way };

/** The only key the sandbox takes unless told another. It opens nothing. */
export const SANDBOX_KEY = "sk_test_sandbox_no_money_moves";
export const SANDBOX_PATH = "/sandbox";

export interface SandboxOptions {
  readonly store: SandboxStore;
  readonly clock: Clock;
  /** Where people reach the server. The sandbox serves a loopback address alone. */
  readonly publicUrl: URL;
  /** What webhooks are signed with; several while one is being replaced. */
  readonly webhookSecret: string | readonly string[];
  readonly deliver: Deliver;
  readonly log: Log;
  readonly key?: string;
  /** Hears what the pages refuse. */
  readonly refusals?: Refusals;
  /** Of the faults' dice. */
  readonly seed?: number;
  /** Sees every request before it is handled, with its parameters as they came. */
  readonly onRequest?: (request: ApiRequest) => void;
  /** Waits until the server has done what the webhooks just sent asked of it: a moved clock takes its next step then. */
  readonly settled?: () => Promise<void>;
}

export interface SandboxControls {
  /** The sandbox's own time, in milliseconds. */
  now(): Promise<number>;
  /** Lets that time pass, doing what falls due on the way, in order. */
  moveClock(ms: number): Promise<void>;
  readonly faults: Faults;
  settings(changes?: Partial<Settings>): Promise<Settings>;
  /** What the hosted checkout's button does. `answer`: what the person tells their bank when it asks. */
  pay(checkoutId: string, way: Way, answer?: BankAnswer): Promise<PayOutcome>;
  /** What the hosted invoice's button does. */
  payInvoice(invoiceId: string, way: Way, answer?: BankAnswer): Promise<PayOutcome>;
  /** Sends an event once more. */
  redeliver(eventId: string): Promise<void>;
  /** The holder disputes a payment. */
  dispute(chargeId: string): Promise<void>;
  closeDispute(disputeId: string, as: "won" | "lost"): Promise<void>;
  /** The bank suspects fraud. */
  warnOfFraud(chargeId: string): Promise<void>;
  /** Does what is due, as the sandbox's `tick`. */
  tick(): Promise<void>;
}

export interface BillingSandbox {
  /** Give to `new Stripe(key, { httpClient: Stripe.createFetchHttpClient(sandbox.fetch) })`. */
  readonly fetch: (url: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** Drives what is due: renewals, finalization, payment retries, webhook deliveries. */
  tick(): Promise<void>;
  /** Takes what leads to a person out of everything it holds. */
  forget(who: Forgotten): Promise<void>;
  /** Hosted pages and controls, to be mounted at `SANDBOX_PATH`. */
  readonly pages: Hono<PagesEnv>;
  readonly controls: SandboxControls;
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export function createBillingSandbox(options: SandboxOptions): BillingSandbox {
  const { store, clock, publicUrl, log, key = SANDBOX_KEY } = options;
  if (!LOOPBACK.has(publicUrl.hostname)) {
    throw new PerchError(
      "bad_input",
      `The billing sandbox serves this machine alone, and PUBLIC_URL is ${publicUrl.hostname}: anybody could pretend to pay. Set STRIPE_SECRET_KEY for real billing, or a loopback PUBLIC_URL.`,
    );
  }
  const pages = new URL(SANDBOX_PATH, publicUrl).href;
  const id = createIds(() => clock.now());
  const faults = createFaults(options.seed ?? 1);
  const alone = createAlone({ store, clock, id, changed: () => time.changed() });
  const api = createApi({
    key,
    pages,
    routes: ROUTES,
    faults,
    requestId: () => id("req"),
    onRequest: options.onRequest,
    alone,
    failed: (error) => log.error("The billing sandbox failed", errorFields(error)),
  });
  const deliveries = createDeliveries({
    clock,
    secrets: typeof options.webhookSecret === "string" ? [options.webhookSecret] : options.webhookSecret,
    deliver: options.deliver,
    faults,
    log,
    alone,
    delivered: eventTaken,
  });
  const time = createTime({ alone, clock, deliveries, pages, settled: options.settled ?? (async () => {}) });
  const acts = createActs({ alone, routes: ROUTES, pages });
  const { act } = acts;
  const controls: SandboxControls = {
    now: time.now,
    moveClock: time.move,
    tick: () => time.catchUp(),
    faults,
    settings: (changes = {}) =>
      act(async (view) => {
        await changeSettings(view, changes);
        return settingsOf(view);
      }),
    pay: (checkoutId, way, answer) => act((view) => payCheckout(view, checkoutId, way, answer, pages)),
    payInvoice: (invoiceId, way, answer) => act((view) => payInvoice(view, invoiceId, way, answer)),
    redeliver: async (eventId) => deliveries.again(eventId, await time.now()),
    dispute: (chargeId) => act(async (view) => void (await openDispute(view, await view.need("charge", chargeId)))),
    closeDispute: (disputeId, as) =>
      act(async (view) => void (await closeDispute(view, await view.need("dispute", disputeId), as))),
    warnOfFraud: (chargeId) => act(async (view) => void (await warnOfFraud(view, await view.need("charge", chargeId)))),
  };
  return {
    // Between two calls, so that none writes back what it read before.
    forget: (who) => alone(NOBODY, () => store.rewrite((data) => without(data, who))),
    fetch: async (url, init) => {
      const response = await api(url instanceof Request ? url.url : String(url), init);
      if (init?.method === "POST" && /\/test_clocks\/\w+\/advance$/.test(String(url))) await time.advanceTestClocks();
      return response;
    },
    tick: controls.tick,
    pages: createSandboxPages(
      { acts, controls, pay: controls.pay },
      { publicUrl, log, refusals: options.refusals ?? { note() {} } },
    ),
    controls,
  };
}
