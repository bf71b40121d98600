/**
 * The master key: 32 random bytes in the database, sealed with the key of the key file, so that another key file needs
 * one row sealed anew and nothing that was sealed with it.
 */
import { randomBytes } from "node:crypto";
import { eq } from "drizzle-orm";
import { PerchError } from "../errors.ts";
import { seal, unseal } from "../seal.ts";
import { type Database, isUniqueViolation, type Writer } from "./database.ts";

const PLACE = "perch master key";

/**
 * Opens the master key, or makes it at the first start, with `onMade` in the same transaction. What only `previous`
 * opens is sealed anew with `fileKey`.
 */
export async function openMasterKey(
  db: Database,
  fileKey: Buffer,
  previous: Buffer | undefined,
  onMade: (tx: Writer, master: Buffer) => Promise<void> = async () => {},
): Promise<Buffer> {
  const { serverKeys, users } = db.t;
  const sealed = (master: Buffer) => seal(fileKey, PLACE, master.toString("hex"));
  const find = async (tx: Writer) => (await tx.select().from(serverKeys).where(eq(serverKeys.name, "master")))[0];

  const open = () =>
    db.tx(async (tx) => {
      const row = await find(tx);
      if (row === undefined) {
        // Older versions sealed with the key of the file itself: what people have there stays readable.
        const isOld = (await tx.select({ id: users.id }).from(users).limit(1)).length > 0;
        const master = isOld ? fileKey : randomBytes(32);
        await tx.insert(serverKeys).values({ name: "master", sealed: sealed(master) });
        await onMade(tx, master);
        return master;
      }
      const now = unseal(fileKey, PLACE, row.sealed);
      if (now !== undefined) return Buffer.from(now, "hex");
      const before = previous && unseal(previous, PLACE, row.sealed);
      if (before === undefined) {
        throw new PerchError(
          "unavailable",
          "The key file does not fit this database. Put back the key it was made with (KEY_FILE).",
        );
      }
      const master = Buffer.from(before, "hex");
      await tx
        .update(serverKeys)
        .set({ sealed: sealed(master) })
        .where(eq(serverKeys.name, "master"));
      return master;
    });
  return open().catch((error: unknown) => {
    // Another process made it meanwhile.
    if (isUniqueViolation(error)) return open();
    throw error;
  });
}
