/** One-line breaks of controls, each with the test that must go red: the proof that the proofs prove something. */

export interface Mutation {
  /** What is broken, in words. */
  readonly breaks: string;
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  readonly test: { readonly file: string; readonly title: string };
}

const TEAM: readonly Mutation[] = [
  {
    breaks: "A phone is found whoever's it is",
    file: "server/phones/phones.repo.ts",
    find: 'and(eq(phones.id, id), eq(phones.teamId, scope.teamId), ne(phones.state, "removed"))',
    replace: 'and(eq(phones.id, id), ne(phones.state, "removed"))',
    test: {
      file: "server/phones/phones.service.test.ts",
      title: "answers for another team's phone exactly as for none",
    },
  },
  {
    breaks: "A flow is found whoever's it is",
    file: "server/automations/flows.repo.ts",
    find: "and(eq(flows.id, id), eq(flows.teamId, scope.teamId))",
    replace: "eq(flows.id, id)",
    test: { file: "server/authz.test.ts", title: "%s knows nothing of another team's things" },
  },
  {
    breaks: "Scopes of a token are not looked at",
    file: "server/base.router.ts",
    find: "if (meta.scope !== undefined && !actor.scopes.includes(meta.scope)) {",
    replace: "if (meta.scope === undefined) {",
    test: { file: "server/base.router.test.ts", title: "asks for scope and role, before it reads the input" },
  },
  {
    breaks: "Every role has every permission",
    file: "server/teams/team-scope.ts",
    find: "if (!roleMay(actor.role, permission)) return undefined;",
    replace: "",
    test: { file: "server/base.router.test.ts", title: "asks for scope and role, before it reads the input" },
  },
  {
    breaks: "What needs a fresh proof goes without one",
    file: "server/base.router.ts",
    find: "if (clock.now() - actor.authenticatedAt.getTime() > STEP_UP_MS) {",
    replace: "if (clock.now() < 0) {",
    test: {
      file: "server/base.router.test.ts",
      title: "asks for a fresh proof within ten minutes, and never takes a token for one",
    },
  },
  {
    breaks: "An API token counts as a fresh proof",
    file: "server/base.router.ts",
    find: 'if (actor.credential.kind === "token")',
    replace: "if (clock.now() < 0)",
    test: {
      file: "server/base.router.test.ts",
      title: "asks for a fresh proof within ten minutes, and never takes a token for one",
    },
  },
  {
    breaks: "A team's rule of a second factor is not looked at",
    file: "server/base.router.ts",
    find: 'if (meta.auth === "team" && actor.lacksSecondFactor) {',
    replace: 'if (meta.auth === "public") {',
    test: { file: "server/authz.test.ts", title: "%s refuses a password alone" },
  },
  {
    breaks: "A procedure without a declaration is let through",
    file: "server/base.router.ts",
    find: "if (meta === undefined) throw new Error(",
    replace: "if (meta === undefined) return next();\n  if (meta === undefined) throw new Error(",
    test: { file: "server/base.router.test.ts", title: "refuses a procedure without meta before anything else runs" },
  },
];

