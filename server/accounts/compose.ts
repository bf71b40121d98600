/** Builds the account services and what stands on them: sessions, connect, mail, support. */
import type { Me } from "../../shared/accounts.ts";
import type { TeamId, UserId } from "../../shared/ids.ts";
import { createDecisionsRepo } from "../abuse/decisions.repo.ts";
import { createFormStamps, type FormStamps } from "../abuse/form-stamp.ts";
import { createJudge, type Judge } from "../abuse/judge.ts";
import type { PaymentFacts } from "../abuse/score.ts";
import { createSightingsRepo } from "../abuse/sightings.repo.ts";
import { createStanding, type Standing } from "../abuse/standing.service.ts";
import { createSuspensionsRepo } from "../abuse/suspensions.repo.ts";
import { createSuspensions, type Suspensions } from "../abuse/suspensions.service.ts";
import { createUseWatch } from "../abuse/unusual-use.ts";
import { createActivityRepo } from "../audit/activity.repo.ts";
import { type ActivityLog, createActivityLog } from "../audit/activity.service.ts";
import type { Audit } from "../audit/audit.repo.ts";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import type { Database, Writer } from "../db/database.ts";
import type { JobHandler, Jobs, Schedule } from "../jobs/jobs.service.ts";
import type { RateLimiter } from "../limits/rate-limiter.ts";
import { type Log, silentLog } from "../log.ts";
import { createMailRepo } from "../mail/mail.repo.ts";
import { createMail, MAIL_JOB, type Mail } from "../mail/mail.service.ts";
import { createSmtpTransport } from "../mail/smtp.ts";
import { nobodyToTell, type TellProcessors } from "../privacy/processors/tell-processors.ts";
import { createSupportRepo } from "../support/support.repo.ts";
import { createSupport, type Support } from "../support/support.service.ts";
import { type AccessChanges, createAccessChanges } from "../teams/access-changes.ts";
import { createInvitationsRepo } from "../teams/invitations.repo.ts";
import { createInvitations, type Invitations } from "../teams/invitations.service.ts";
import { createRightsLost, type RightsLost } from "../teams/rights-lost.ts";
import { createTeamsRepo, type TeamsRepo } from "../teams/teams.repo.ts";
import { createTeams, type Teams } from "../teams/teams.service.ts";
import { createAccountsRepo } from "./accounts.repo.ts";
import { type Accounts, createAccounts } from "./accounts.service.ts";
import { createApiTokensRepo } from "./api-tokens.repo.ts";
import { type ApiTokens, createApiTokens } from "./api-tokens.service.ts";
import { createConnectRepo } from "./connect.repo.ts";
import { type Connect, createConnect } from "./connect.service.ts";
import { type Credentials, createCredentials } from "./credentials.service.ts";
import { createEmailChange, type EmailChange } from "./email-change.service.ts";
import { createEmbeddedIdentity } from "./embedded.ts";
import { announceEndedElsewhere, SESSIONS_ENDED_JOB } from "./ended-elsewhere.ts";
import { createFactors, type Factors } from "./factors.service.ts";
import { createIdentitiesRepo } from "./identities.repo.ts";
import type { IdentityProvider } from "./identity-provider.ts";
import { createOneTimeTokensRepo } from "./one-time-tokens.repo.ts";
import { createPageLinks } from "./page-links.ts";
import { createPasswords, type Passwords } from "./passwords.ts";
import { createRecovery, type Recovery } from "./recovery.service.ts";
import { createSessionsRepo } from "./sessions.repo.ts";
import { createSessions, type Sessions } from "./sessions.service.ts";
import { createSignInLimit } from "./sign-in-limit.ts";
import { createSupabaseParts, type SupabaseParts } from "./supabase/compose.ts";
import { createIdentityCheck } from "./supabase/identity-check.service.ts";
import { createMove, type Move } from "./supabase/move.service.ts";
import { createUninstall, type Uninstall } from "./uninstall.service.ts";

