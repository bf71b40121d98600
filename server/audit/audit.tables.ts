/** Append-only audit chains, one per team and one for the server. */
import { sql } from "drizzle-orm";
import type { Kit } from "../db/dialect.ts";
import { operational, person, personal, reference } from "../privacy/tags.ts";

const activity = {
  use: ["essential.service.security"],
  clause: "P7.5",
  retain: "quarter",
  basis: "legitimate_interests",
  erase: "null",
} as const;

export function auditTables(k: Kit) {
  const auditLog = k.table(
    "audit_log",
    { owner: "team", subject: { column: "actor", also: ["object"] }, clock: "at" },
    {
      /** A team, or `server`. What was done in a team that is closed is forgotten with it; that something was done stays. */
      chain: k.text({ ...reference("quarter"), link: "team", erase: "null" }).notNull(),
      seq: k.int(reference("quarter")).notNull(),
      /** Nulled with the other personal columns when the person goes; the chain stays verifiable through `commitment`. */
      at: k.instant(personal("user.behavior", activity)),
      actor: k.text(person({ ...activity, thirdParty: "member" })),
      action: k.text(reference("quarter")).notNull(),
      /** What it was done to: a thing or a person. */
      object: k.text(personal("user.behavior", { ...activity, link: "user", thirdParty: "member" })),
      detail: k.json<Record<string, string | number | boolean>>(personal("user.behavior", activity)),
      salt: k.text({ ...operational("quarter"), erase: "null" }),
      commitment: k.text(operational("quarter")).notNull(),
      prev: k.text(operational("quarter")).notNull(),
      hash: k.text(operational("quarter")).notNull(),
    },
    (t) => [
      k.primaryKey({ columns: [t.chain, t.seq] }),
      k.index("audit_log_at").on(t.at),
      k.index("audit_log_actor").on(t.actor, t.chain, t.seq),
      k.index("audit_log_object").on(t.object, t.chain, t.seq),
      // What can still be shown, by what happened.
      k.index("audit_log_live").on(t.chain, t.action, t.seq).where(sql`${t.at} is not null`),
    ],
  );

  /**
   * Where each chain begins and ends, sealed with a key, so that taking away entries of either end is noticed. The row `*` counts the
   * chains, so that taking away a whole one is.
   */
  const auditHeads = k.table(
    "audit_heads",
    { owner: "system", subject: { none: "Counts and hashes only." }, clock: "chain" },
    {
      chain: k.text(operational("chain")).primaryKey(),
      entries: k.int(operational("chain")).notNull(),
      hash: k.text(operational("chain")).notNull(),
      /** Number and hash of the last entry that went after 90 days; the chain begins after it. */
      start: k.int(operational("chain")).notNull().default(0),
      startHash: k.text(operational("chain")),
      /** HMAC-SHA-256 over the other columns. */
      mac: k.text(operational("chain")).notNull(),
    },
  );
  return { auditLog, auditHeads };
}
