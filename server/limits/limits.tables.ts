/** Idempotency keys and rate limits: what keeps a call from happening twice or too often. */
import type { Kit } from "../db/dialect.ts";
import { operational, personal } from "../privacy/tags.ts";

/** What keeps a repeated call from happening twice. */
const repeated = {
  use: ["essential.service.operations"],
  clause: "P1.4",
  retain: "day",
  export: { never: "Repeats for a day what other tables say." },
} as const;

export function limitTables(k: Kit) {
  const idempotencyKeys = k.table(
    "idempotency_keys",
    { owner: "user", subject: { none: "Answers of the last day, by ids." }, clock: "createdAt" },
    {
      /** `<team>/<person>`. */
      scope: k.text(personal("user.unique_id", { ...repeated, link: "scope" })).notNull(),
      procedure: k.text(personal("user.behavior", repeated)).notNull(),
      key: k.text(operational("day")).notNull(),
      inputHash: k.text(operational("day")).notNull(),
      /** Ids of what the call made, or what it wiped. */
      result: k.json<unknown>(personal("user.behavior", repeated)).notNull(),
      createdAt: k.instant(operational("day")).notNull(),
    },
    (t) => [
      k.primaryKey({ columns: [t.scope, t.procedure, t.key] }),
      k.index("idempotency_keys_created").on(t.createdAt),
    ],
  );
  const rateLimits = k.table(
    "rate_limits",
    {
      owner: "system",
      subject: { none: "The key is a keyed hash that leads to nobody." },
      clock: "theoreticalArrivalAt",
    },
    {
      key: k
        .text(
          personal("user.unique_id.pseudonymous", {
            use: ["essential.fraud_detection"],
            clause: "P2.4",
            retain: "day",
            basis: "legitimate_interests",
            export: { never: "A keyed hash; it cannot be found from a person." },
          }),
        )
        .primaryKey(),
      /** GCRA's theoretical arrival time, Unix milliseconds. */
      theoreticalArrivalAt: k.int(operational("day")).notNull(),
    },
  );
  return { idempotencyKeys, rateLimits };
}