export interface AccountServices {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly uninstall: Uninstall;
  readonly connect: Connect;
  readonly credentials: Credentials;
  readonly emailChange: EmailChange;
  readonly recovery: Recovery;
  readonly factors: Factors;
  readonly apiTokens: ApiTokens;
  readonly standing: Standing;
  /** Decisions and suspensions for an operator, whose audit log signs what they do. */
  deskBy(audit: Audit): { readonly standing: Standing; readonly suspensions: Suspensions };
  readonly judge: Judge;
  /** Counts a payment that was refused, against the owners of the team. */
  readonly cardDeclined: (tx: Writer, teamId: TeamId) => Promise<void>;
  readonly formStamps: FormStamps;
  readonly teams: Teams;
  readonly invitations: Invitations;
  readonly accessChanges: AccessChanges;
  readonly rightsLost: RightsLost;
  readonly activity: ActivityLog;
  /** Memberships, for what needs no more. */
  readonly memberships: TeamsRepo;
  readonly mail: Mail;
  readonly support: Support;
  readonly jobs: Readonly<Record<string, JobHandler>>;
  readonly schedules: readonly Schedule[];
  /** What the provider of sign-in keeps on another machine. */
  readonly identityElsewhere: IdentityProvider["elsewhere"];
  /** Set where people sign in through a Supabase project. */
  readonly supabase: (SupabaseParts & { readonly move: Move }) | undefined;
  /** Ends the connections to the mail server and to the sign-in service. */
  close(): void;
}

