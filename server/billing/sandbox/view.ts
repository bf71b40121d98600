/**
 * What one request sees and changes of the sandbox's objects: reads fall through to the store, writes wait in memory and
 * become one `apply`, or nothing at all.
 */
import type Stripe from "stripe";
import { type TeamId, teamId } from "../../../shared/ids.ts";
import { missing } from "./errors.ts";
import { plain } from "./expand.ts";
import type { MakeId } from "./ids.ts";
import type { AnyObj, Kind, Obj, SandboxEvent } from "./objects.ts";
import { API_VERSION } from "./sdk.ts";
import type { SandboxRow, SandboxStore } from "./store.ts";

/** Rows the sandbox keeps for itself. */
export type Inner = "settings" | "idempotency" | "delivery" | "deleted" | "meter_event" | "checkout_plan";

interface Change {
  readonly id: string;
  readonly type: Kind | Inner;
  readonly customer: string | null;
  /** Undefined: removed. */
  readonly data: string | undefined;
  readonly row: SandboxRow | undefined;
}

export interface RequestMark {
  readonly id: string | null;
  readonly idempotencyKey: string | null;
}

export class View {
  readonly id: MakeId;
  /** Unix seconds of the sandbox's own clock. A customer with a test clock has another: `timeOf`. */
  readonly now: number;
  /** Seconds that the sandbox's clock is ahead of the server's, whose "now" and "in an hour" come in requests. */
  readonly ahead: number;
  readonly mark: RequestMark;
  readonly #store: SandboxStore;
  readonly #changes: Map<string, Change>;

  constructor(options: {
    store: SandboxStore;
    id: MakeId;
    nowMs: number;
    aheadMs?: number;
    mark?: RequestMark;
    changes?: Map<string, Change>;
  }) {
    this.#store = options.store;
    this.id = options.id;
    this.now = Math.floor(options.nowMs / 1_000);
    this.ahead = Math.floor((options.aheadMs ?? 0) / 1_000);
    this.mark = options.mark ?? { id: null, idempotencyKey: null };
    this.#changes = options.changes ?? new Map();
  }

