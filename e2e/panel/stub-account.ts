/** A person's account and teams in memory, for panel tests: realistic data, and levers for the rarer states. */
import type { Role } from "../../shared/access.ts";
import type { DecisionView, Me, SecurityOverview, TokenView } from "../../shared/accounts.ts";
import type { Activity, ActivityEntry, ActivityInput } from "../../shared/activity.ts";
import { newId, type PhoneId, type TeamId } from "../../shared/ids.ts";
import type { Phone } from "../../shared/phones.ts";
import type { InvitationView, MemberView, ReceivedInvitation, TeamView } from "../../shared/teams.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const ago = (ms: number) => new Date(Date.now() - ms).toISOString();
const ahead = (ms: number) => new Date(Date.now() + ms).toISOString();

export function stubMe(): Me {
  return {
    user: { id: newId("user"), email: "ada@example.com", name: "Ada Byron" },
    team: { id: newId("team"), name: "Ada's team", role: "owner" },
    session: {
      id: newId("session"),
      scopes: ["phones:view", "phones:control", "account", "team", "privacy", "billing"],
      expiresAt: ahead(60 * DAY_MS),
      provenUntil: ahead(600_000),
    },
    limits: { phones: 10, running: 4 },
  };
}

type Team = { -readonly [K in keyof TeamView]: TeamView[K] } & { phones: ReadonlyMap<PhoneId, Phone> };

export class StubAccount {
  /** Until when a fresh proof counts, Unix ms. */
  provenUntilMs = Date.now() + 600_000;
  lacksSecondFactor = false;
  /** How much the browser's clock is ahead of this server's. */
  clockAheadMs = 0;
  /** How the sign-in window ends. */
  window: "consents" | "declines" | "somebody_else" = "consents";
  /** `prompt` of every sign-in window that was opened. */
  readonly prompts: (string | null)[] = [];
  security: { -readonly [K in keyof SecurityOverview]: SecurityOverview[K] };
  tokens: TokenView[] = [];
  standing: DecisionView[] = [];
  received: ReceivedInvitation[] = [];
  readonly teams = new Map<TeamId, Team>();
  teamLog: ActivityEntry[] = [];
  myLog: ActivityEntry[] = [];
  readonly codes = Array.from({ length: 10 }, (_, index) => `S1HK-Y66G-ZSS${index}-W2${index}9`);

  constructor(me: Me) {
    this.security = {
      password: { changedAt: ago(40 * DAY_MS) },
      totp: null,
      backupCodesLeft: 0,
      passkeys: [],
      pendingEmail: null,
      passkeysPage: "/account/passkeys",
    };
    this.addTeam(me.team.id, me.team.name, me.team.role, [memberOf(me, me.team.role)]);
  }

  addTeam(id: TeamId, name: string, role: Role, members: readonly MemberView[]): Team {
    const team: Team = {
      id,
      name,
      role,
      requireSecondFactor: false,
      members,
      invitations: [],
      phones: new Map(),
    };
    this.teams.set(id, team);
    return team;
  }

  /** What `/connect` sends back. */
  connects(prompt: string | null): Readonly<Record<string, string>> {
    this.prompts.push(prompt);
    return this.window === "declines" ? { error: "access_denied" } : { code: `stub-code-${crypto.randomUUID()}` };
  }

  /** The log as it is asked for, ten at a time. */
  read(
    all: readonly ActivityEntry[],
    { group, actor, object, cursor }: ActivityInput,
    people: ReadonlyMap<string, string>,
  ): Activity {
    const from = Number(cursor ?? 0);
    const fitting = all.filter(
      (entry) =>
        (group === undefined || entry.group === group) &&
        (actor === undefined || entry.actor.name === people.get(actor)) &&
        (object === undefined || entry.object?.id === object),
    );
    const entries = fitting.slice(from, from + 10);
    return { entries, ...(from + 10 < fitting.length && { next: String(from + 10) }) };
  }
}

export function memberOf(me: Me, role: Role): MemberView {
  return {
    userId: me.user.id,
    name: me.user.name ?? me.user.email,
    email: me.user.email,
    role,
    joinedAt: ago(90 * DAY_MS),
    isMe: true,
    hasSecondFactor: true,
  };
}

export function stubMembers(me: Me, mine: Role = "owner"): MemberView[] {
  const others: readonly [string, string, Role, boolean][] = [
    ["Grace Nakamura-Fitzgerald", "grace.nakamura-fitzgerald@example.com", "admin", true],
    ["Ben Adeyemi", "ben@example.com", "operator", false],
    ["Chloé Martin", "chloe@example.com", "viewer", true],
    ["Accounts payable", "invoices@example.com", "billing", false],
  ];
  return [
    memberOf(me, mine),
    ...others.map(
      ([name, email, role, hasSecondFactor]): MemberView => ({
        userId: newId("user"),
        name,
        email,
        role,
        joinedAt: ago(30 * DAY_MS),
        isMe: false,
        hasSecondFactor,
      }),
    ),
  ];
}