export function createAccountServices(options: {
  db: Database;
  audit: Audit;
  limiter: RateLimiter;
  jobs: Pick<Jobs, "enqueue" | "wake">;
  clock: Clock;
  config: Pick<Config, "SMTP_URL" | "MAIL_FROM" | "EXTENSION_IDS" | "PHONES_PER_TEAM" | "RUNNING_PER_TEAM"> &
    Partial<Pick<Config, "supabase">>;
  /** Left out: nothing is logged. */
  log?: Log;
  /** For tests with a sign-in service that answers at once. */
  supabase?: { readonly wrongAnswerMs: number };
  publicUrl: URL;
  /** Seals links that wait in the outbox. */
  key: Buffer;
  /** Keys what is remembered against abuse. */
  abuseKey: Buffer;
  /** Left out: argon2id as the policy promises. */
  passwords?: Passwords;
  /** Seals apps' secrets and keys the hashes of backup codes. */
  factorsKey: Buffer;
  /** Signs the addresses that end a session when the extension is removed. */
  uninstallKey: Buffer;
  /** Left out: nobody else keeps a name or an address. */
  tellProcessors?: TellProcessors;
  /** How many members a team's plan has room for. Left out: any number. */
  seatsOf?: (tx: Writer, teamId: TeamId) => Promise<number>;
  /** Ends what a team pays for, in the transaction that closes it. Left out: teams pay for nothing. */
  teamCloses?: (tx: Writer, teamId: TeamId) => Promise<void>;
  /** What a person paid and used. Left out, or nothing: nobody is billed. */
  paidBy?: (tx: Writer, userId: UserId) => Promise<Omit<PaymentFacts, "declinedCards"> | undefined>;
}): AccountServices {
  const { db, audit, limiter, jobs, clock, config, publicUrl, passwords = createPasswords() } = options;
  const { seatsOf = async () => Number.POSITIVE_INFINITY } = options;
  const { tellProcessors = nobodyToTell, teamCloses: closes = async () => {} } = options;
  const teams = createTeamsRepo(db, clock);
  const accountsRepo = createAccountsRepo(db, clock);
  const tokens = createOneTimeTokensRepo(db, clock);
  const apiTokensRepo = createApiTokensRepo(db);
  const page = createPageLinks(publicUrl);
  const transport =
    config.SMTP_URL === undefined ? undefined : createSmtpTransport({ url: config.SMTP_URL, from: config.MAIL_FROM });
  const mail = createMail({
    db,
    repo: createMailRepo(db, clock),
    jobs,
    audit,
    publicUrl,
    key: options.key,
    transport,
  });
  const decisions = createDecisionsRepo(db, clock);
  const sightings = createSightingsRepo({ db, clock, key: options.abuseKey });
  const formStamps = createFormStamps({ clock, key: options.abuseKey });
  const judge = createJudge({
    ...{ decisions, sightings, audit, mail, clock, publicUrl },
    people: accountsRepo,
    payments: {
      async of(tx, userId) {
        const known = await options.paidBy?.(tx, userId);
        return known && { ...known, declinedCards: await sightings.count(tx, "cards_declined", userId) };
      },
    },
  });
  const watch = createUseWatch({ sightings, people: accountsRepo, teams, audit, mail, clock, page });
  const sessionsRepo = createSessionsRepo(db);
  const sessions = createSessions({ db, repo: sessionsRepo, apiTokens: apiTokensRepo, audit, clock, watch });
  const common = { db, repo: accountsRepo, tokens, passwords, clock, publicUrl, factorsKey: options.factorsKey };
  const supabase =
    config.supabase &&
    createSupabaseParts({
      ...common,
      jobs,
      log: options.log ?? silentLog,
      project: config.supabase,
      ...options.supabase,
    });
  const identity = supabase?.identity ?? createEmbeddedIdentity(common);
  const limitSignIn = createSignInLimit({ db, repo: accountsRepo, sessions, limiter });
  const changing = {
    ...{ db, accounts: accountsRepo, teams, identity, tokens, sessions },
    ...{ mail, audit, limiter, clock, page, tellProcessors },
  };
  const emailChange = createEmailChange(changing);
  const accounts = createAccounts({
    db,
    repo: accountsRepo,
    teams,
    identity,
    tokens,
    sessions,
    mail,
    audit,
    limiter,
    limitSignIn,
    page,
    clock,
    formStamps,
    judge,
    followEmail: emailChange.follow,
  });
  const factors = createFactors({ ...changing, repo: accountsRepo });
  const upstream = supabase && {
    ...{ db, gotrue: supabase.gotrue, people: accountsRepo, teams, audit, clock },
    identities: createIdentitiesRepo(db, clock, "supabase"),
  };
  const check = upstream && createIdentityCheck({ ...upstream, sessions, mail, page, followEmail: emailChange.follow });
  const limits: Me["limits"] = {
    ...(config.PHONES_PER_TEAM !== undefined && { phones: config.PHONES_PER_TEAM }),
    ...(config.RUNNING_PER_TEAM !== undefined && { running: config.RUNNING_PER_TEAM }),
  };
  const connect = createConnect({
    db,
    repo: createConnectRepo(db),
    accounts: accountsRepo,
    teams,
    sessions,
    audit,
    clock,
    extensionIds: config.EXTENSION_IDS,
    limits,
  });
  const accessChanges = createAccessChanges(db);
  const invitationsRepo = createInvitationsRepo(db, clock);
  const rightsLost = createRightsLost({ teams, invitations: invitationsRepo, audit, changes: accessChanges });
  const deskBy = (by: Audit) => {
    const suspensions = createSuspensions({
      ...{ db, repo: createSuspensionsRepo(db, clock), decisions, people: accountsRepo, teams, audit: by, mail },
      ...{ enqueue: jobs.enqueue, publicUrl },
    });
    const standing = createStanding({
      ...{ db, decisions, people: accountsRepo, audit: by, mail, limiter, suspensions, publicUrl },
    });
    return { suspensions, standing };
  };
  const support = createSupport({ db, repo: createSupportRepo(db), mail, audit, limiter, clock });
  return {
    accounts,
    sessions,
    uninstall: createUninstall({ db, repo: sessionsRepo, sessions, audit, page, key: options.uninstallKey }),
    connect,
    credentials: createCredentials({ ...changing, factors, emailChange }),
    emailChange,
    recovery: createRecovery({ ...changing, limitSignIn }),
    factors,
    apiTokens: createApiTokens({ db, repo: apiTokensRepo, accounts: accountsRepo, teams, sessions, mail, audit, page }),
    deskBy,
    standing: deskBy(audit).standing,
    judge,
    async cardDeclined(tx, teamId) {
      const owners = (await teams.membersIn(tx, teamId)).filter(({ role }) => role === "owner");
      for (const { userId } of owners) await sightings.add(tx, "cards_declined", userId);
    },
    formStamps,
    teams: createTeams({
      ...{ db, repo: teams, invitations: invitationsRepo, sessions, rightsLost },
      ...{ changes: accessChanges, mail, audit, clock, publicUrl, closes },
    }),
    invitations: createInvitations({
      ...{ db, repo: invitationsRepo, teams, people: accountsRepo, accounts, sessions },
      ...{ mail, audit, limiter, clock, publicUrl },
      seatsOf,
    }),
    accessChanges,
    rightsLost,
    activity: createActivityLog(createActivityRepo(db)),
    memberships: teams,
    mail,
    support,
    jobs: { [MAIL_JOB]: mail.send, [SESSIONS_ENDED_JOB]: announceEndedElsewhere(sessions), ...check?.jobs },
    schedules: check?.schedules ?? [],
    identityElsewhere: identity.elsewhere,
    supabase: supabase && upstream && { ...supabase, move: createMove({ ...upstream, jobs }) },
    close() {
      transport?.close();
      supabase?.close();
    },
  };
}
