/** Signing in through a Supabase project. */
import type { Mutation } from "./mutation.ts";

const KEYS = "server/accounts/supabase/signing-keys.test.ts";
const FAILURES = "server/accounts/supabase/failures.test.ts";

export const SUPABASE: readonly Mutation[] = [
  {
    breaks: "A token of Supabase signed with a shared secret is believed",
    file: "server/accounts/supabase/signing-keys.ts",
    find: "...{ algorithms: ALGORITHMS, issuer, audience: AUDIENCE, clockTolerance: CLOCK_TOLERANCE_S },",
    replace: "...{ issuer, audience: AUDIENCE, clockTolerance: CLOCK_TOLERANCE_S },",
    test: { file: KEYS, title: "signed with another key, or with the published key as a secret, are not believed" },
  },
  {
    breaks: "A token that Supabase made for another reader is believed",
    file: "server/accounts/supabase/signing-keys.ts",
    find: "audience: AUDIENCE, ",
    replace: "",
    test: { file: KEYS, title: "of %s are not believed" },
  },
  {
    breaks: "Keys of Supabase are kept for ever",
    file: "server/accounts/supabase/signing-keys.ts",
    find: "clock.now() - kept.at < KEYS_KEPT_MS ? kept",
    replace: "clock.now() - kept.at < 100 * KEYS_KEPT_MS ? kept",
    test: {
      file: KEYS,
      title: "are checked with keys that are kept for ten minutes, and then no longer without the service",
    },
  },
  {
    breaks: "A token with an unknown key makes the server ask Supabase each time",
    file: "server/accounts/supabase/signing-keys.ts",
    find: "if (asking === undefined && clock.now() - askedAt < COOLDOWN_MS) throw error;",
    replace: "",
    test: { file: KEYS, title: "of a new key make it look once, and not again before the cooldown is over" },
  },
  {
    breaks: "A code counts whatever Supabase's token says of it",
    file: "server/accounts/supabase/supabase-factors.ts",
    find: 'return facts.subject === person.id && facts.aal === "aal2";',
    replace: "return facts.subject === person.id;",
    test: { file: FAILURES, title: "says that a code was right, but its token says otherwise: nobody is let in" },
  },
  {
    breaks: "A code that Supabase takes twice is taken twice",
    file: "server/accounts/supabase/supabase-factors.ts",
    find: "right && (await tokens.claim(",
    replace: "right || (await tokens.claim(",
    test: {
      file: FAILURES,
      title: "asks for a code after the password; a sign-in elsewhere in between is no obstacle",
    },
  },
  {
    breaks: "Somebody else's account at Supabase is taken over by its address",
    file: "server/accounts/supabase/supabase.ts",
    find: 'if (session === undefined) throw new PerchError("conflict", OTHER_PASSWORD);',
    replace: "if (session === undefined) return subject;",
    test: {
      file: FAILURES,
      title: "makes an account that is there already the person's by its password, never by its address alone",
    },
  },
  {
    breaks: "Who was deleted at Supabase stays signed in",
    file: "server/accounts/supabase/identity-check.service.ts",
    find: "if (person === undefined || person.isBanned) return shutOut(userId, subject);",
    replace: "if (person === undefined || person.isBanned) return;",
    test: { file: FAILURES, title: "ends everything of a person who %s there within a day, and tells them" },
  },
  {
    breaks: "An unconfirmed address at Supabase becomes that of the profile",
    file: "server/accounts/supabase/identity-check.service.ts",
    find: "if (isOther && person.isConfirmed)",
    replace: "if (isOther)",
    test: { file: FAILURES, title: "knows a person by an address that was not confirmed: the profile keeps its own" },
  },
  {
    breaks: "Another person's right password at Supabase proves who one is",
    file: "server/accounts/sign-in-steps.ts",
    find: "const proof = holder?.id === user.id ? known : undefined;",
    replace: "const proof = known;",
    test: { file: FAILURES, title: "leaves each person who they were when an address leads to somebody else there" },
  },
];