const SESSIONS: readonly Mutation[] = [
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
    file: "server/http/pages/page-context.ts",
    find: 'sameSite: "Strict",',
    replace: 'sameSite: "None",',
    test: {
      file: "server/http/pages/pages.test.ts",
      title: "walks through sign-up, mail, confirmation, sign-out and sign-in",
    },
  },
  {
    breaks: "Scripts may read the cookie",
    file: "server/http/pages/page-context.ts",
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

const ACCOUNTS: readonly Mutation[] = [
  {
    breaks: "Any password will do",
    file: "server/accounts/accounts.service.ts",
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
    find: "common.has(form) || isMadeOfCommonWords(form)",
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
    test: { file: "server/http/pages/pages.test.ts", title: "ABUSE-02 takes as long for nobody as for somebody" },
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
    file: "server/accounts/accounts.service.ts",
    find: "if (!isKnownPlace) await limiter.take",
    replace: "if (isKnownPlace && email === about.ip) await limiter.take",
    test: {
      file: "server/accounts/accounts.test.ts",
      title: "ABUSE-01 slows guesses from many places, and never locks the owner out",
    },
  },
];

const DOORS: readonly Mutation[] = [
  {
    breaks: "Any name is answered",
    file: "server/http/guards.ts",
    find: "hostAllowed: (host) => hosts.has(host.toLowerCase()),",
    replace: "hostAllowed: (host) => hosts.size > 0 || host.length > 0,",
    test: {
      file: "server/http/guards.test.ts",
      title: "refuse %j: a page that rebinds its own name gets nothing",
    },
  },
  {
    breaks: "Any origin may call",
    file: "server/http/guards.ts",
    find: "if (origin !== undefined && origin !== doors.ownOrigin && !doors.extensionOrigin(origin)) {",
    replace: 'if (origin === "nowhere") {',
    test: { file: "server/http/guards.test.ts", title: "%j may not call, not even to ask" },
  },
  {
    breaks: "A plain form makes a call",
    file: "server/http/guards.ts",
    find: 'if (type !== "application/json")',
    replace: 'if (type === "nothing")',
    test: { file: "server/http/guards.test.ts", title: "of type %j run nothing" },
  },
  {
    breaks: "A large body is read",
    file: "server/app.ts",
    find: "const MAX_BODY_BYTES = 512 * 1024;",
    replace: "const MAX_BODY_BYTES = 512 * 1024 * 1024;",
    test: { file: "server/http/guards.test.ts", title: "that are too large are refused before they are read" },
  },
  {
    breaks: "Anybody may say what address they have",
    file: "server/http/guards.ts",
    find: "if (!trustedProxies.includes(address)) return address;",
    replace: "",
    test: { file: "server/http/guards.test.ts", title: "is never what an untrusted sender writes" },
  },
  {
    breaks: "Forms from foreign pages count",
    file: "server/http/pages/page-context.ts",
    find: 'if (!isOwnOrigin(c.req.header("origin"), publicUrl) || ',
    replace: "if (",
    test: {
      file: "server/http/pages/pages.test.ts",
      title: "ABUSE-13 %s takes plain forms of our own pages and nothing else",
    },
  },
  {
    breaks: "Pages may be framed",
    file: "server/http/pages/page-context.ts",
    find: "    \"frame-ancestors 'none'\",\n",
    replace: "",
    test: { file: "server/http/pages/pages.test.ts", title: "sends strict headers with every page and every error" },
  },
  {
    breaks: "The mail preview opens from elsewhere",
    file: "server/http/pages/mail-preview-page.ts",
    find: "LOOPBACK_NAMES.has(name) &&",
    replace: "name.length > 0 ||",
    test: {
      file: "server/http/pages/pages.test.ts",
      title: "ABUSE-40 the outbox opens at the machine only, whatever headers say",
    },
  },
  {
    breaks: "A screen ticket opens many sockets",
    file: "server/screen/tickets.repo.ts",
    find: ".delete(streamTickets)\n          .where(eq(streamTickets.hash, hashSecret(ticket)))\n          .returning();",
    replace: ".select()\n          .from(streamTickets)\n          .where(eq(streamTickets.hash, hashSecret(ticket)));",
    test: { file: "server/screen/tickets.repo.test.ts", title: "open one socket, however many try at once" },
  },
  {
    breaks: "A screen ticket outlives its session",
    file: "server/screen/tickets.repo.ts",
    find: "if (live === undefined || user === undefined) return undefined;",
    replace: "if (user === undefined) return undefined;",
    test: { file: "server/screen/tickets.repo.test.ts", title: "end with the session or token that asked" },
  },
  {
    breaks: "Any origin opens a screen",
    file: "server/screen/screen.socket.ts",
    find: "if (origin !== undefined && !originAllowed(origin)) return ORIGIN_REFUSED;",
    replace: "",
    test: { file: "server/screen/screen.socket.test.ts", title: "refuses another origin without using up the ticket" },
  },
  {
    breaks: "Who may only watch drives",
    file: "server/screen/control.ts",
    find: "if (viewer.mayControl && isFreeFor(viewer)) hand(viewer);",
    replace: "if (isFreeFor(viewer)) hand(viewer);",
    test: {
      file: "server/screen/control.test.ts",
      title: "goes to the first who may have it, never to one who may only watch",
    },
  },
];

const MACHINE: readonly Mutation[] = [
  {
    breaks: "Stored limits let everything through",
    file: "server/limits/limits.repo.ts",
    find: "if (arrival - now > tolerance) return arrival - tolerance - now;",
    replace: "if (tolerance < 0) return arrival;",
    test: { file: "server/limits/limits.test.ts", title: "lets exactly the burst through when all come at once" },
  },
  {
    breaks: "Limits in memory let everything through",
    file: "server/limits/rate-limiter.ts",
    find: "if (arrival - now > everyMs * (burst - 1)) return arrival - everyMs * (burst - 1) - now;",
    replace: "if (burst < 0) return arrival;",
    test: { file: "server/limits/limits.test.ts", title: "behave as a bucket" },
  },
  {
    breaks: "A repeated call does its work again",
    file: "server/limits/idempotency.ts",
    find: "if (earlier !== undefined) {",
    replace: "if (earlier !== undefined && call.key === undefined) {",
    test: { file: "server/limits/limits.test.ts", title: "gives the first answer again and does the work once" },
  },
  {
    breaks: "Mail leaves without TLS",
    file: "server/mail/smtp.ts",
    find: 'requireTLS: url.protocol === "smtp:" && !isLocal,',
    replace: "requireTLS: false,",
    test: {
      file: "server/mail/mail.test.ts",
      title: "never talks plain to another machine, and says what a URL looks like",
    },
  },
  {
    breaks: "Logs hold secrets and addresses",
    file: "server/log.ts",
    find: '.replace(SECRET, "[redacted]")',
    replace: "",
    test: { file: "server/log.test.ts", title: "hides %s wherever it stands" },
  },
  {
    breaks: "Text breaks a line of the log",
    file: "server/log.ts",
    find: '.replace(CONTROL, " ")',
    replace: "",
    test: { file: "server/log.test.ts", title: "cannot be made to write a second line, whatever the text" },
  },
  {
    breaks: "Links of the audit chain are not looked at",
    file: "server/audit/audit.repo.ts",
    find: "row.hash === link(prev, row.seq, row.action, row.commitment) &&",
    replace: "",
    test: { file: "server/audit/audit.test.ts", title: "finds every flipped byte of stored text" },
  },
  {
    breaks: "A changed entry of the audit log fits",
    file: "server/audit/audit.repo.ts",
    find: " && commit({ at, actor, object, detail, salt }) === row.commitment;",
    replace: ";",
    test: { file: "server/audit/audit.test.ts", title: "finds a changed %s at its entry" },
  },
  {
    breaks: "Private addresses may be reached",
    file: "server/egress/address.ts",
    find: 'if (address.range() !== "unicast") return false;',
    replace: "",
    test: { file: "server/egress/address.test.ts", title: "agrees with the IANA registry on every IPv4 address" },
  },
  {
    breaks: "The guard admits a name with one private address",
    file: "server/egress/guard.ts",
    find: "if (!listed && addresses.some((address) =>",
    replace: "if (!listed && addresses.every((address) =>",
    test: {
      file: "server/phones/drivers/web/egress/proxy.test.ts",
      title: "a name with the addresses %j is refused whole",
    },
  },
  {
    breaks: "Phones reach the server's own ports",
    file: "server/egress/guard.ts",
    find: 'if (here && options.ownPorts().includes(target.port)) return refused("private-address");',
    replace: "",
    test: {
      file: "server/phones/drivers/web/egress/proxy.test.ts",
      title: "does not open the server's own ports on this machine",
    },
  },
  {
    breaks: "A phone shows files",
    file: "server/phones/drivers/web/documents.ts",
    find: 'return protocol === "http:" || protocol === "https:";',
    replace: 'return protocol !== "chrome:";',
    test: { file: "server/phones/drivers/web/downloads.test.ts", title: "does not show %s" },
  },
  {
    breaks: "A webhook's signature is not looked at",
    file: "server/webhooks/webhooks.service.ts",
    find: "if (row === undefined || !isTime || !fits) {",
    replace: "if (row === undefined || (!isTime && fits)) {",
    test: {
      file: "server/webhooks/webhooks.test.ts",
      title: "tell an unknown one from a wrong signature in nothing",
    },
  },
  {
    breaks: "A webhook's call is taken however old",
    file: "server/webhooks/webhooks.service.ts",
    find: "* 1_000) > WINDOW_MS) {",
    replace: "* 1_000) < 0) {",
    test: {
      file: "server/webhooks/webhooks.test.ts",
      title: "refuse what is too old, too early, or was taken before",
    },
  },
  {
    breaks: "A webhook's call is taken twice",
    file: "server/webhooks/webhooks.service.ts",
    find: "if (!(await repo.takeCall(tx, row.id, call.signature, now))) {",
    replace: "if (row.id === undefined) {",
    test: {
      file: "server/webhooks/webhooks.test.ts",
      title: "refuse what is too old, too early, or was taken before",
    },
  },
  {
    breaks: "A database that is not encrypted is opened",
    file: "server/db/sqlite.ts",
    find: "if (existsSync(options.file)) refusePlaintext(options.file);",
    replace: "",
    test: {
      file: "server/db/sqlite.test.ts",
      title: "refuses a database that is not encrypted and leaves it as it was",
    },
  },
  {
    breaks: "Everybody on the machine may read the key",
    file: "server/keys.ts",
    find: "mode: 0o600",
    replace: "mode: 0o644",
    test: { file: "server/db/sqlite.test.ts", title: "is made once, readable by nobody else, and read again" },
  },
  {
    breaks: "The server listens beyond this machine without TLS",
    file: "server/config.ts",
    find: 'if (!LOOPBACK.has(values.HOST) && publicUrl.protocol !== "https:") {',
    replace: 'if (publicUrl.protocol === "none:") {',
    test: { file: "server/config.test.ts", title: "refuse to listen on %s without https" },
  },
];

export const MUTATIONS: readonly Mutation[] = [...TEAM, ...SESSIONS, ...ACCOUNTS, ...DOORS, ...MACHINE];
