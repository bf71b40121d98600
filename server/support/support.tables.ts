/** Messages that came through the support page, among them data-rights requests (policy clause P5.5). */
import type { Kit } from "../db/dialect.ts";
import { fingerprint, personal, reference } from "../privacy/tags.ts";

export const SUPPORT_KINDS = ["question", "privacy", "security", "billing"] as const;

const support = { use: ["essential.service.operations.support"], clause: "P5.5", retain: "support" } as const;

export function supportTables(k: Kit) {
  const supportRequests = k.table(
    "support_requests",
    { owner: "user", people: ["customer", "visitor"], subject: { column: "emailIndex" }, clock: "receivedAt" },
    {
      id: k.text(reference("support")).primaryKey(),
      kind: k.oneOf(SUPPORT_KINDS, personal("user.behavior", support)).notNull(),
      email: k.sealed("support_requests.email", "server", personal("user.contact.email", support)).notNull(),
      emailIndex: k.fingerprint("email", fingerprint(support)),
      message: k.sealed("support_requests.message", "server", personal("user.content.private", support)).notNull(),
      receivedAt: k.instant(personal("user.behavior", support)).notNull(),
      /** Thirty days after arrival (policy clause P5.6). */
      dueAt: k.instant(reference("support")).notNull(),
      answeredAt: k.instant(reference("support")),
    },
    (t) => [k.index("support_requests_due").on(t.dueAt), k.index("support_requests_received").on(t.receivedAt)],
  );
  return { supportRequests };
}
