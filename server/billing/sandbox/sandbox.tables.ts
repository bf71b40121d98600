/** What the billing sandbox holds in Stripe's place: objects as Stripe would have them, sealed with a key of the server. */
import type { TeamId } from "../../../shared/ids.ts";
import type { Kit } from "../../db/dialect.ts";
import { ofTeam, operational, personal } from "../../privacy/tags.ts";

export function sandboxTables(k: Kit) {
  const sandboxObjects = k.table(
    "sandbox_objects",
    {
      owner: "team",
      subject: { none: "Of the team whose customer it is about; goes with the team." },
      clock: "updatedAt",
    },
    {
      /** Stripe's way: `cus_sbx_…`. */
      id: k.text(operational("team")).primaryKey(),
      /** Stripe's `object`, and what the sandbox needs beside it: `idempotency`, `delivery`, `setting`. */
      type: k.text(operational("team")).notNull(),
      /** From the customer's metadata, so that closing a team reaches what is about it. */
      teamId: k.text(ofTeam("team")).$type<TeamId>(),
      customerId: k.text(operational("team")),
      data: k
        .sealedJson<Readonly<Record<string, unknown>>>(
          "sandbox_objects.data",
          personal("user.payment", {
            ...{ use: ["essential.service.payment_processing"], clause: "P1.3", retain: "team" },
            holds: ["user.contact.email", "user.name"],
            export: { never: "What a test of Stripe holds; the export has our own records." },
          }),
        )
        .notNull(),
      createdAt: k.instant(operational("team")).notNull(),
      updatedAt: k.instant(operational("team")).notNull(),
    },
    (t) => [
      k.index("sandbox_objects_type").on(t.type, t.createdAt),
      k.index("sandbox_objects_customer").on(t.customerId, t.type),
      k.index("sandbox_objects_team").on(t.teamId),
    ],
  );
  return { sandboxObjects };
}
