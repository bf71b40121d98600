/**
 * The partner's HTTP interface, as far as phones need it (GeeLark OpenAPI, github.com/geelark-tech/geelark-openapi; charges as
 * its command line asks for them, github.com/GeeLark/geelark-cli). Every answer is `{traceId, code, msg, data?}` with status
 * 200. What is not read here (proxies with their passwords, telephone numbers, addresses to watch a phone at) is dropped while
 * it is parsed.
 */
import { z } from "zod";
import type { Clock } from "../../../clock.ts";
import type { Log } from "../../../log.ts";
import { type GeelarkAccess, signedHeaders } from "./access.ts";
import type { CallLimiter } from "./limiter.ts";
import { type VendorState, vendorState } from "./states.ts";
import type { Transport } from "./transport.ts";
import { type Call, PATHS, PartnerError, type Trouble, troubleOf } from "./troubles.ts";

/** Most ids of one `status`, and entries of a page of `list`. */
export const BATCH = 100;
const CHARGES_A_PAGE = 1_000;
/** Pages of one listing. */
const MOST_PAGES = 200;
/** A call that waits its turn for longer is given up. */
const LONGEST_WAIT_MS = 90_000;
const TRIES = 3;
const LOCK_MS = 2 * 60 * 60_000;

const id = z
  .union([z.string(), z.number()])
  .transform(String)
  .pipe(z.string().regex(/^[\w-]{1,64}$/));
const envelope = z.object({ code: z.int(), data: z.unknown().optional() });
const failures = z.array(z.object({ code: z.int() })).nullish();
const counted = z.object({ failDetails: failures }).nullish();
const phone = z.object({ id, remark: z.string().max(2_000).nullish(), status: z.unknown() });
const listed = z.object({ items: z.array(z.unknown()).max(1_000).nullish() }).nullish();
const created = z.object({
  details: z.array(z.object({ code: z.int(), id: id.nullish().catch(undefined) })).min(1),
});
const statuses = z.object({
  successDetails: z.array(z.unknown()).max(1_000).nullish(),
  failDetails: z.array(z.unknown()).max(1_000).nullish(),
});
const oneStatus = z.object({ id, status: z.unknown() });
const oneFailure = z.object({ id, code: z.int() });
const adbData = z.object({
  items: z.array(
    z.object({ code: z.int(), id, ip: z.string().max(64), port: z.coerce.string().max(5), pwd: z.string().max(200) }),
  ),
});
const charge = z.object({
  id,
  envId: id,
  chargeType: z.int(),
  amount: z.union([z.number(), z.string().max(40)]).transform(String),
  usedTime: z.int().min(0).max(100_000_000),
  createdTime: z.int().min(0).max(100_000_000_000),
});
const charges = z.object({
  list: z.array(z.unknown()).max(5_000).nullish(),
  lastFlowId: id.nullish().catch(undefined),
});
const money = z.union([z.number(), z.string()]).transform(String).catch("?");
const wallet = z.object({ balance: money, giftMoney: money, availableTimeAddOn: money });
const plan = z.object({ plan: z.string().max(100).catch("?"), profiles: money, availableProfiles: money });

export interface VendorPhone {
  readonly vendorId: string;
  readonly remark: string;
  readonly state: VendorState;
}
export interface NewVendorPhone {
  readonly name: string;
  /** By which it is found again. */
  readonly remark: string;
  /** As the partner names it: "Android 14". */
  readonly type: string;
  readonly region: string | undefined;
  /** The number of a proxy saved at the partner, or the address of one. */
  readonly proxy: string;
}
export interface AdbData {
  readonly host: string;
  readonly port: number;
  readonly password: string;
}
export interface Charge {
  readonly id: string;
  readonly vendorId: string;
  readonly chargeType: number;
  readonly amount: string;
  readonly usedMinutes: number;
  readonly at: Date;
}

export interface GeelarkApi {
  /** Phones whose remark holds `remark`, of all pages. */
  list(remark: string, signal?: AbortSignal): Promise<readonly VendorPhone[]>;
  /** Its number. Never asked a second time: see `PartnerError.isUncertain`. */
  create(phone: NewVendorPhone, signal?: AbortSignal): Promise<string>;
  start(vendorId: string, signal?: AbortSignal): Promise<void>;
  stop(vendorId: string, signal?: AbortSignal): Promise<void>;
  remove(vendorId: string, signal?: AbortSignal): Promise<void>;
  /** Of at most 100 phones. Those it says nothing of are not in it. */
  statuses(vendorIds: readonly string[], signal?: AbortSignal): Promise<ReadonlyMap<string, VendorState>>;
  openAdb(vendorId: string, signal?: AbortSignal): Promise<void>;
  adbData(vendorId: string, signal?: AbortSignal): Promise<AdbData>;
  setGps(vendorId: string, place: { latitude: number; longitude: number }, signal?: AbortSignal): Promise<void>;
  /** One page of charges of a time, and where the next one begins. `unread`: entries that were not understood. */
  charges(
    of: { from: Date; until: Date; after: string | undefined },
    signal?: AbortSignal,
  ): Promise<{ charges: readonly Charge[]; next: string | undefined; unread: number }>;
  wallet(signal?: AbortSignal): Promise<{ balance: string; giftMoney: string; availableTimeAddOn: string }>;
  plan(signal?: AbortSignal): Promise<{ plan: string; profiles: string; availableProfiles: string }>;
}

