/** Idempotency keys and rate limits: what keeps a call from happening twice or too often. */
import type { Kit } from "../db/dialect.ts";
import { operational, personal } from "../privacy/tags.ts";

export function limitTables(k: Kit) {
  const idempotencyKeys = k.table(
    "idempotency_keys",
    { owner: "team", subject: { none: "Rows live a day and hold ids only." }, clock: "createdAt" },
    {
      scope: k.text(operational("day")).notNull(),
      procedure: k.text(operational("day")).notNull(),
      key: k.text(operational("day")).notNull(),
      inputHash: k.text(operational("day")).notNull(),
      result: k.json<unknown>(operational("day")).notNull(),
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
