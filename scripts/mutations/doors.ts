/** Who gets in at all: names, origins, bodies, pages, screens. */
import type { Mutation } from "./mutation.ts";

export const DOORS: readonly Mutation[] = [
  {
    breaks: "Any name is answered",
    file: "server/http/guards.ts",
    find: "hostAllowed: (host) => hosts.has(host.toLowerCase()),",
    replace: "hostAllowed: (host) => hosts.size > 0 || host.length > 0,",
    test: {
      file: "server/http/guards.test.ts",
      title: "ABUSE-21 refuse %j: a page that rebinds its own name gets nothing",
    },
  },
  {
    breaks: "Any origin may call",
    file: "server/http/guards.ts",
    find: "if (origin !== undefined && origin !== doors.ownOrigin && !doors.extensionOrigin(origin)) {",
    replace: 'if (origin === "nowhere") {',
    test: { file: "server/http/guards.test.ts", title: "ABUSE-14 %j may not call, not even to ask" },
  },
  {
    breaks: "A plain form makes a call",
    file: "server/http/guards.ts",
    find: 'if (type !== "application/json")',
    replace: 'if (type === "nothing")',
    test: { file: "server/http/guards.test.ts", title: "of type %j run nothing" },
  },
  {
    breaks: "A batch may hold any number of calls",
    file: "server/app.ts",
    find: "      maxBatchSize: MAX_BATCH,\n",
    replace: "",
    test: { file: "server/http/calls.test.ts", title: "is one of at most 20 in a batch, and none of more runs" },
  },
  {
    breaks: "Answers say nothing of what they may load",
    file: "server/http/security-headers.ts",
    find: '  "Content-Security-Policy": "default-src',
    replace: '  "X-Nothing": "default-src',
    test: {
      file: "server/http/routes.test.ts",
      title: "ABUSE-18 of %s cannot be framed, sniffed, embedded, kept or told on",
    },
  },
  {
    breaks: "The server speaks TLS 1.2",
    file: "server/http/tls-certificate.ts",
    find: 'minVersion: "TLSv1.3",',
    replace: 'minVersion: "TLSv1.2",',
    test: { file: "server/http/listener.test.ts", title: "speaks no %s" },
  },
  {
    breaks: "A large body is read",
    file: "server/app.ts",
    find: "const MAX_BODY_BYTES = 512 * 1024;",
    replace: "const MAX_BODY_BYTES = 512 * 1024 * 1024;",
    test: { file: "server/http/guards.test.ts", title: "that are too large are refused before they are read" },
  },
  {
    breaks: "Every hop says what address it likes",
    file: "server/http/guards.ts",
    find: "while (trustedProxies.includes(address)) {",
    replace: "while (hops.length > 0) {",
    test: { file: "server/http/guards.test.ts", title: "from %s with %j, trusting %j, is %4$s" },
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
    file: "server/http/at-the-machine.ts",
    find: "FORWARDING_HEADERS.every((header) =>",
    replace: '[""].every((header) => header === "" ||',
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
    find: "if (live === undefined || user === undefined",
    replace: "if (user === undefined",
    test: { file: "server/screen/tickets.repo.test.ts", title: "end with the session or token that asked" },
  },
  {
    breaks: "Any origin opens a screen",
    file: "server/screen/screen.socket.ts",
    find: "if (origin !== undefined && !originAllowed(origin)) return ORIGIN_REFUSED;",
    replace: "",
    test: {
      file: "server/screen/screen.socket.test.ts",
      title: "ABUSE-19 refuses another origin before the upgrade, without using up the ticket",
    },
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
