/**
 * The price of phone time: one pure function, used by the server to settle and by the extension to preview. It takes what
 * runs and what there is to pay with, and says what every millisecond is covered by: dedicated phone → parallel slots →
 * plan minutes → packs → promotional grants → prepaid balance, capped per phone and day → overage under its cap → nothing.
 * Times are Unix or plain milliseconds, money integer minor units.
 *
 * The rule is one for a millisecond: in each, the phones that run take their turns, those that started first first, and
 * each takes the first thing that is left. What a millisecond costs follows from what runs and what is left alone, so
 * rating a time in parts, each with what the part before left, gives the same as rating it whole. The walk below only takes
 * as many equal milliseconds at once as there are.
 */
import { localDay } from "./local-days.ts";
import { affordable, costOf, type DayMeter, isCapped } from "./rating-payg.ts";

/** What covers a piece of time, in the order in which it is asked. */
export const COVERS = [
  "included",
  "dedicated",
  "slot",
  "plan",
  "pack",
  "promo",
  "wallet",
  "overage",
  "uncovered",
] as const;
/** `included`: this server sends no bills. `uncovered`: nothing covered it; it is never billed. */
export type Cover = (typeof COVERS)[number];
/** Covers that draw phone time, and money, from a grant. */
export const TIME_GRANTS = ["plan", "pack", "promo"] as const;
export type TimeGrantKind = (typeof TIME_GRANTS)[number];

/** A phone that ran without a break from `from` to `to`, or is taken to. */
export interface RunningPhone {
  /** The open interval: phones that started first are covered by slots first; equal starts go by id. */
  readonly intervalId: string;
  readonly phoneId: string;
  readonly startedAt: number;
}

/** Phone time that may be used until `expiresAt`, in milliseconds. */
export interface TimeGrant {
  readonly id: string;
  readonly kind: TimeGrantKind;
  readonly remainingMs: number;
  readonly startsAt: number;
  /** `undefined`: stays. */
  readonly expiresAt?: number | undefined;
}

/** What one phone had charged by the hour so far on one day. */
export interface DayCount {
  readonly phoneId: string;
  /** `2026-11-26`, in the team's time zone. */
  readonly day: string;
  readonly ms: number;
  readonly amount: number;
}

export interface Funds {
  /** True where the server sends no bills: everything is `included`. */
  readonly unbilled: boolean;
  readonly dedicated: ReadonlySet<string>;
  /** Phones that run at no cost by time at the same moment. */
  readonly slots: number;
  readonly grants: readonly TimeGrant[];
  /** Prepaid balance that may be used: 0 while it is frozen. */
  readonly wallet: number;
  /** What overage may still cost in this period: 0 unless the owner allowed it. */
  readonly overage: number;
  readonly rate: { readonly perHour: number; readonly dailyCap: number };
  /** IANA name; whose midnight the daily cap starts anew at. */
  readonly timeZone: string;
  readonly days: readonly DayCount[];
}

/** One piece of one phone's time under one cover. Pieces of a phone are adjacent, in order, and sum to the slice. */
export interface RatedPiece {
  readonly intervalId: string;
  readonly phoneId: string;
  readonly from: number;
  readonly to: number;
  readonly cover: Cover;
  /** The grant it was drawn from, for `plan`, `pack` and `promo`. */
  readonly grantId?: string;
  /** Day in the team's time zone; pieces never cross its midnight where money is charged. */
  readonly day: string;
  /** Minor units; above zero only for `wallet` and `overage`. */
  readonly amount: number;
}

export interface Rated {
  readonly pieces: readonly RatedPiece[];
  /** What is left to pay with. */
  readonly funds: Funds;
  /** The first moment at which something ran uncovered. */
  readonly uncoveredAt?: number;
}

interface Walked extends RunningPhone {
  readonly pieces: Piece[];
}
type Piece = { -readonly [K in keyof RatedPiece]: RatedPiece[K] };
type Drawn = { -readonly [K in keyof TimeGrant]: TimeGrant[K] };