/** Calls the partner refuses for two hours, kept over restarts. */
export interface Locks {
  until(path: string): Promise<Date | undefined>;
  lock(path: string, until: Date): Promise<void>;
}

export function createGeelarkApi(options: {
  readonly access: GeelarkAccess;
  readonly transport: Pick<Transport, "post">;
  readonly limiter: CallLimiter;
  readonly locks: Locks;
  readonly clock: Clock;
  readonly log: Log;
  readonly pause: (ms: number, signal: AbortSignal) => Promise<void>;
}): GeelarkApi {
  const { access, transport, limiter, locks, clock, log, pause } = options;
  const never = new AbortController().signal;

  async function inTurn(call: Call, signal: AbortSignal): Promise<void> {
    const until = await locks.until(PATHS[call]);
    if (until !== undefined && until.getTime() > clock.now()) throw new PartnerError("lock", { until });
    const giveUpAt = clock.now() + LONGEST_WAIT_MS;
    for (let wait = limiter.take(call); wait > 0; wait = limiter.take(call)) {
      if (clock.now() + wait > giveUpAt) throw new PartnerError("rate");
      await pause(wait, signal);
    }
  }

  /** Once there and back. What the partner writes in words stays here. */
  async function once(call: Call, body: unknown, signal: AbortSignal): Promise<unknown> {
    await inTurn(call, signal);
    let posted: Awaited<ReturnType<Transport["post"]>>;
    try {
      posted = await transport.post(PATHS[call], JSON.stringify(body), signedHeaders(access, clock.now()), signal);
    } catch (cause) {
      signal.throwIfAborted();
      // The cause may name the host and nothing of the call.
      throw new PartnerError("unreachable", { isUncertain: true, cause });
    }
    const answer = envelope.safeParse(posted.status === 200 ? jsonOf(posted.body) : undefined);
    if (!answer.success) throw new PartnerError("fault", { isUncertain: true });
    const { code, data } = answer.data;
    // 40006: some of it was done; 40009: none was. Both say in `data` what.
    if (code === 0 || ((code === 40006 || code === 40009) && data !== undefined && data !== null)) return data;
    const trouble = troubleOf(call, code, true);
    if (trouble === "rate") limiter.refused(call);
    if (trouble === "lock") {
      const until = new Date(clock.now() + LOCK_MS);
      await locks.lock(PATHS[call], until);
      log.error("The cloud-phone partner refuses calls for two hours, because there were too many", {
        kind: call,
        code: String(code),
      });
      throw new PartnerError("lock", { vendorCode: code, until });
    }
    throw new PartnerError(trouble, { vendorCode: code, isUncertain: trouble === "fault" });
  }

  /** Goes on after a fault that passes, and after the minute that was full. Not for what must not be done twice. */
  async function asked<T>(
    call: Call,
    body: unknown,
    schema: z.ZodType<T>,
    { signal = never, repeat = true }: { signal?: AbortSignal | undefined; repeat?: boolean } = {},
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const parsed = schema.safeParse(await once(call, body, signal));
        if (!parsed.success) throw new PartnerError("fault", { isUncertain: true });
        return parsed.data;
      } catch (error) {
        if (!(error instanceof PartnerError) || attempt >= TRIES) throw error;
        // A call that was one too many was not made at all.
        if (error.trouble !== "rate" && !(repeat && PASSING.includes(error.trouble))) throw error;
        await pause(error.trouble === "rate" ? 0 : 500 * 2 ** attempt, signal);
      }
    }
  }

  /** A call about one phone, so that what failed of it is about that one: ids of failures may have lost digits on their way. */
  async function aboutOne(call: Call, vendorId: string, body: object, signal: AbortSignal | undefined): Promise<void> {
    const done = await asked(call, { ids: [vendorId], ...body }, counted, { signal });
    const failed = done?.failDetails?.[0];
    if (failed !== undefined) throw failure(call, failed.code);
  }

  return {
    async list(remark, signal) {
      const found = new Map<string, VendorPhone>();
      for (let page = 1; page <= MOST_PAGES; page += 1) {
        const answer = await asked("list", { page, pageSize: BATCH, remark }, listed, { signal });
        const items = answer?.items ?? [];
        for (const item of items) {
          const one = phone.safeParse(item);
          if (!one.success) continue;
          const { id: vendorId, remark: told, status } = one.data;
          found.set(vendorId, { vendorId, remark: told ?? "", state: vendorState(status) });
        }
        if (items.length < BATCH) break;
      }
      return [...found.values()];
    },
    async create({ name, remark, type, region, proxy }, signal) {
      const through = /^\d+$/.test(proxy) ? { proxyNumber: Number(proxy) } : { proxyInformation: proxy };
      const row = { profileName: name, profileNote: remark, ...through };
      const body = { mobileType: type, chargeMode: 0, ...(region !== undefined && { region }), data: [row] };
      const { details } = await asked("create", body, created, { signal, repeat: false });
      const [made] = details;
      if (made === undefined || made.code !== 0) throw failure("create", made?.code ?? 50000);
      if (made.id === undefined || made.id === null) throw new PartnerError("fault", { isUncertain: true });
      return made.id;
    },
    start: (vendorId, signal) => aboutOne("start", vendorId, {}, signal),
    stop: (vendorId, signal) => aboutOne("stop", vendorId, {}, signal),
    remove: (vendorId, signal) => aboutOne("remove", vendorId, {}, signal),
    async statuses(vendorIds, signal) {
      const answer = await asked("status", { ids: vendorIds.slice(0, BATCH) }, statuses, { signal });
      const found = new Map<string, VendorState>();
      for (const item of answer.successDetails ?? []) {
        const one = oneStatus.safeParse(item);
        if (one.success) found.set(one.data.id, vendorState(one.data.status));
      }
      for (const item of answer.failDetails ?? []) {
        const one = oneFailure.safeParse(item);
        if (one.success && troubleOf("status", one.data.code, false) === "gone") found.set(one.data.id, "gone");
      }
      return found;
    },
    openAdb: (vendorId, signal) => aboutOne("adbOpen", vendorId, { open: true }, signal),
    async adbData(vendorId, signal) {
      const { items } = await asked("adbData", { ids: [vendorId] }, adbData, { signal });
      const found = items.find((item) => item.id === vendorId);
      if (found === undefined) throw new PartnerError("fault");
      if (found.code !== 0) throw failure("adbData", found.code);
      const port = Number(found.port);
      if (found.ip === "" || !Number.isInteger(port) || port < 1 || port > 65_535) throw new PartnerError("adbOff");
      return { host: found.ip, port, password: found.pwd };
    },
    async setGps(vendorId, place, signal) {
      const done = await asked("gps", { list: [{ id: vendorId, ...place }] }, counted, { signal });
      const failed = done?.failDetails?.[0];
      if (failed !== undefined) throw failure("gps", failed.code);
    },
    async charges({ from, until, after }, signal) {
      const range = { startAt: seconds(from), endAt: seconds(until), limit: CHARGES_A_PAGE };
      const body = { ...range, ...(after !== undefined && { lastFlowId: after }) };
      const { list, lastFlowId } = await asked("charges", body, charges, { signal });
      const entries = (list ?? []).map((entry) => charge.safeParse(entry));
      const read = entries.flatMap((entry) => (entry.success ? [entry.data] : []));
      const isLast = entries.length < CHARGES_A_PAGE || lastFlowId === undefined || lastFlowId === null;
      return {
        charges: read.map(({ id: number, envId, chargeType, amount, usedTime, createdTime }) => ({
          ...{ id: number, vendorId: envId, chargeType, amount, usedMinutes: usedTime },
          at: new Date(createdTime * 1_000),
        })),
        next: isLast || lastFlowId === after ? undefined : lastFlowId,
        unread: entries.length - read.length,
      };
    },
    // Somebody waits for these, and they may be asked for once a minute.
    wallet: (signal) => asked("wallet", {}, wallet, { signal, repeat: false }),
    plan: (signal) => asked("plan", {}, plan, { signal, repeat: false }),
  };
}

/** Faults that pass by themselves. */
const PASSING: readonly Trouble[] = ["fault", "unreachable"];

/** An entry of an answer that says what was not done with one phone. */
function failure(call: Call, code: number): PartnerError {
  return new PartnerError(troubleOf(call, code, false), { vendorCode: code });
}

function seconds(at: Date): number {
  return Math.floor(at.getTime() / 1_000);
}

function jsonOf(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
