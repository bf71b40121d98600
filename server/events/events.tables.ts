/** Events per topic with gapless sequence numbers; the table, not an emitter, is the truth. */
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, personal } from "../privacy/tags.ts";

export function eventTables(k: Kit) {
  const topics = k.table(
    "topics",
    { owner: "system", subject: { none: "A topic is a team id." }, clock: "seq" },
    { topic: k.text(ofTeam("service")).primaryKey(), seq: k.int(operational()).notNull() },
  );
  const events = k.table(
    "events",
    { owner: "team", subject: { none: "Rows live a day and repeat what the phones table says." }, clock: "at" },
    {
      topic: k.text(ofTeam("day")).notNull(),
      seq: k.int(operational("day")).notNull(),
      data: k
        .json<unknown>(
          personal("user.content.private", {
            use: ["essential.service.operations"],
            clause: "P1.4",
            retain: "day",
            holds: ["user.behavior", "user.account.settings"],
            export: { never: "A copy of the phones list for a day." },
          }),
        )
        .notNull(),
      at: k.instant(operational("day")).notNull(),
    },
    (t) => [k.primaryKey({ columns: [t.topic, t.seq] }), k.index("events_at").on(t.at)],
  );
  return { topics, events };
}
