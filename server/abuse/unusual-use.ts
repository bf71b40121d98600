/**
 * Unusual use: a session whose token seems to be somebody else's, and an extension that is connected from a place nothing
 * of the person was ever seen in. Compared are the browser family and system, the part of the network, and how far apart
 * clocks go; nothing is looked up about where an address is, and nothing is stored that a session does not hold anyway.
 *
 * One change alone says nothing: carriers and VPNs change networks, browsers change versions, people move and buy
 * computers. A session lives in one browser; that its browser and its network change together is what a stolen token
 * looks like.
 */
import type { SessionId, UserId } from "../../shared/ids.ts";
import { deviceWords, sameDevice } from "../accounts/device-words.ts";
import { momentWords } from "../accounts/moment-words.ts";
import type { PageLinks } from "../accounts/page-links.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Writer } from "../db/database.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { regionOf } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import type { SightingsRepo } from "./sightings.repo.ts";

const HOUR_MS = 60 * 60_000;
/** Points of a hundred for what differs. */
const WEIGHTS = { device: 35, network: 25, clock: 25, soon: 15 } as const;
/** So soon after the last use nobody is somewhere else on another machine. */
const SOON_MS = HOUR_MS;
/** Clocks that differ by less are neighbours, or one of them has daylight saving time. */
const OTHER_CLOCK_MINUTES = 120;
/** Within a session: browser and network. */
const TELL_FROM = 60;
/** Within a session: browser and network, and soon. */
const PROVE_FROM = 75;
/** At a beginning a new browser somewhere else is a new computer; the person is told when clocks differ too. */
const TELL_BEGINNING_FROM = 85;

export interface Place {
  readonly ip: string | null;
  readonly userAgent: string | null;
  readonly timeZone?: string | null | undefined;
}

export interface UseWatch {
  /** Whether a use must be looked at: most never, so this costs next to nothing. */
  isOdd(last: Place, about: RequestInfo): boolean;
  /** Tells the person, once a day; gives whether they have to prove anew who they are before anything sensitive. */
  used(tx: Writer, session: Place & SessionOf & { readonly seenAt: Date }, about: RequestInfo): Promise<boolean>;
  /** A session begins; `earlier`: where the person's others were seen. */
  began(tx: Writer, session: SessionOf, about: RequestInfo, earlier: readonly Place[]): Promise<void>;
}
interface SessionOf {
  readonly id: SessionId;
  readonly userId: UserId;
}

/** 0 to 100: how unlike the last use of a session this one is. */
export function scoreUse(last: Place, now: Place, sinceMs: number): number {
  const device = differs(last.userAgent, now.userAgent, (a, b) => !sameDevice(a, b)) ? WEIGHTS.device : 0;
  const network = differs(last.ip, now.ip, (a, b) => regionOf(a) !== regionOf(b)) ? WEIGHTS.network : 0;
  const soon = device > 0 && network > 0 && sinceMs <= SOON_MS ? WEIGHTS.soon : 0;
  return device + network + soon;
}

/** 0 to 100: how unlike everything seen before a beginning is. Nothing seen before says nothing. */
export function scoreBeginning(earlier: readonly Place[], now: Place, at: number): number {
  const unlikeAll = (isOther: (before: Place) => boolean) => earlier.length > 0 && earlier.every(isOther);
  const device = unlikeAll((one) => differs(one.userAgent, now.userAgent, (a, b) => !sameDevice(a, b)));
  const network = unlikeAll((one) => differs(one.ip, now.ip, (a, b) => regionOf(a) !== regionOf(b)));
  const clock = unlikeAll((one) =>
    differs(one.timeZone, now.timeZone, (a, b) => Math.abs(offset(a, at) - offset(b, at)) >= OTHER_CLOCK_MINUTES),
  );
  return (device ? WEIGHTS.device : 0) + (network ? WEIGHTS.network : 0) + (clock ? WEIGHTS.clock : 0);
}

export function createUseWatch(options: {
  sightings: SightingsRepo;
  people: { findIn(tx: Writer, userId: UserId): Promise<{ readonly emailShown: string } | undefined> };
  teams: { listOfIn(tx: Writer, userId: UserId): Promise<readonly { readonly id: string }[]> };
  audit: Audit;
  mail: Pick<Mail, "queue">;
  clock: Clock;
  page: PageLinks;
}): UseWatch {
  const { sightings, people, teams, audit, mail, clock, page } = options;

  async function tell(tx: Writer, { id, userId }: SessionOf, what: string): Promise<void> {
    if ((await sightings.add(tx, "unusual_use", userId)) > 1) return;
    const person = await people.findIn(tx, userId);
    const [team] = await teams.listOfIn(tx, userId);
    if (person === undefined || team === undefined) return;
    await audit.record(tx, { chain: team.id, actor: userId, action: "account.unusual_use", object: id });
    await mail.queue(tx, {
      kind: "unusual_use",
      userId,
      recipient: person.emailShown,
      data: { what, at: momentWords(new Date(clock.now())), securityLink: page("/reset") },
    });
  }

  return {
    isOdd: (last, about) =>
      last.userAgent !== about.userAgent && last.ip !== about.ip && scoreUse(last, about, 0) >= TELL_FROM,
    async used(tx, session, about) {
      const score = scoreUse(session, about, clock.now() - session.seenAt.getTime());
      if (score < TELL_FROM) return false;
      const mustProve = score >= PROVE_FROM;
      const ask = mustProve ? " Before anything sensitive we ask for a fresh proof that it is you." : "";
      await tell(
        tx,
        session,
        `Your session in ${words(session)} was used from ${words(about)}, in another network.${ask}`,
      );
      return mustProve;
    },
    async began(tx, session, about, earlier) {
      if (scoreBeginning(earlier, about, clock.now()) < TELL_BEGINNING_FROM) return;
      await tell(
        tx,
        session,
        `The extension was connected to your account from ${words(about)}, in a network and at a local time we have not seen you in.`,
      );
    },
  };
}

function words({ userAgent }: Pick<Place, "userAgent">): string {
  const { browser, system } = deviceWords(userAgent);
  return `${browser} on ${system}`;
}

/** What is not known does not differ. */
function differs<T>(a: T | null | undefined, b: T | null | undefined, isOther: (a: T, b: T) => boolean): boolean {
  return a !== null && a !== undefined && b !== null && b !== undefined && isOther(a, b);
}

/** Minutes a zone's clocks are ahead of UTC at a moment. */
function offset(timeZone: string, at: number): number {
  const parts = new Intl.DateTimeFormat("en", { timeZone, timeZoneName: "longOffset" }).formatToParts(at);
  const name = parts.find(({ type }) => type === "timeZoneName")?.value ?? "";
  const [, sign = "+", hours = "0", minutes = "0"] = /GMT([+-])(\d\d):(\d\d)/.exec(name) ?? [];
  return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}
