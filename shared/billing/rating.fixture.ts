/** What rating is tried with, and the rule it must follow written as plainly as can be: one millisecond after the other. */
import fc from "fast-check";
import { localDay } from "./local-days.ts";
import { type Cover, type Funds, type RatedPiece, type RunningPhone, TIME_GRANTS } from "./rating.ts";

export const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Pacific/Apia"] as const;

export const NOTHING: Funds = {
  ...{ unbilled: false, dedicated: new Set(), slots: 0, grants: [], wallet: 0, overage: 0 },
  ...{ rate: { perHour: 12, dailyCap: 150 }, timeZone: "UTC", days: [] },
};

export function phone(name: string, startedAt: number): RunningPhone {
  return { intervalId: `int_${name}`, phoneId: `ph_${name}`, startedAt };
}

/** Milliseconds and money by phone, cover, grant and day: what is the same however a time was split. */
export function sums(pieces: readonly RatedPiece[]): Readonly<Record<string, readonly [number, number]>> {
  const found: Record<string, [number, number]> = {};
  for (const { intervalId, cover, grantId, day, from, to, amount } of pieces) {
    const key = `${intervalId} ${cover} ${grantId ?? "-"} ${day}`;
    const [ms, money] = found[key] ?? [0, 0];
    found[key] = [ms + to - from, money + amount];
  }
  return found;
}

/** Funds in an order that does not matter, without counts of nothing. */
export function comparable(funds: Funds): unknown {
  const { grants, days, dedicated, ...rest } = funds;
  const byName = (a: string, b: string) => (a < b ? -1 : 1);
  return {
    ...rest,
    dedicated: [...dedicated].sort(byName),
    grants: [...grants].sort((a, b) => byName(a.id, b.id)),
    days: days
      .filter(({ ms, amount }) => ms !== 0 || amount !== 0)
      .sort((a, b) => byName(`${a.day} ${a.phoneId}`, `${b.day} ${b.phoneId}`)),
  };
}

/** The rule, millisecond by millisecond. */
export function ratedPlainly(running: readonly RunningPhone[], from: number, to: number, start: Funds) {
  const { perHour, dailyCap } = start.rate;
  const grants = start.grants.map((grant) => ({ ...grant }));
  const days = start.days.map((count) => ({ ...count }));
  let { wallet, overage } = start;
  const pieces: RatedPiece[] = [];
  const price = (ms: number) => Math.min(dailyCap, Number((BigInt(ms) * BigInt(perHour)) / 3_600_000n));
  const phones = [...running].sort((a, b) => a.startedAt - b.startedAt || (a.intervalId < b.intervalId ? -1 : 1));
  for (let at = from; at < to; at += 1) {
    const { day } = localDay(at, start.timeZone);
    let slots = start.slots;
    for (const { intervalId, phoneId, startedAt } of phones) {
      if (startedAt > at) continue;
      const take = (cover: Cover, amount = 0, grantId?: string) =>
        pieces.push({ intervalId, phoneId, from: at, to: at + 1, cover, day, amount, ...(grantId && { grantId }) });
      if (start.unbilled) take("included");
      else if (start.dedicated.has(phoneId)) take("dedicated");
      else if (slots > 0) {
        slots -= 1;
        take("slot");
      } else {
        const grant = TIME_GRANTS.flatMap((kind) =>
          grants
            .filter((one) => one.kind === kind && one.remainingMs > 0 && one.startsAt <= at)
            .filter(({ expiresAt }) => expiresAt === undefined || expiresAt > at)
            .sort((a, b) => (a.expiresAt ?? 9e15) - (b.expiresAt ?? 9e15) || (a.id < b.id ? -1 : 1)),
        )[0];
        if (grant !== undefined) {
          grant.remainingMs -= 1;
          take(grant.kind, 0, grant.id);
          continue;
        }
        let count = days.find((one) => one.phoneId === phoneId && one.day === day);
        if (count === undefined) {
          count = { phoneId, day, ms: 0, amount: 0 };
          days.push(count);
        }
        const charged = Math.max(count.amount, price(count.ms));
        if (charged < dailyCap && wallet === 0 && overage === 0) {
          take("uncovered");
          continue;
        }
        const amount = Math.max(0, price(count.ms + 1) - charged);
        count.ms += 1;
        count.amount += amount;
        if (wallet > 0) {
          wallet -= amount;
          take("wallet", amount);
        } else if (overage > 0) {
          overage -= amount;
          take("overage", amount);
        } else take("wallet", amount);
      }
    }
  }
  return { pieces, funds: { ...start, grants, days, wallet, overage } };
}

/** Small worlds around a moment, in which everything runs out within milliseconds, and large ones over days. */
export function worlds(around: number, spanMs: number) {
  const moment = fc.integer({ min: around - spanMs, max: around + spanMs });
  const small = spanMs < 1_000;
  const amount = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: small ? 12 : 400 }));
  return fc.record({
    from: moment,
    cuts: fc.array(fc.integer({ min: 0, max: spanMs }), { minLength: 1, maxLength: 4 }),
    running: fc
      .array(fc.integer({ min: -spanMs, max: spanMs }), { minLength: 1, maxLength: 5 })
      .map((starts) => starts.map((offset, index) => phone(String(index), around + offset))),
    funds: fc.record({
      unbilled: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      dedicated: fc.subarray(["ph_0", "ph_3"]).map((ids): ReadonlySet<string> => new Set(ids)),
      slots: fc.integer({ min: 0, max: 2 }),
      grants: fc
        .array(
          fc.record({
            kind: fc.constantFrom(...TIME_GRANTS),
            remainingMs: fc.integer({ min: 0, max: spanMs * 2 }),
            startsAt: moment,
            expiresAt: fc.option(moment, { nil: undefined }),
          }),
          { maxLength: 4 },
        )
        .map((some) => some.map((grant, index) => ({ id: `gr_${index}`, ...grant }))),
      wallet: amount,
      overage: amount,
      rate: fc.record({
        perHour: small ? fc.integer({ min: 100_000, max: 3_600_000 }) : fc.integer({ min: 1, max: 400 }),
        dailyCap: fc.integer({ min: 1, max: small ? 9 : 200 }),
      }),
      timeZone: fc.constantFrom(...ZONES),
      days: fc.constant([]),
    }),
  });
}
