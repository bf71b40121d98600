/** Single-use tickets that open a screen socket. */

import type { CredentialId, PhoneId, TeamId, UserId } from "../../shared/ids.ts";
import { SCREEN_MODES } from "../../shared/screen-protocol.ts";
import type { accountTables } from "../accounts/accounts.tables.ts";
import type { Kit } from "../db/dialect.ts";
import type { phoneTables } from "../phones/phones.tables.ts";
import { ofTeam, operational, person, personal, secret } from "../privacy/tags.ts";

const security = { use: ["essential.service.security"], clause: "P2.1", retain: "minutes" } as const;

export function screenTables(k: Kit, { phones }: ReturnType<typeof accountTables> & ReturnType<typeof phoneTables>) {
  const streamTickets = k.table(
    "stream_tickets",
    { owner: "user", subject: { column: "userId" }, clock: "expiresAt" },
    {
      hash: k.text(secret("user.authorization.credentials", "minutes")).primaryKey(),
      /** The session or API token that asked; revoking it closes the socket. */
      credentialId: k.text(personal("user.unique_id", security)).$type<CredentialId>().notNull(),
      userId: k.text(person(security)).$type<UserId>().notNull(),
      teamId: k.text(ofTeam("minutes")).$type<TeamId>().notNull(),
      phoneId: k
        .text(operational("minutes"))
        .$type<PhoneId>()
        .notNull()
        .references(() => phones.id, { onDelete: "cascade" }),
      mode: k.oneOf(SCREEN_MODES, operational("minutes")).notNull(),
      browser: k.bool(operational("minutes")).notNull(),
      expiresAt: k.instant(operational("minutes")).notNull(),
    },
    (t) => [
      k.index("stream_tickets_expiry").on(t.expiresAt),
      k.index("stream_tickets_phone").on(t.phoneId),
      k.index("stream_tickets_person").on(t.userId),
    ],
  );
  return { streamTickets };
}
