/** What a person corrects, disputes and chooses about the use of their data. */
import type { z } from "zod";
import type { StatementId, UserId } from "../../../shared/ids.ts";
import type {
  disputeInput,
  Preferences,
  preferencesInput,
  rectifyInput,
  StatementView,
} from "../../../shared/privacy.ts";
import type { Credentials } from "../../accounts/credentials.service.ts";
import type { Audit, AuditAction } from "../../audit/audit.repo.ts";
import { holdsCardNumber } from "../../billing/card-numbers.ts";
import type { Clock } from "../../clock.ts";
import type { Database, Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import type { Jobs } from "../../jobs/jobs.service.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { CATEGORIES, type Category } from "../tags.ts";
import type { Choices, PreferencesRepo, StatementRow } from "./preferences.repo.ts";
import { STOP_JOB } from "./stop-work.ts";

/** Whose choice it is, and the chain it is recorded in. */
export interface Chooser {
  readonly userId: UserId;
  readonly chain: string;
}

export interface PrivacyPreferences {
  of(userId: UserId): Promise<Preferences>;
  change(actor: Actor, input: z.output<typeof preferencesInput>): Promise<Preferences>;
  /** The same inside a transaction; call `jobs.wake` after the commit. */
  changeIn(tx: Writer, chooser: Chooser, input: z.output<typeof preferencesInput>): Promise<Preferences>;
  /** Corrects a field, and tells whoever else holds it. A new address counts once it is confirmed. */
  rectify(actor: Actor, input: z.output<typeof rectifyInput>): Promise<void>;
  statements(userId: UserId): Promise<StatementView[]>;
  dispute(actor: Actor, input: z.output<typeof disputeInput>): Promise<StatementView>;
  removeStatement(actor: Actor, id: StatementId): Promise<void>;
}

const MOST_STATEMENTS = 50;

export function createPrivacyPreferences(options: {
  db: Database;
  repo: PreferencesRepo;
  credentials: Pick<Credentials, "updateProfile" | "changeEmail">;
  audit: Audit;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  clock: Clock;
}): PrivacyPreferences {
  const { db, repo, credentials, audit, jobs, clock } = options;
  const record = (tx: Writer, { userId, chain }: Chooser, action: AuditAction) =>
    audit.record(tx, { chain, actor: userId, action, object: userId });
  const chooserOf = ({ userId, teamId }: Actor): Chooser => ({ userId, chain: teamId });

  const changeIn: PrivacyPreferences["changeIn"] = async (tx, chooser, { restricted, metrics }) => {
    const { userId } = chooser;
    const before = await repo.findIn(tx, userId);
    const at = new Date(clock.now());
    const wanted = {
      restrictedAt: switched(before.restrictedAt, restricted, at),
      leftMetricsAt: switched(before.leftMetricsAt, metrics === undefined ? undefined : !metrics, at),
    };
    const restrictedChanged = isOn(before.restrictedAt) !== isOn(wanted.restrictedAt);
    const metricsChanged = isOn(before.leftMetricsAt) !== isOn(wanted.leftMetricsAt);
    if (restrictedChanged || metricsChanged) await repo.set(tx, userId, wanted, at);
    if (restrictedChanged) {
      await record(tx, chooser, isOn(wanted.restrictedAt) ? "privacy.restricted" : "privacy.unrestricted");
      if (isOn(wanted.restrictedAt)) await jobs.enqueue(tx, { kind: STOP_JOB, input: { userId } });
    }
    if (metricsChanged) {
      await record(tx, chooser, isOn(wanted.leftMetricsAt) ? "privacy.metrics_left" : "privacy.metrics_joined");
    }
    return viewOf(wanted);
  };

  return {
    of: async (userId) => viewOf(await repo.find(userId)),
    changeIn,
    async change(actor, input) {
      const chosen = await db.tx((tx) => changeIn(tx, chooserOf(actor), input));
      jobs.wake();
      return chosen;
    },
    async rectify(actor, input) {
      if (input.field === "fullName") await credentials.updateProfile(actor, { fullName: input.value });
      else await credentials.changeEmail(actor, { email: input.value });
    },
    statements: async (userId) => (await repo.statements(userId)).map(statementView),
    async dispute(actor, { category, text }) {
      if (!isHeldCategory(category)) throw new PerchError("bad_input", "There is no such category of data.");
      if (holdsCardNumber(text)) {
        const words = "Your statement seems to hold a card number. Leave it out: we never store one.";
        throw new PerchError("bad_input", words, { fields: { text: words } });
      }
      const { userId } = actor;
      const row = await db.tx(async (tx) => {
        if ((await repo.countStatements(tx, userId)) >= MOST_STATEMENTS) {
          throw new PerchError("limit_reached", `We keep at most ${MOST_STATEMENTS} statements. Remove one first.`);
        }
        const inserted = await repo.insertStatement(tx, { userId, category, text, at: new Date(clock.now()) });
        await record(tx, chooserOf(actor), "privacy.statement_added");
        return inserted;
      });
      return statementView(row);
    },
    async removeStatement(actor, id) {
      await db.tx(async (tx) => {
        if (!(await repo.deleteStatement(tx, actor.userId, id))) {
          throw new PerchError("not_found", "There is no such statement of yours.");
        }
        await record(tx, chooserOf(actor), "privacy.statement_removed");
      });
    },
  };
}

function isOn(at: Date | null): boolean {
  return at !== null;
}

/** Keeps the moment it was switched on when it is switched on again. */
function switched(before: Date | null, on: boolean | undefined, at: Date): Date | null {
  if (on === undefined) return before;
  return on ? (before ?? at) : null;
}

function viewOf({ restrictedAt, leftMetricsAt }: Choices): Preferences {
  return { restricted: isOn(restrictedAt), metrics: !isOn(leftMetricsAt) };
}

function isHeldCategory(category: string): category is Exclude<Category, "system.operations"> {
  return Object.hasOwn(CATEGORIES, category) && category !== "system.operations";
}

function statementView({ id, category, text, at }: StatementRow): StatementView {
  const label = isHeldCategory(category) ? CATEGORIES[category] : category;
  return { id, category, label, text, at: at.toISOString() };
}
