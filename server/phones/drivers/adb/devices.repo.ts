/** Android devices the operator registered, and which phone each is now. */
import { and, asc, eq, isNull, or } from "drizzle-orm";
import type { AndroidDeviceId, PhoneId } from "../../../../shared/ids.ts";
import type { Database, Writer } from "../../../db/database.ts";
import type { Tables } from "../../../db/tables.ts";

export type DeviceRow = Tables["androidDevices"]["$inferSelect"];
export type NewDevice = Tables["androidDevices"]["$inferInsert"];

export interface DevicesRepo {
  /** In the order they were registered. */
  list(): Promise<readonly DeviceRow[]>;
  find(id: AndroidDeviceId): Promise<DeviceRow | undefined>;
  ofPhone(phoneId: PhoneId): Promise<DeviceRow | undefined>;
  insert(tx: Writer, row: NewDevice): Promise<void>;
  /** Of one that is no phone; false when it is one, or not there. */
  delete(tx: Writer, id: AndroidDeviceId): Promise<boolean>;
  /** Makes the device this phone; undefined when it is another one, or not there. */
  claim(tx: Writer, id: AndroidDeviceId, phoneId: PhoneId): Promise<DeviceRow | undefined>;
  release(tx: Writer, phoneId: PhoneId): Promise<void>;
}

export function createDevicesRepo(db: Database): DevicesRepo {
  const { androidDevices: devices } = db.t;
  const one = <Row>([row]: readonly Row[]) => row;
  return {
    list: async () => db.read.select().from(devices).orderBy(asc(devices.addedAt), asc(devices.id)),
    find: async (id) => one(await db.read.select().from(devices).where(eq(devices.id, id))),
    ofPhone: async (phoneId) => one(await db.read.select().from(devices).where(eq(devices.phoneId, phoneId))),
    async insert(tx, row) {
      await tx.insert(devices).values(row);
    },
    async delete(tx, id) {
      const gone = await tx
        .delete(devices)
        .where(and(eq(devices.id, id), isNull(devices.phoneId)))
        .returning();
      return gone.length > 0;
    },
    claim: async (tx, id, phoneId) =>
      one(
        await tx
          .update(devices)
          .set({ phoneId })
          .where(and(eq(devices.id, id), or(isNull(devices.phoneId), eq(devices.phoneId, phoneId))))
          .returning(),
      ),
    async release(tx, phoneId) {
      await tx.update(devices).set({ phoneId: null }).where(eq(devices.phoneId, phoneId));
    },
  };
}