  /** The same world, whose changes nobody will see: for previews. */
  fork(): View {
    const nowMs = this.now * 1_000;
    const aheadMs = this.ahead * 1_000;
    return new View({
      aheadMs,
      store: this.#store,
      id: this.id,
      nowMs,
      mark: this.mark,
      changes: new Map(this.#changes),
    });
  }

  /** Takes over what a fork of this view changed. */
  adopt(fork: View): void {
    for (const [id, change] of fork.#changes) this.#changes.set(id, change);
  }

  async #row(id: string): Promise<SandboxRow | undefined> {
    return this.#changes.get(id)?.row ?? this.#store.get(id);
  }

  async inner<T>(type: Inner, id: string): Promise<T | undefined> {
    const change = this.#changes.get(id);
    if (change !== undefined) return change.type === type ? parsed<T>(change.data) : undefined;
    const row = await this.#store.get(id);
    return row?.type === type ? parsed<T>(row.data) : undefined;
  }

  async get<K extends Kind>(kind: K, id: string): Promise<Obj<K> | undefined> {
    const change = this.#changes.get(id);
    if (change !== undefined) return change.type === kind ? parsed<Obj<K>>(change.data) : undefined;
    const row = await this.#store.get(id);
    return row?.type === kind ? parsed<Obj<K>>(row.data) : undefined;
  }

  /** `param`: the parameter that names it; without one it stands in the address. */
  async need<K extends Kind>(kind: K, id: string, param?: string): Promise<Obj<K>> {
    const found = await this.get(kind, id);
    if (found === undefined) throw missing(kind.replace(/^.*\./, "").replaceAll("_", " "), id, param);
    return found;
  }

  async #all<T>(type: Kind | Inner, customer?: string): Promise<{ id: string; object: T }[]> {
    const rows = new Map((await this.#store.list(type, customer)).map((row) => [row.id, row.data]));
    for (const change of this.#changes.values()) {
      const isOne = change.type === type && (customer === undefined || change.customer === customer);
      if (isOne && change.data !== undefined) rows.set(change.id, change.data);
      else rows.delete(change.id);
    }
    return [...rows]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([id, data]) => {
        const object = parsed<T>(data);
        return object === undefined ? [] : [{ id, object }];
      });
  }

  /** In the order they were made in. */
  async list<K extends Kind>(kind: K, customer?: string): Promise<Obj<K>[]> {
    return (await this.#all<Obj<K>>(kind, customer)).map(({ object }) => object);
  }

  async listInner<T>(type: Inner): Promise<{ id: string; object: T }[]> {
    return this.#all<T>(type);
  }

  /** `customer`: whose it is, where the object itself does not say. */
  async put(object: AnyObj, customer = customerOf(object)): Promise<void> {
    await this.#write(object.object, object.id, customer, object);
  }

  async putInner(type: Inner, id: string, object: object, customer: string | null = null): Promise<void> {
    await this.#write(type, id, customer, object);
  }

  async #write(type: Kind | Inner, id: string, customer: string | null, object: object): Promise<void> {
    const row = await this.#row(id);
    const whose = customer ?? this.#changes.get(id)?.customer ?? row?.customer ?? null;
    this.#changes.set(id, { id, type, customer: whose, data: JSON.stringify(object), row });
  }

  async remove(type: Kind | Inner, id: string): Promise<void> {
    this.#changes.set(id, { id, type, customer: null, data: undefined, row: await this.#row(id) });
  }

  /** Writes and tells: `type` is sent when something changed, with what it was before. */
  async save(object: AnyObj, type: Stripe.Event["type"], customer = customerOf(object)): Promise<void> {
    const before = await this.get(object.object, object.id);
    await this.put(object, customer);
    const was = before === undefined ? {} : difference(before, object);
    if (before === undefined || Object.keys(was).length > 0) await this.emit(type, object, was, customer);
  }

  async emit(
    type: Stripe.Event["type"],
    object: AnyObj,
    previous: object = {},
    customer = customerOf(object),
  ): Promise<void> {
    const event: SandboxEvent = {
      id: this.id("event"),
      object: "event",
      api_version: API_VERSION,
      created: await this.timeOf(customer),
      data: {
        object: Object(plain(object)),
        ...(Object.keys(previous).length > 0 && { previous_attributes: previous }),
      },
      livemode: false,
      pending_webhooks: 1,
      request: { id: this.mark.id, idempotency_key: this.mark.idempotencyKey },
      type,
    };
    await this.#write("event", event.id, customer, event);
    const delivery: Delivery = { event: event.id, attempt: 0, dueAt: this.now * 1_000 };
    await this.#write("delivery", this.id("dlv"), customer, delivery);
  }

  /** Unix seconds where the customer lives: their test clock, else the sandbox's. */
  async timeOf(customer: string | null | undefined): Promise<number> {
    if (customer === null || customer === undefined) return this.now;
    const clock = (await this.get("customer", customer))?.test_clock;
    return (clock && (await this.get("test_helpers.test_clock", clock))?.frozen_time) || this.now;
  }

  /** What the server's clock calls `at`, in the customer's own time: it is not moved when the sandbox's is. */
  async translated(at: number, customer: string | null | undefined): Promise<number> {
    const clock = customer && (await this.get("customer", customer))?.test_clock;
    return clock ? at : at + this.ahead;
  }

  /** Everything at once; false when there was nothing. */
  async commit(nowMs: number): Promise<boolean> {
    const teams = new Map<string, TeamId | null>();
    const inserts: SandboxRow[] = [];
    const updates: SandboxRow[] = [];
    const removals: string[] = [];
    for (const { id, type, customer, data, row } of this.#changes.values()) {
      if (data === undefined) {
        if (row !== undefined) removals.push(id);
        continue;
      }
      const team = customer === null ? null : (teams.get(customer) ?? (await this.#teamOf(customer)));
      if (customer !== null) teams.set(customer, team);
      const made: SandboxRow = {
        id,
        type,
        teamId: team,
        customer,
        data,
        createdAt: row?.createdAt ?? nowMs,
        updatedAt: nowMs,
      };
      (row === undefined ? inserts : updates).push(made);
    }
    this.#changes.clear();
    if (inserts.length + updates.length + removals.length === 0) return false;
    await this.#store.apply({ inserts, updates, removals });
    return true;
  }

  async #teamOf(customer: string): Promise<TeamId | null> {
    const known = teamId.safeParse((await this.get("customer", customer))?.metadata["perch_team"]);
    return known.success ? known.data : ((await this.#store.get(customer))?.teamId ?? null);
  }
}

export interface Delivery {
  readonly event: string;
  readonly attempt: number;
  readonly dueAt: number;
}

/** Only this module writes rows, each by its type, so a row's JSON is what its type says. */
function parsed<T>(data: string | undefined): T | undefined {
  return data === undefined ? undefined : (JSON.parse(data) as T);
}

function customerOf(object: AnyObj): string | null {
  if (object.object === "customer") return object.id;
  return "customer" in object && typeof object.customer === "string" ? object.customer : null;
}

/** The fields of `before` that are not what they were. */
function difference(before: object, after: object): object {
  const now = new Map(Object.entries(after).map(([name, value]) => [name, JSON.stringify(value)]));
  return Object.fromEntries(Object.entries(before).filter(([name, value]) => now.get(name) !== JSON.stringify(value)));
}

export function gone(kind: Kind, id: string): { id: string; object: Kind; deleted: true } {
  return { id, object: kind, deleted: true };
}
