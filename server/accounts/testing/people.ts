/** People for tests that need no sign-up. */
import type { UserId } from "../../../shared/ids.ts";
import type { Database, Writer } from "../../db/database.ts";

/** A row of a person with their key. */
export async function addUser(
  db: Database,
  tx: Writer,
  user: {
    id: UserId;
    email: string;
    emailShown?: string;
    fullName?: string;
    createdAt: Date;
    deletedAt?: Date | null;
    lastSeenAt?: Date;
  },
): Promise<void> {
  const { users } = db.t;
  await db.keys.create(tx, user.id);
  const row = await db.keys.row(tx, users, { emailShown: user.email, ...user });
  await tx.insert(users).values({ ...row, emailIndex: user.email });
}
