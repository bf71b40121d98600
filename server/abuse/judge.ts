/**
 * Judges new accounts and their launches. A decision is taken in the transaction of what it is about and governs what
 * comes after: an account is always made, and the launch that was one too many still runs; the next one is asked for a
 * proof or held. Accounts of a set-up link and those an operator made are never judged.
 */
import type { UserId } from "../../shared/ids.ts";
import { deviceWords } from "../accounts/device-words.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Writer } from "../db/database.ts";
import { PerchError } from "../errors.ts";
import type { RequestInfo } from "../http/request-info.ts";
import { networkOf, regionOf } from "../limits/rate-limiter.ts";
import type { Mail } from "../mail/mail.service.ts";
import { STEP_UP_MS, type TeamScope } from "../teams/team-scope.ts";
import type { DecisionRow, DecisionsRepo } from "./decisions.repo.ts";
import { disposableDomains, mailboxOf } from "./mailbox.ts";
import { judge, launchSignals, type PaymentFacts, signUpSignals, type Verdict } from "./score.ts";
import type { SightingsRepo } from "./sightings.repo.ts";
import { type FormSignal, KIND_WORDS, reasonOf } from "./signals.ts";

/** What happened to a person's cards and bills. A server that bills nobody knows nothing. */
export interface Payments {
  of(tx: Writer, userId: UserId): Promise<PaymentFacts | undefined>;
}

export interface NewPerson {
  readonly userId: UserId;
  readonly emailShown: string;
  /** Chain of the person's own team. */
  readonly chain: string;
  /** What the sign-up form said. */
  readonly form: readonly FormSignal[];
}

export interface Judge {
  /** Gets ready to judge one sign-up; the step it gives runs in the transaction that makes the account. */
  arrival(about: RequestInfo): Promise<(tx: Writer, person: NewPerson) => Promise<void>>;
  /**
   * Before a launch, in its transaction. Throws `held_for_review`, or `step_up_required` when the person has not proven
   * who they are since it was asked for; `provenAt` is empty for API tokens and for work of the server.
   */
  demandLaunch(tx: Writer, scope: TeamScope, provenAt: Date | undefined): Promise<void>;
  /** Counts a launch that goes through, in its transaction. */
  launched(tx: Writer, scope: TeamScope): Promise<void>;
}

export function createJudge(options: {
  decisions: DecisionsRepo;
  sightings: SightingsRepo;
  payments: Payments;
  people: { findIn(tx: Writer, userId: UserId): Promise<{ readonly emailShown: string } | undefined> };
  audit: Audit;
  mail: Pick<Mail, "queue">;
  clock: Clock;
  publicUrl: URL;
}): Judge {
  const { decisions, sightings, payments, people, audit, mail, clock } = options;
  const standingLink = new URL("/account/standing", options.publicUrl).href;

  async function decide(
    tx: Writer,
    kind: DecisionRow["kind"],
    { userId, emailShown, chain }: Omit<NewPerson, "form">,
    verdict: Verdict,
  ): Promise<void> {
    const id = await decisions.insert(tx, userId, kind, verdict);
    if (verdict.action !== "hold") return;
    await audit.record(tx, { chain, actor: "server", action: "account.held", object: id });
    await mail.queue(tx, {
      kind: "held_for_review",
      userId,
      recipient: emailShown,
      data: {
        what: `${KIND_WORDS[kind]} You may not launch new phones until a person has looked at it.`,
        reasons: reasons(verdict.signals),
        contestLink: standingLink,
      },
    });
  }

  return {
    async arrival(about) {
      const disposable = await disposableDomains();
      const { browser, system } = deviceWords(about.userAgent);
      const device = `${regionOf(about.ip)} ${browser.replace(/ \d+$/, "")} ${system}`;
      return async (tx, person) => {
        await sightings.add(tx, "newcomer", person.userId);
        const verdict = judge(
          signUpSignals({
            isDisposable: disposable.has(person.emailShown),
            ofMailbox: await sightings.add(tx, "mailbox", mailboxOf(person.emailShown)),
            ofNetwork: await sightings.add(tx, "network", networkOf(about.ip)),
            ofDevice: await sightings.add(tx, "device", device),
            form: person.form,
          }),
          await decisions.accounts(tx),
        );
        if (verdict.action !== "allow") await decide(tx, "sign_up", person, verdict);
      };
    },
    async demandLaunch(tx, scope, provenAt) {
      // Whom an operator suspended got no further than the guard.
      const inForce = (await decisions.listOfIn(tx, scope.userId)).filter(
        ({ state, kind }) => state !== "lifted" && kind !== "operator",
      );
      const held = inForce.find(({ action }) => action === "hold");
      if (held !== undefined) throw heldError(held, standingLink);
      for (const { id, action, state, createdAt } of inForce) {
        if (action === "allow") continue;
        const isProven =
          provenAt !== undefined && provenAt > createdAt && clock.now() - provenAt.getTime() <= STEP_UP_MS;
        if (!isProven) {
          throw new PerchError(
            "step_up_required",
            `Confirm that it is you before you launch a phone: sign in again in the extension. Why: ${standingLink}`,
          );
        }
        if (state === "upheld") continue;
        await decisions.settle(tx, id, "lifted", "You confirmed that it is you.");
        await audit.record(tx, { chain: scope.teamId, actor: scope.userId, action: "account.released", object: id });
      }
    },
    async launched(tx, scope) {
      if ((await sightings.count(tx, "newcomer", scope.userId)) === 0) return;
      const earlier = await decisions.listOfIn(tx, scope.userId);
      const verdict = judge(
        launchSignals({
          launches: await sightings.add(tx, "launches", scope.userId),
          isSignUpDoubtful: earlier.some(({ kind }) => kind === "sign_up"),
          payment: await payments.of(tx, scope.userId),
        }),
        await decisions.accounts(tx),
      );
      // What was asked and answered once, or lifted by a person, is not asked again.
      const isNew = !earlier.some(
        ({ kind, action }) => kind === "launch" && (action === "hold" || action === verdict.action),
      );
      if (verdict.action === "allow" || !isNew) return;
      const person = await people.findIn(tx, scope.userId);
      if (person === undefined) return;
      await decide(tx, "launch", { ...scope, emailShown: person.emailShown, chain: scope.teamId }, verdict);
    },
  };
}

/** The reasons as one text. */
export function reasons(signals: DecisionRow["signals"]): string {
  return signals.map(({ signal }) => reasonOf(signal)).join(" ");
}

function heldError({ state, signals }: DecisionRow, standingLink: string): PerchError {
  const why = `Why: ${reasons(signals)}`;
  return new PerchError(
    "held_for_review",
    state === "upheld"
      ? `Your account may not launch phones: a person looked at it and decided so. ${why} Write to us if that is wrong.`
      : `Your account may not launch phones until a person has looked at it. ${why} Say why this is wrong at ${standingLink}.`,
  );
}
