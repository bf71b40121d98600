/**
 * What the partner charges the operator, pulled while it still says so (three days), and held beside the time we counted. It
 * is never anybody's bill: that is the usage ledger.
 */
import { z } from "zod";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { Clock } from "../../../clock.ts";
import type { Database } from "../../../db/database.ts";
import type { JobContext } from "../../../jobs/jobs.service.ts";
import type { Log } from "../../../log.ts";
import type { GeelarkApi } from "./api.ts";
import type { GeelarkRepo } from "./geelark.repo.ts";

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
/** "Only supports searching data within the last 3 days"; a minute less, for its clock is not ours. */
const REACH_MS = 3 * DAY_MS - MINUTE_MS;
/** An attempt that is cut off has so long to go on. */
const KEPT_MS = REACH_MS - 30 * MINUTE_MS;
const MOST_PAGES = 500;

const progress = z.object({ from: z.number(), until: z.number(), after: z.string() });

export interface ChargesPuller {
  /** Takes what is new; goes on where an attempt before was cut off. How many were new. */
  pull(context: Pick<JobContext, "progress" | "saveProgress" | "signal">): Promise<number>;
}

export function createChargesPuller(options: {
  readonly api: Pick<GeelarkApi, "charges">;
  readonly repo: GeelarkRepo;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
}): ChargesPuller {
  const { api, repo, db, clock, log } = options;
  return {
    async pull({ progress: before, saveProgress, signal }) {
      const begun = progress.safeParse(before).data;
      // What an attempt long ago began with may be out of the partner's reach by now.
      const resumed = begun !== undefined && begun.from > clock.now() - REACH_MS ? begun : undefined;
      const { from, until } = resumed ?? { from: clock.now() - KEPT_MS, until: clock.now() };
      let after = resumed?.after;
      let added = 0;
      for (let page = 0; page < MOST_PAGES; page += 1) {
        const range = { from: new Date(from), until: new Date(until), after };
        const { charges, next, unread } = await api.charges(range, signal);
        if (unread > 0) log.warn("Charges of the cloud-phone partner were not understood", { count: unread });
        added += await db.tx((tx) => repo.addCharges(tx, charges));
        if (next === undefined) return added;
        after = next;
        await saveProgress({ from, until, after });
      }
      log.warn("The cloud-phone partner has more charges than are pulled at once", { count: MOST_PAGES });
      return added;
    },
  };
}

export interface Difference {
  readonly vendorId: string;
  readonly phoneId: PhoneId | undefined;
  readonly partnerMinutes: number;
  readonly ourMinutes: number;
  readonly words: string;
}
export interface ChargesCheck {
  readonly from: Date;
  readonly until: Date;
  readonly charges: number;
  readonly partnerMinutes: number;
  readonly ourMinutes: number;
  readonly differences: readonly Difference[];
}

/** Of one session: it counts whole minutes, and from the moment the phone is asked to start, which we do not bill. */
const SESSION_SLACK_MINUTES = 4;
const SLACK_SHARE = 0.05;

/** Holds charges beside usage, for each phone. */
export async function checkCharges(repo: GeelarkRepo, from: Date, until: Date): Promise<ChargesCheck> {
  const [charges, used] = [await repo.chargesOf(from, until), await repo.usedOf(from, until)];
  const phoneOf = await repo.phonesOf([...new Set(charges.map(({ vendorId }) => vendorId))]);
  const vendorOf = new Map([...phoneOf].map(([vendorId, phoneId]) => [phoneId, vendorId]));
  const theirs = new Map<string, number>();
  for (const { vendorId, usedMinutes } of charges) {
    theirs.set(vendorId, (theirs.get(vendorId) ?? 0) + usedMinutes);
  }
  const ours = new Map<PhoneId, { ms: number; sessions: number }>();
  for (const { phoneId, startedAt, endedAt, lastSeenAt } of used) {
    const end = Math.min((endedAt ?? lastSeenAt).getTime(), until.getTime());
    const before = ours.get(phoneId) ?? { ms: 0, sessions: 0 };
    const ms = Math.max(0, end - Math.max(startedAt.getTime(), from.getTime()));
    ours.set(phoneId, { ms: before.ms + ms, sessions: before.sessions + 1 });
  }
  const differences: Difference[] = [];
  const note = (vendorId: string, phoneId: PhoneId | undefined) => {
    const partnerMinutes = theirs.get(vendorId) ?? 0;
    const { ms, sessions } = (phoneId && ours.get(phoneId)) ?? { ms: 0, sessions: 0 };
    const ourMinutes = Math.round(ms / MINUTE_MS);
    const words = differenceWords({ vendorId, phoneId, partnerMinutes, ourMinutes, sessions });
    if (words !== undefined) differences.push({ vendorId, phoneId, partnerMinutes, ourMinutes, words });
  };
  for (const vendorId of theirs.keys()) note(vendorId, phoneOf.get(vendorId));
  for (const phoneId of ours.keys()) if (!vendorOf.has(phoneId)) note("", phoneId);
  const sum = (all: Iterable<number>) => [...all].reduce((total, one) => total + one, 0);
  return {
    ...{ from, until, charges: charges.length, partnerMinutes: sum(theirs.values()), differences },
    ourMinutes: Math.round(sum([...ours.values()].map(({ ms }) => ms)) / MINUTE_MS),
  };
}

function differenceWords(of: {
  vendorId: string;
  phoneId: PhoneId | undefined;
  partnerMinutes: number;
  ourMinutes: number;
  sessions: number;
}): string | undefined {
  const { vendorId, phoneId, partnerMinutes, ourMinutes, sessions } = of;
  if (phoneId === undefined) {
    return `The partner charged ${partnerMinutes} minutes for its phone ${vendorId}, which no phone here was: another server's, or made by hand.`;
  }
  const slack = sessions * SESSION_SLACK_MINUTES + ourMinutes * SLACK_SHARE;
  const more = partnerMinutes - ourMinutes;
  const counted = `we counted ${ourMinutes} in ${sessions} ${sessions === 1 ? "session" : "sessions"}`;
  if (more > slack) {
    return `Phone ${phoneId}: the partner charged ${partnerMinutes} minutes, ${counted}. It may have run there while it was parked here.`;
  }
  if (-more > slack) {
    return `Phone ${phoneId}: the partner charged ${partnerMinutes} minutes, ${counted}. Charges may come late, or the phone is paid for by the month.`;
  }
  return undefined;
}
