/**
 * The mark a move leaves in both databases. A server that starts on one that is on its way, or was moved away, would
 * write what the other never gets, so it refuses. The mark stands beside the keys and is not moved itself.
 */
import { eq } from "drizzle-orm";
import { z } from "zod";
import { PerchError } from "../../errors.ts";
import type { Database } from "../database.ts";

export const MARK = "move";
export const MARKED_TABLE = "server_keys";

const mark = z.discriminatedUnion("role", [
  z.strictObject({
    role: z.literal("source"),
    id: z.string(),
    /** `moved`: the other one is whole. */
    state: z.enum(["moving", "moved"]),
    to: z.enum(["sqlite", "postgres"]),
    at: z.iso.datetime(),
  }),
  z.strictObject({
    role: z.literal("target"),
    id: z.string(),
    state: z.enum(["copying", "whole"]),
    /** The table that is copied now, and the key of the last row that is there. */
    table: z.string().optional(),
    after: z.array(z.string().nullable()).optional(),
    /** What holds rows together, left out while they are copied: to be put back as it was. */
    constraints: z.array(z.strictObject({ table: z.string(), name: z.string(), definition: z.string() })),
  }),
]);
export type Mark = z.infer<typeof mark>;
export type SourceMark = Extract<Mark, { role: "source" }>;
export type TargetMark = Extract<Mark, { role: "target" }>;

export function parseMark(text: string | undefined): Mark | undefined {
  return text === undefined ? undefined : mark.parse(JSON.parse(text));
}

export async function readMark(db: Database): Promise<Mark | undefined> {
  const { serverKeys } = db.t;
  const [row] = await db.read.select().from(serverKeys).where(eq(serverKeys.name, MARK));
  return parseMark(row?.sealed);
}

export async function writeMark(db: Database, value: SourceMark): Promise<void> {
  const { serverKeys } = db.t;
  const sealed = JSON.stringify(value);
  await db.tx((tx) =>
    tx
      .insert(serverKeys)
      .values({ name: MARK, sealed })
      .onConflictDoUpdate({ target: serverKeys.name, set: { sealed } }),
  );
}

export async function removeMark(db: Database): Promise<void> {
  const { serverKeys } = db.t;
  await db.tx((tx) => tx.delete(serverKeys).where(eq(serverKeys.name, MARK)));
}

const NAMES = { sqlite: "SQLite", postgres: "PostgreSQL" } as const;

/** @throws PerchError when this database is on its way, or was moved away. */
export async function demandNotMoved(db: Database): Promise<void> {
  const found = await readMark(db);
  if (found === undefined || (found.role === "target" && found.state === "whole")) return;
  if (found.role === "target") {
    throw new PerchError(
      "unavailable",
      "A move into this database is not finished. Run the same db move again, from the database it is moved from.",
    );
  }
  const [day] = found.at.split("T");
  const back = "To stay with this one after all: npm run admin -- db move --undo --reason R";
  throw new PerchError(
    "unavailable",
    found.state === "moved"
      ? `This database was moved to ${NAMES[found.to]} on ${day}. ${found.to === "postgres" ? "Set DATABASE_URL to that one" : "Take DATABASE_URL away and set DATA_DIR to the folder of that one"}, and keep this one only until you are sure of it. ${back}`
      : `This database is being moved to ${NAMES[found.to]}, and is not finished. Run the same db move again. ${back}`,
  );
}
