/** What rating costs: a million intervals, beside the loop over minutes one writes first. */
import { type Funds, type RatedPiece, type RunningPhone, rate } from "../shared/billing/rating.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";

const INTERVALS = 1_000_000;
const ROUNDS = 5;
/** The loop over minutes is slow: fewer intervals of the same teams. */
const PLAIN_INTERVALS = 20_000;
const PLAIN_ROUNDS = 3;
const PHONES = 4;
const DAYS = 25;
const ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe"] as const;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** Before a change of clocks in each of the zones. */
const FIRST = Date.UTC(2026, 9, 1, 8);

export const rating: Benchmark = {
  name: "rating",
  title: "Rating phone time",
  about:
    `${INTERVALS.toLocaleString("en")} intervals of ${PHONES} phones a team, 20 minutes to 3 hours, on ${DAYS} days each in one of four time zones. Plan ` +
    "time, a pack and free time run out on the way, then balance and invoice pay; one phone is dedicated, every second " +
    "team has a slot. Each settlement takes what the one before left. Beside it a loop over minutes that asks `Intl` for " +
    `the day, ${PLAIN_INTERVALS.toLocaleString("en")} intervals; both draw the same time from grants, or the benchmark fails.`,
  run: async () => benchRating(),
};

function benchRating(): readonly Figure[] {
  const check = [drawn(PLAIN_INTERVALS, rate), drawn(PLAIN_INTERVALS, byMinutes)];
  if (check[0] !== check[1])
    throw new Error(`Rating drew ${check[0]} ms from grants, the loop over minutes ${check[1]}.`);
  const ours = Array.from({ length: ROUNDS }, () => seconds(INTERVALS, rate));
  const theirs = Array.from({ length: PLAIN_ROUNDS }, () => seconds(PLAIN_INTERVALS, byMinutes));
  return [
    { name: `${INTERVALS.toLocaleString("en")} intervals`, unit: "ms", ...spread(ours.map((taken) => taken * 1_000)) },
    {
      name: "intervals rated",
      unit: "1/s",
      median: INTERVALS / median(ours),
      beside: { name: "a loop over minutes", median: PLAIN_INTERVALS / median(theirs) },
      aim: { of: "median", atLeast: 100_000 },
    },
  ];
}

type Rate = (running: readonly RunningPhone[], from: number, to: number, funds: Funds) => Rated;
interface Rated {
  readonly pieces: readonly RatedPiece[];
  readonly funds: Funds;
}

function seconds(intervals: number, rateWith: Rate): number {
  const start = performance.now();
  settleAll(intervals, rateWith, () => {});
  return (performance.now() - start) / 1_000;
}

function drawn(intervals: number, rateWith: Rate): number {
  let ms = 0;
  settleAll(intervals, rateWith, ({ pieces }) => {
    for (const { grantId, from, to } of pieces) if (grantId !== undefined) ms += to - from;
  });
  return ms;
}

function settleAll(intervals: number, rateWith: Rate, see: (rated: Rated) => void): void {
  for (let team = 0, done = 0; done < intervals; team += 1) {
    let funds = fundsOf(team);
    for (let day = 0; day < DAYS && done < intervals; day += 1, done += PHONES) {
      const from = FIRST + day * 24 * HOUR_MS + (team % 600) * MINUTE_MS;
      const to = from + (20 + ((team * 7 + day * 13) % 160)) * MINUTE_MS;
      const running = Array.from({ length: PHONES }, (_, index) => ({
        ...{ intervalId: `int_${team}_${day}_${index}`, phoneId: `ph_${team}_${index}`, startedAt: from },
      }));
      const rated = rateWith(running, from, to, funds);
      // The server reads the counts of the days it rates; this keeps no longer list either.
      funds = { ...rated.funds, days: rated.funds.days.slice(-PHONES) };
      see(rated);
    }
  }
}

function fundsOf(team: number): Funds {
  const grant = (kind: "plan" | "pack" | "promo", hours: number) => ({
    ...{ id: kind, kind, remainingMs: hours * HOUR_MS, startsAt: 0, expiresAt: FIRST + 20 * 24 * HOUR_MS },
  });
  return {
    ...{ unbilled: false, dedicated: new Set([`ph_${team}_0`]), slots: team % 2 },
    grants: [grant("plan", 20), grant("pack", 10), grant("promo", 5)],
    ...{ wallet: 200, overage: 100, rate: { perHour: 12, dailyCap: 150 }, days: [] },
    timeZone: ZONES[team % ZONES.length] ?? "UTC",
  };
}

/** What one writes first: minute by minute, phone by phone. */
function byMinutes(running: readonly RunningPhone[], from: number, to: number, start: Funds): Rated {
  const grants = start.grants.map((grant) => ({ ...grant }));
  const days = new Map(start.days.map((count) => [`${count.day} ${count.phoneId}`, { ...count }]));
  const written = new Intl.DateTimeFormat("sv-SE", { timeZone: start.timeZone });
  const pieces: RatedPiece[] = [];
  let { wallet, overage } = start;
  for (let at = from; at < to; at += MINUTE_MS) {
    const day = written.format(at);
    let slots = start.slots;
    for (const { intervalId, phoneId } of running) {
      const piece = { intervalId, phoneId, from: at, to: at + MINUTE_MS, day, amount: 0 };
      if (start.dedicated.has(phoneId)) pieces.push({ ...piece, cover: "dedicated" });
      else if (slots > 0) {
        slots -= 1;
        pieces.push({ ...piece, cover: "slot" });
      } else {
        const grant = grants.find(({ remainingMs, expiresAt = at + 1 }) => remainingMs > 0 && expiresAt > at);
        if (grant !== undefined) {
          grant.remainingMs -= MINUTE_MS;
          pieces.push({ ...piece, cover: grant.kind, grantId: grant.id });
          continue;
        }
        const count = days.get(`${day} ${phoneId}`) ?? { phoneId, day, ms: 0, amount: 0 };
        const ms = count.ms + MINUTE_MS;
        const due = Math.min(start.rate.dailyCap, Math.floor((ms * start.rate.perHour) / HOUR_MS)) - count.amount;
        const cover = wallet > 0 ? "wallet" : overage > 0 ? "overage" : "uncovered";
        if (cover === "wallet") wallet -= due;
        if (cover === "overage") overage -= due;
        if (cover !== "uncovered") days.set(`${day} ${phoneId}`, { phoneId, day, ms, amount: count.amount + due });
        pieces.push({ ...piece, cover, amount: cover === "uncovered" ? 0 : due });
      }
    }
  }
  return { pieces, funds: { ...start, grants, wallet, overage, days: [...days.values()] } };
}
