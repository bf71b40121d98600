/** What holds the rest: limits, mail, logs, audit, phones, webhooks, keys. */
import type { Mutation } from "./mutation.ts";

export const MACHINE: readonly Mutation[] = [
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
      file: "server/mail/smtp.test.ts",
      title: "does not leave, nor does the password, when it is another machine",
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
    breaks: "Refused calls leave no trace",
    file: "server/http/refusals.ts",
    find: "if (!REFUSALS.has(code) && !isAway) return;",
    replace: "if (REFUSALS.has(code)) return;",
    test: {
      file: "server/http/refusals.test.ts",
      title: "stands in the log with the call and the reason, and without who",
    },
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
    file: "server/audit/chain.repo.ts",
    find: "row.hash === link(prev, row.seq, row.action, row.commitment) &&",
    replace: "",
    test: { file: "server/audit/audit.test.ts", title: "finds every flipped byte of stored text" },
  },
  {
    breaks: "A changed entry of the audit log fits",
    file: "server/audit/chain.repo.ts",
    find: " && commit({ at, actor, object, detail, salt }) === row.commitment;",
    replace: ";",
    test: { file: "server/audit/audit.test.ts", title: "finds a changed %s at its entry" },
  },
  {
    breaks: "A shortened chain of the audit log fits",
    file: "server/audit/audit.repo.ts",
    find: 'if (head?.sealed !== true) return told({ entries: at, brokenAt: at + 1, how: "head" });',
    replace: "if (head?.sealed !== true) return told({ entries: at });",
    test: {
      file: "server/audit/audit.test.ts",
      title: "cannot be made up without the key, nor be healed by recording more",
    },
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
    find: 'openSync(draft, "wx", 0o600)',
    replace: 'openSync(draft, "wx", 0o644)',
    test: { file: "server/db/sqlite.test.ts", title: "is made once, readable by nobody else, and read again" },
  },
  {
    breaks: "The server listens beyond this machine without TLS",
    file: "server/config/checks.ts",
    find: 'if (!LOOPBACK.has(values.HOST) && (publicUrl.protocol !== "https:" || PUBLIC_URL === undefined)) {',
    replace: 'if (publicUrl.protocol === "none:") {',
    test: { file: "server/config.test.ts", title: "refuse to listen on %s without https" },
  },
];
