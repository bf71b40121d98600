/** Phones. What a person opens on a phone stays on the phone: no address is stored here. */

import { sql } from "drizzle-orm";
import type { NodeId, PhoneId, TeamId, UserId } from "../../shared/ids.ts";
import {
  type DeviceProfileId,
  DRIVER_KINDS,
  PHONE_REASONS,
  PHONE_STATES,
  type PhoneSettings,
} from "../../shared/phones.ts";
import type { userTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import { ofTeam, operational, person, personal, reference } from "../privacy/tags.ts";
import type { TeamTables } from "../teams/teams.tables.ts";

const usage = { use: ["essential.service.operations"], clause: "P1.4", retain: "phone" } as const;

export function phoneTables(k: Kit, { users, teams }: ReturnType<typeof userTables> & TeamTables) {
  const phones = k.table(
    "phones",
    { owner: "team", subject: { column: "createdBy" }, clock: "createdAt" },
    {
      id: k.text(reference("phone")).$type<PhoneId>().primaryKey(),
      teamId: k
        .text(ofTeam("phone"))
        .$type<TeamId>()
        .notNull()
        .references(() => teams.id, { onDelete: "cascade" }),
      /** Nulled when the person goes and the phone stays with the team. */
      createdBy: k
        .text(person({ ...usage, erase: "reattribute" }))
        .$type<UserId>()
        .references(() => users.id, { onDelete: "set null" }),
      name: k.text(personal("user.content.private", { ...usage, rectify: "self" })).notNull(),
      driver: k.oneOf(DRIVER_KINDS, reference("phone")).notNull(),
      profile: k.text(reference("phone")).$type<DeviceProfileId>().notNull(),
      /** Which of the driver's models it is; web phones have a profile instead. */
      model: k.text(reference("phone")),
      /** Of the screen held upright, in CSS pixels, where it is not the profile's. */
      screenWidth: k.int(reference("phone")),
      screenHeight: k.int(reference("phone")),
      settings: k.json<PhoneSettings>(personal("user.account.settings", { ...usage, rectify: "self" })).notNull(),
      /** Words the team groups phones by, sorted. */
      tags: k
        .json<readonly string[]>(personal("user.content.private", { ...usage, rectify: "self" }))
        .notNull()
        .default([]),
      rotated: k.bool(reference("phone")).notNull(),
      state: k.oneOf(PHONE_STATES, personal("user.behavior", usage)).notNull(),
      reason: k.oneOf(PHONE_REASONS, reference("phone")),
      /** What the driver last said, in its own words. */
      driverState: k.text(operational("phone")),
      createdAt: k.instant(personal("user.behavior", usage)).notNull(),
      startedAt: k.instant(personal("user.behavior", usage)),
      lastUsedAt: k.instant(personal("user.behavior", usage)),
      removedAt: k.instant(personal("user.behavior", usage)),
      /** The server lost sight of the running phone then. */
      unreachableSince: k.instant(personal("user.behavior", usage)),
      /** The node that keeps and runs it. Nobody's: the first that can takes it. */
      nodeId: k.text(operational("phone")).$type<NodeId>(),
    },
    (t) => [
      k.index("phones_team").on(t.teamId, t.state),
      k.index("phones_state").on(t.state),
      k.index("phones_person").on(t.createdBy),
      k.index("phones_started").on(t.startedAt).where(sql`${t.startedAt} is not null`),
      k.index("phones_node").on(t.nodeId, t.state),
    ],
  );
  return { phones };
}
