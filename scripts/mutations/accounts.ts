/** Who one is: sessions, passwords, factors. */
import type { Mutation } from "./mutation.ts";

export const SESSIONS: readonly Mutation[] = [
  {
    breaks: "Secrets are stored as they are",
    file: "server/accounts/secrets.ts",
    find: 'return createHash("sha256").update(secret).digest("base64url");',
    replace: "return secret;",
    test: { file: "server/screen/tickets.repo.test.ts", title: "are kept as a hash only" },
  },
  {
    breaks: "An ended session goes on",
    file: "server/accounts/sessions.service.ts",
    find: "if (found.endedAt !== null || found.idleExpiresAt",
    replace: "if (found.idleExpiresAt",
    test: { file: "server/accounts/accounts.test.ts", title: "signs in, refuses and ends sessions" },
  },
  {
    breaks: "A session has no end after disuse",
    file: "server/accounts/sessions.service.ts",
    find: "found.idleExpiresAt.getTime() <= now || ",
    replace: "",
    test: {
      file: "server/accounts/accounts.test.ts",
      title: "ends a session after 14 idle days, and after 60 days however it is used",
    },
  },
  {
    breaks: "A session has no longest life",
    file: "server/accounts/sessions.service.ts",
    find: "absoluteExpiresAt: new Date(now + SESSION_LONGEST_MS),",
    replace: "absoluteExpiresAt: new Date(now + 2 * SESSION_LONGEST_MS),",
    test: {
      file: "server/accounts/accounts.test.ts",
      title: "ends a session after 14 idle days, and after 60 days however it is used",
    },
  },
  {
    breaks: "The end of a session is not announced",
    file: "server/accounts/sessions.service.ts",
    find: "    ids.forEach(tell);\n    return ids;",
    replace: "    return ids;",
    test: { file: "server/base.router.test.ts", title: "end an event stream within a second of signing out" },
  },
  {
    breaks: "Signing in leaves the browser's earlier session alive",
    file: "server/http/pages/page-context.ts",
    find: "if (earlier !== undefined) await services.sessions.signOut(earlier);",
    replace: "",
    test: { file: "server/http/pages/pages.test.ts", title: "ABUSE-06 signing in ends the session the browser had" },
  },
  {
    breaks: "An extension's token opens web pages",
    file: "server/http/pages/page-context.ts",
    find: " && actor.credential.web\n",
    replace: "\n",
    test: {
      file: "server/http/pages/pages.test.ts",
      title: "does not take an extension's token for a web session",
    },
  },
  {
    breaks: "The cookie travels with foreign requests",
    file: "server/http/cookies.ts",
    find: 'sameSite: "Strict",',
    replace: 'sameSite: "None",',
    test: {
      file: "server/http/pages/pages.test.ts",
      title: "walks through sign-up, mail, confirmation, sign-out and sign-in",
    },
  },
  {
    breaks: "Scripts may read the cookie",
    file: "server/http/cookies.ts",
    find: "httpOnly: true,",
    replace: "httpOnly: false,",
    test: {
      file: "server/http/pages/pages.test.ts",
      title: "walks through sign-up, mail, confirmation, sign-out and sign-in",
    },
  },
  {
    breaks: "A connect code works again and again",
    file: "server/accounts/connect.repo.ts",
    find: "isNull(connectCodes.usedAt), ",
    replace: "",
    test: {
      file: "server/accounts/connect.test.ts",
      title: "ABUSE-10 a second use ends what the first produced",
    },
  },
  {
    breaks: "A connect code needs no verifier",
    file: "server/accounts/connect.service.ts",
    find: "!isProof(verifier, row.challenge) || ",
    replace: "",
    test: {
      file: "server/accounts/connect.test.ts",
      title: "ABUSE-10 a wrong verifier gets nothing, and there is no second guess",
    },
  },
  {
    breaks: "A connect code works for another redirect",
    file: "server/accounts/connect.service.ts",
    find: " || redirectUri !== row.redirectUri)",
    replace: ")",
    test: { file: "server/accounts/connect.test.ts", title: "ABUSE-10 a code is bound to its redirect" },
  },
  {
    breaks: "A connect code may be sent anywhere",
    file: "server/accounts/connect.service.ts",
    find: "origins.includes(url.origin) && ",
    replace: "",
    test: {
      file: "server/accounts/connect.test.ts",
      title: "never lets an address through whose origin is not on the list",
    },
  },
  {
    breaks: "A connect code does not expire",
    file: "server/accounts/connect.repo.ts",
    find: ", gt(connectCodes.expiresAt, now))",
    replace: ")",
    test: { file: "server/accounts/connect.test.ts", title: "ABUSE-10 a code dies after 60 seconds" },
  },
];

