/** The sandbox's objects in the database. */
import { and, asc, eq, inArray } from "drizzle-orm";
import type { Database } from "../../db/database.ts";
import type { Tables } from "../../db/tables.ts";
import type { SandboxRow, SandboxStore } from "./store.ts";

type Stored = Tables["sandboxObjects"]["$inferSelect"];

export function createSandboxRepo(db: Database): SandboxStore {
  const { sandboxObjects } = db.t;
  return {
    async get(id) {
      const [row] = await db.read.select().from(sandboxObjects).where(eq(sandboxObjects.id, id));
      return row && opened(row);
    },
    async list(type, customer) {
      const ofType = eq(sandboxObjects.type, type);
      const rows = await db.read
        .select()
        .from(sandboxObjects)
        .where(customer === undefined ? ofType : and(ofType, eq(sandboxObjects.customerId, customer)))
        .orderBy(asc(sandboxObjects.id));
      // Engines order text by their own rules; ours is by code.
      return rows.map(opened).sort((a, b) => (a.id < b.id ? -1 : 1));
    },
    async rewrite(change) {
      const rows = (await db.read.select().from(sandboxObjects)).map(opened);
      const changed = rows.flatMap((row) =>
        change(row.data) === row.data ? [] : [{ ...row, data: change(row.data) }],
      );
      if (changed.length === 0) return;
      await db.tx(async (tx) => {
        for (const row of changed) {
          const { data } = closed(row);
          await tx.update(sandboxObjects).set({ data }).where(eq(sandboxObjects.id, row.id));
        }
      });
    },
    apply: ({ inserts, updates, removals }) =>
      db.tx(async (tx) => {
        for (const row of inserts) await tx.insert(sandboxObjects).values(closed(row));
        for (const row of updates) {
          const { id: _, createdAt: __, ...changed } = closed(row);
          await tx.update(sandboxObjects).set(changed).where(eq(sandboxObjects.id, row.id));
        }
        if (removals.length > 0) await tx.delete(sandboxObjects).where(inArray(sandboxObjects.id, [...removals]));
      }),
  };
}

function opened({ customerId, data, createdAt, updatedAt, ...row }: Stored): SandboxRow {
  return {
    ...row,
    customer: customerId,
    data: JSON.stringify(data),
    createdAt: createdAt.getTime(),
    updatedAt: updatedAt.getTime(),
  };
}

function closed({ customer, data, createdAt, updatedAt, ...row }: SandboxRow): Stored {
  return {
    ...row,
    customerId: customer,
    data: JSON.parse(data),
    createdAt: new Date(createdAt),
    updatedAt: new Date(updatedAt),
  };
}
