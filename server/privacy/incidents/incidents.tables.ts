/** The breach register (Art. 33(5) GDPR): incidents, whom they concern, and who was told when. */

import type { IncidentId, UserId } from "../../../shared/ids.ts";
import { INCIDENT_STATES, type IncidentScope } from "../../../shared/incidents.ts";
import type { userTables } from "../../accounts/accounts.tables.ts";
import type { Kit } from "../../db/dialect.ts";
import { operational, person, personal, reference } from "../tags.ts";

export const TOLD_STATES = ["waiting", "queued", "sent", "failed", "shown"] as const;
const breach = {
  use: ["essential.legal_obligation"],
  clause: "P7.6",
  basis: "legal_obligation",
  retain: "incident",
} as const;

export function incidentTables(k: Kit, { users }: ReturnType<typeof userTables>) {
  const incidents = k.table(
    "incidents",
    { owner: "system", subject: { none: "What happened; whom it concerns is in incident_people." }, clock: "awareAt" },
    {
      id: k.text(operational()).$type<IncidentId>().primaryKey(),
      state: k.oneOf(INCIDENT_STATES, operational()).notNull(),
      /** An exercise: nobody is written to. */
      drill: k.bool(operational()).notNull(),
      title: k.text(operational()).notNull(),
      /** The 72 hours begin here. */
      awareAt: k.instant(operational()).notNull(),
      /** When the data was exposed. */
      from: k.instant(operational()),
      to: k.instant(operational()),
      /** May name people by id, which leads to nobody once the account is gone. */
      scope: k.json<IncidentScope>(
        personal("user.unique_id", {
          ...breach,
          erase: "keep_not_personal",
          export: { never: "Whom an incident concerns is told to each of them." },
        }),
      ),
      what: k.text(operational()),
      consequences: k.text(operational()),
      measures: k.text(operational()),
      todo: k.text(operational()),
      authorityToldAt: k.instant(operational()),
      /** The newest alarm, in hours after awareness. */
      alarmedHour: k.int(operational()).notNull().default(0),
      /** Of people counted, including those who are gone since. */
      peopleCount: k.int(operational()),
      closedAt: k.instant(operational()),
    },
  );
  const incidentPeople = k.table(
    "incident_people",
    { owner: "user", subject: { column: "userId" }, clock: "at" },
    {
      incidentId: k
        .text(reference("incident"))
        .$type<IncidentId>()
        .notNull()
        .references(() => incidents.id, { onDelete: "cascade" }),
      userId: k
        .text(person(breach))
        .$type<UserId>()
        .notNull()
        .references(() => users.id, { onDelete: "cascade" }),
      categories: k.json<readonly string[]>(personal("user.behavior", breach)).notNull(),
      told: k.oneOf(TOLD_STATES, personal("user.behavior", breach)).notNull(),
      at: k.instant(personal("user.behavior", breach)).notNull(),
    },
    (t) => [
      k.primaryKey({ columns: [t.incidentId, t.userId] }),
      k.index("incident_people_user").on(t.userId),
      k.index("incident_people_told").on(t.incidentId, t.told),
    ],
  );
  return { incidents, incidentPeople };
}