export const ACCOUNTS: readonly Mutation[] = [
  {
    breaks: "Any password will do",
    file: "server/accounts/password-rules.ts",
    find: "const problem = passwordProblem(password, about);",
    replace: "const problem: string | undefined = about.email === undefined ? password : undefined;",
    test: {
      file: "server/accounts/accounts.test.ts",
      title: "refuses a common or personal password at sign-up, reset and set-up",
    },
  },
  {
    breaks: "Common passwords pass",
    file: "server/accounts/password-rules.ts",
    find: "common.has(form) || isMadeOf(form, words) || isMadeOf(form, topPasswords)",
    replace: "form === common.toString()",
    test: { file: "server/accounts/passwords.test.ts", title: "refuses the common password %s" },
  },
  {
    breaks: "Passwords are hashed without a bound on how many at once",
    file: "server/accounts/passwords.ts",
    find: "if (free > 0) free -= 1;",
    replace: "if (free > -1_000) free -= 1;",
    test: {
      file: "server/accounts/passwords.test.ts",
      title: "runs at most as many at once as allowed, and frees the place of one that fails",
    },
  },
  {
    breaks: "No hash is made for an address without an account",
    file: "server/accounts/embedded.ts",
    find: "await passwords.verifyNothing(password);",
    replace: "",
    test: {
      file: "server/http/pages/enumeration.test.ts",
      title: "ABUSE-02 %s takes as long for nobody as for somebody",
    },
  },
  {
    breaks: "A confirmation link alone makes the account",
    file: "server/accounts/embedded.ts",
    find: 'if ((await passwords.verify(pending.phc, password)) === "wrong") return "wrong_password";',
    replace: "",
    test: {
      file: "server/accounts/accounts.test.ts",
      title: "ABUSE-03 a stranger who signs up with somebody's address gets nothing",
    },
  },
  {
    breaks: "A link of a mail works again and again",
    file: "server/accounts/one-time-tokens.repo.ts",
    find: "const [row] = await tx.delete(oneTimeTokens).where(valid(kind, token)).returning(columns);",
    replace: "const [row] = await tx.select(columns).from(oneTimeTokens).where(valid(kind, token));",
    test: {
      file: "server/accounts/embedded.test.ts",
      title: "gives a confirmation to exactly one of many",
    },
  },
  {
    breaks: "Opening a link uses it up",
    file: "server/accounts/embedded.ts",
    find: "return (await tokens.find(kind, token)) !== undefined;",
    replace: "return (await db.tx((tx) => tokens.take(tx, kind, token))) !== undefined;",
    test: {
      file: "server/http/pages/pages.test.ts",
      title: "ABUSE-09 opening the links of mails, however often, does nothing",
    },
  },
  {
    breaks: "Guesses at one account are not counted",
    file: "server/accounts/sign-in-limit.ts",
    find: 'await limiter.take("signIn", `account',
    replace: 'if (email === "") await limiter.take("signIn", `account',
    test: {
      file: "server/accounts/accounts.test.ts",
      title: "ABUSE-01 slows guesses from many places, and never locks the owner out",
    },
  },
];

export const FACTORS: readonly Mutation[] = [
  {
    breaks: "A code of an app works again",
    file: "server/accounts/second-factors.repo.ts",
    find: ", lt(totpFactors.lastStep, step))",
    replace: ")",
    test: {
      file: "server/accounts/sign-in-steps.test.ts",
      title: "ABUSE-04 a code gives one session, however often and however many at once it is sent",
    },
  },
  {
    breaks: "A backup code works again",
    file: "server/accounts/second-factors.repo.ts",
    find: ", eq(backupCodes.userId, userId), isNull(backupCodes.usedAt)))\n        .returning",
    replace: ", eq(backupCodes.userId, userId)))\n        .returning",
    test: {
      file: "server/accounts/sign-in-steps.test.ts",
      title: "ABUSE-04 a code gives one session, however often and however many at once it is sent",
    },
  },
  {
    breaks: "Codes may be guessed without end",
    file: "server/accounts/sign-in-steps.ts",
    find: 'if (tries < MOST_WRONG_ANSWERS) return "wrong";',
    replace: 'if (tries > 0) return "wrong";',
    test: {
      file: "server/accounts/sign-in-steps.test.ts",
      title: "ABUSE-04 five wrong codes end a sign-in, the owner hears of it, and guesses go on slower and slower",
    },
  },
  {
    breaks: "A passkey counts without its holder having been verified",
    file: "server/accounts/embedded-passkeys.ts",
    find: "requireUserVerification: true,\n              credential",
    replace: "requireUserVerification: false,\n              credential",
    test: {
      file: "server/accounts/embedded.test.ts",
      title:
        "refuses an answer of another origin, for another purpose, unverified, unsigned by the key, or with an old counter",
    },
  },
  {
    breaks: "Sign-ins from everywhere are not counted together",
    file: "server/accounts/sign-in-limit.ts",
    find: 'await limiter.take("signInAnywhere", "server");',
    replace: "",
    test: {
      file: "server/accounts/accounts.test.ts",
      title: "ABUSE-01 one password tried on everybody from everywhere costs few hashes, and owners still get in",
    },
  },
];
