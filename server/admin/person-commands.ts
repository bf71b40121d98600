/** Commands about one person. Each leaves an entry in the audit log that the person sees, with its reason. */
import { email } from "../../shared/accounts.ts";
import { teamId } from "../../shared/ids.ts";
import { deviceWords } from "../accounts/device-words.ts";
import { PerchError } from "../errors.ts";
import { accountFacts } from "./account-facts.repo.ts";
import { type Commands, type Options, oneLine, parse, reason, type Work } from "./command.ts";

const PERSON = { email: { type: "string", required: true }, reason: { type: "string", required: true } } as const;

/** Ids of teams stand in `user show`. */
const TEAM = { team: { type: "string", required: true }, reason: { type: "string", required: true } } as const;

export const PERSON_COMMANDS: Commands = {
  "user show": {
    options: PERSON,
    async run(work, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const { user } = await personOf(work, options);
      const { db, audit, services, process } = work;
      const facts = await db.tx(async (tx) => {
        const entry = { chain: "server", actor: "operator", object: user.id, detail: { reason: why } } as const;
        await audit.record(tx, { ...entry, action: "admin.account_read" });
        return accountFacts(db, tx, user.id, new Date(process.clock.now()));
      });
      const line = (...parts: readonly (string | Date | null | undefined)[]) =>
        process.out(parts.map((part) => (part instanceof Date ? part.toISOString() : oneLine(part ?? "–"))).join("\t"));
      line("account", user.id, user.emailShown, user.fullName, user.createdAt);
      for (const { id, name, role } of await services.memberships.listOf(user.id)) line("team", id, name, role);
      for (const { id, kind, method, userAgent, createdAt, seenAt } of facts.sessions) {
        const { browser, system } = deviceWords(userAgent);
        line("session", id, kind, method, `${browser} on ${system}`, createdAt, seenAt);
      }
      for (const { id, name, prefix, scopes, expiresAt, lastUsedAt } of facts.tokens) {
        line("token", id, name, `${prefix}…`, scopes.join(","), expiresAt, lastUsedAt);
      }
      if (facts.passwordChangedAt !== undefined) line("factor", "password", facts.passwordChangedAt);
      if (facts.hasCodesOfApp) line("factor", "codes of an app", `${facts.backupCodesLeft} backup codes left`);
      for (const { name, lastUsedAt } of facts.passkeys) line("factor", "passkey", name, lastUsedAt);
      for (const { id, kind, action, state, createdAt } of facts.standing)
        line("decision", id, kind, action, state, createdAt);
    },
  },
  "user sign-out": {
    options: PERSON,
    async run(work, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const { user } = await personOf(work, options);
      const { ended, tokens } = await work.console.signOut(user.id, why);
      work.process.out(`Sessions ended: ${ended}. API tokens that still work: ${tokens}.`);
    },
  },
  "user suspend": {
    options: PERSON,
    async run(work, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const { user } = await personOf(work, options);
      await work.console.suspend({ userId: user.id }, why);
      work.process.out("Suspended. The running server ends what runs for them now; they get your reason by mail.");
    },
  },
  "user lift": {
    options: PERSON,
    async run(work, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const { user } = await personOf(work, options);
      await work.console.liftSuspension({ userId: user.id }, why);
    },
  },
  "team suspend": {
    options: TEAM,
    run: ({ console }, options) =>
      console.suspend(
        { teamId: parse(teamId, "--team", options["team"]) },
        parse(reason, "--reason", options["reason"]),
      ),
  },
  "team lift": {
    options: TEAM,
    run: ({ console }, options) =>
      console.liftSuspension(
        { teamId: parse(teamId, "--team", options["team"]) },
        parse(reason, "--reason", options["reason"]),
      ),
  },
  "user erase": {
    options: { ...PERSON, now: { type: "boolean" } },
    async run(work, options) {
      const why = parse(reason, "--reason", options["reason"]);
      const { user } = await personOf(work, options);
      const { erasures, process } = work;
      const { purgeAt } = await erasures.enter(user.id, { now: options["now"] === true, reason: why });
      process.out(
        options["now"] === true
          ? "The running server deletes the account now. It cannot be taken back."
          : `The running server deletes the account at ${purgeAt}. Until then the person can take it back by the link in their mail.`,
      );
    },
  },
};

/** Takes everybody with a password here over to the Supabase project of SUPABASE_URL. */
export const MOVE_COMMANDS: Commands = {
  "users move-to-supabase": {
    options: { reason: { type: "string", required: true } },
    async run({ services, process }, options) {
      const why = parse(reason, "--reason", options["reason"]);
      if (services.supabase === undefined) {
        throw new PerchError(
          "bad_input",
          "No Supabase project is set. Set SUPABASE_URL and its keys; see docs/supabase.md.",
        );
      }
      await services.identityElsewhere?.demandUsable();
      const { moved, taken, withoutPassword } = await services.supabase.move.all(why);
      process.out(`Moved: ${moved}. Without a password, to be set by mail: ${withoutPassword}.`);
      for (const email of taken) process.out(`Has an account there already, and stays: ${oneLine(email)}`);
    },
  },
};

async function personOf({ services }: Work, options: Options) {
  const found = await services.accounts.findByEmail(parse(email, "--email", options["email"]));
  if (found === undefined) throw new PerchError("not_found", "No account has this address.");
  return found;
}