/** Rates what ran from `from`, or from its start if that is later, to `to`. */
export function rate(running: readonly RunningPhone[], from: number, to: number, funds: Funds): Rated {
  const price = funds.rate;
  if (price.perHour > 3_600_000) throw new RangeError("A millisecond of a phone costs at most one minor unit.");
  const phones = running.map((phone): Walked => ({ ...phone, pieces: [] })).sort(byStart);
  const grants = funds.grants.map((grant): Drawn => ({ ...grant })).sort(byUse);
  const meters = new Map<string, DayMeter>();
  for (const count of funds.days) meters.set(`${count.day} ${count.phoneId}`, { ...count });
  const purse = { wallet: funds.wallet, overage: funds.overage };

  for (let at = from; at < to; ) {
    const { day, to: midnight } = localDay(at, funds.timeZone);
    let end = Math.min(to, midnight);
    const usable: Drawn[] = [];
    for (const grant of grants) {
      const expiresAt = grant.expiresAt ?? Number.POSITIVE_INFINITY;
      if (grant.remainingMs <= 0 || expiresAt <= at) continue;
      if (grant.startsAt > at) end = Math.min(end, grant.startsAt);
      else {
        end = Math.min(end, expiresAt);
        usable.push(grant);
      }
    }
    const payers: Walked[] = [];
    let slots = funds.slots;
    let ran = 0;
    for (const phone of phones) {
      if (phone.startedAt > at) {
        end = Math.min(end, phone.startedAt);
        break;
      }
      ran += 1;
    }
    for (let turn = 0; turn < ran; turn += 1) {
      const phone = phones[turn];
      if (phone === undefined) break;
      if (funds.unbilled) add(phone, at, end, "included", day);
      else if (funds.dedicated.has(phone.phoneId)) add(phone, at, end, "dedicated", day);
      else if (slots > 0) {
        slots -= 1;
        add(phone, at, end, "slot", day);
      } else payers.push(phone);
    }
    if (payers.length > 0) cover(payers, at, end, day, usable);
    at = end;
  }

  const pieces = phones.flatMap((phone) => phone.pieces);
  const uncoveredAt = pieces.reduce(
    (first, piece) => (piece.cover === "uncovered" ? Math.min(first, piece.from) : first),
    Number.POSITIVE_INFINITY,
  );
  return {
    pieces,
    funds: { ...funds, grants, wallet: purse.wallet, overage: purse.overage, days: [...meters.values()] },
    ...(uncoveredAt < to && { uncoveredAt }),
  };

  function meterOf({ phoneId }: Walked, day: string): DayMeter {
    const key = `${day} ${phoneId}`;
    const known = meters.get(key);
    if (known !== undefined) return known;
    const made = { phoneId, day, ms: 0, amount: 0 };
    meters.set(key, made);
    return made;
  }

  /** Covers a time within which only what is left changes. */
  function cover(payers: readonly Walked[], from: number, end: number, day: string, usable: readonly Drawn[]): void {
    for (let at = from; at < end; ) {
      const grant = usable.find(({ remainingMs }) => remainingMs > 0);
      const most = end - at;
      const turns =
        grant === undefined
          ? payByHour(payers, at, most, day)
          : drawTurns(payers, at, Math.min(most, Math.floor(grant.remainingMs / payers.length)), day, grant);
      at += turns > 0 ? turns : oneTurn(payers, at, day, usable);
    }
  }

  function drawTurns(payers: readonly Walked[], at: number, turns: number, day: string, grant: Drawn): number {
    grant.remainingMs -= turns * payers.length;
    if (turns > 0) for (const phone of payers) add(phone, at, at + turns, grant.kind, day, 0, grant.id);
    return turns;
  }

  /** Gives how long the money that is first in turn lasts for certain; 0 when it may end with the next millisecond. */
  function payByHour(payers: readonly Walked[], at: number, most: number, day: string): number {
    const counts = payers.map((phone) => meterOf(phone, day));
    const from = purse.wallet > 0 ? "wallet" : "overage";
    const turns = purse[from] > 0 ? affordable(counts, purse[from], most, price) : most;
    if (turns > 0) for (const phone of payers) charge(phone, at, turns, day);
    return turns;
  }

  /** The millisecond in which something ends: everybody takes what is there in their turn. */
  function oneTurn(payers: readonly Walked[], at: number, day: string, usable: readonly Drawn[]): 1 {
    for (const phone of payers) {
      const grant = usable.find(({ remainingMs }) => remainingMs > 0);
      if (grant === undefined) charge(phone, at, 1, day);
      else drawTurns([phone], at, 1, day, grant);
    }
    return 1;
  }

  /** By the hour, for as long as the same money pays. A phone that has reached its cap is paid for till midnight. */
  function charge(phone: Walked, at: number, ms: number, day: string): void {
    const meter = meterOf(phone, day);
    const from = purse.wallet > 0 ? "wallet" : purse.overage > 0 ? "overage" : undefined;
    if (from === undefined && !isCapped(meter, price)) {
      add(phone, at, at + ms, "uncovered", day);
      return;
    }
    const amount = costOf(meter, ms, price);
    meter.ms += ms;
    meter.amount += amount;
    if (from !== undefined) purse[from] -= amount;
    add(phone, at, at + ms, from ?? "wallet", day, amount);
  }
}

/**
 * The first moment at which, as things run, something is not covered any more; `undefined` when there is none within the
 * horizon.
 */
export function coveredUntil(
  running: readonly RunningPhone[],
  from: number,
  funds: Funds,
  horizonMs: number,
): number | undefined {
  return rate(running, from, from + horizonMs, funds).uncoveredAt;
}

/** Goes on with the phone's last piece where nothing but the time differs. */
function add(
  { pieces, intervalId, phoneId }: Walked,
  from: number,
  to: number,
  cover: Cover,
  day: string,
  amount = 0,
  grantId?: string,
): void {
  const last = pieces.at(-1);
  if (last !== undefined && last.cover === cover && last.grantId === grantId && last.day === day) {
    last.to = to;
    last.amount += amount;
    return;
  }
  const piece = { intervalId, phoneId, from, to, cover, day, amount };
  pieces.push(grantId === undefined ? piece : { ...piece, grantId });
}

function byStart(a: RunningPhone, b: RunningPhone): number {
  return a.startedAt - b.startedAt || (a.intervalId < b.intervalId ? -1 : 1);
}

/** Plan before packs before promotional time; of one kind what ends first. */
function byUse(a: TimeGrant, b: TimeGrant): number {
  const ends = (grant: TimeGrant) => grant.expiresAt ?? Number.MAX_SAFE_INTEGER;
  return TIME_GRANTS.indexOf(a.kind) - TIME_GRANTS.indexOf(b.kind) || ends(a) - ends(b) || (a.id < b.id ? -1 : 1);
}