export function stubInvitations(): InvitationView[] {
  const one = (email: string, role: Role, days: number): InvitationView => ({
    id: newId("invitation"),
    email,
    role,
    invitedBy: "Ada Byron",
    createdAt: ago(3 * DAY_MS),
    expiresAt: ahead(days * DAY_MS),
    expired: days < 0,
  });
  return [one("dorothy@example.com", "operator", 6), one("katherine.with-a-long-address@example.com", "viewer", -1)];
}

export function stubTokens(me: Me): TokenView[] {
  const mine = { id: me.user.id, name: me.user.name ?? "" };
  return [
    {
      id: newId("apiToken"),
      name: "Nightly checks",
      prefix: "cpt_9f3a",
      scopes: ["phones:view", "phones:control"],
      createdBy: mine,
      createdAt: ago(10 * DAY_MS),
      expiresAt: ahead(20 * DAY_MS),
      lastUsedAt: ago(7 * HOUR_MS),
    },
    {
      id: newId("apiToken"),
      name: "Dashboard",
      prefix: "cpt_c07e",
      scopes: ["phones:view", "account", "team"],
      createdBy: { id: newId("user"), name: "Ben Adeyemi" },
      createdAt: ago(200 * DAY_MS),
      expiresAt: ahead(165 * DAY_MS),
    },
  ];
}

export function stubDecision(over: Partial<DecisionView> = {}): DecisionView {
  return {
    id: newId("decision"),
    kind: "launch",
    action: "hold",
    state: "in_force",
    reasons: [
      "12 phones were started in the last hour, far more than new accounts need.",
      "The account is two days old.",
    ],
    at: ago(HOUR_MS),
    ...over,
  };
}

export function stubTeamLog(phones: readonly Pick<Phone, "id" | "name">[]): ActivityEntry[] {
  const me = { name: "Ada Byron", isMe: true };
  const ben = { name: "Ben Adeyemi", isMe: false };
  const [phone] = phones;
  const object = phone && { object: { id: phone.id, name: phone.name } };
  const rows: readonly (Omit<ActivityEntry, "seq" | "at"> & { readonly ms: number })[] = [
    { ms: 60_000, group: "phones", action: "phone.taken", words: "took control of a phone", actor: me, ...object },
    { ms: 9 * 60_000, group: "phones", action: "phone.driven", words: "drove a phone", actor: ben, ...object },
    {
      ms: 11 * 60_000,
      group: "automations",
      action: "run.started",
      words: "started an automation",
      actor: { name: "Chloé Martin", isMe: false },
      object: { id: newId("run"), name: "Check the basket and every price in it" },
    },
    {
      ms: DAY_MS,
      group: "team",
      action: "team.role_changed",
      words: "changed the role of a member",
      actor: me,
      object: { id: newId("user"), name: "Ben Adeyemi" },
    },
    {
      ms: DAY_MS + HOUR_MS,
      group: "phones",
      action: "phone.launched",
      words: "launched a phone",
      actor: ben,
      ...object,
    },
    {
      ms: 3 * DAY_MS,
      group: "account",
      action: "token.created",
      words: "made an API token",
      actor: { name: "A former member", isMe: false },
      object: { id: newId("apiToken"), name: "Nightly checks" },
    },
    ...Array.from({ length: 8 }, (_, index) => ({
      ms: (4 + index) * DAY_MS,
      group: "phones" as const,
      action: "phone.parked",
      words: "parked a phone",
      actor: { name: "The server", isMe: false },
      ...object,
    })),
  ];
  return rows.map(({ ms, ...row }, index) => ({ ...row, seq: rows.length - index, at: ago(ms) }));
}

export function stubMyLog(): ActivityEntry[] {
  const me = { name: "Ada Byron", isMe: true };
  const rows: readonly (Omit<ActivityEntry, "seq" | "at"> & { readonly ms: number })[] = [
    { ms: 120_000, group: "account", action: "account.signed_in", words: "signed in", actor: me },
    {
      ms: DAY_MS,
      group: "operator",
      action: "admin.user_read",
      words: "read your account",
      actor: { name: "The operator", isMe: false },
      reason: "Support request 482: cannot confirm the new address.",
    },
    {
      ms: DAY_MS + 60_000,
      group: "account",
      action: "account.sign_in_failed",
      words: "failed to sign in to your account",
      actor: { name: "Somebody", isMe: false },
    },
    { ms: 5 * DAY_MS, group: "account", action: "account.password_changed", words: "changed your password", actor: me },
  ];
  return rows.map(({ ms, ...row }, index) => ({ ...row, seq: rows.length - index, at: ago(ms) }));
}
