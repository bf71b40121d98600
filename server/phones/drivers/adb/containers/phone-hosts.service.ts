/** The operator's register of hosts, and the places phones have on them. */
import { z } from "zod";
import { newId, type PhoneHostId, type PhoneId } from "../../../../../shared/ids.ts";
import type { Audit } from "../../../../audit/audit.repo.ts";
import type { Clock } from "../../../../clock.ts";
import type { Database } from "../../../../db/database.ts";
import { PerchError } from "../../../../errors.ts";
import { demandAddress } from "./engine-address.ts";
import type { PhoneContainerRow, PhoneHostRow, PhoneHostsRepo } from "./phone-hosts.repo.ts";
import { choosePlace, type PlaceWish } from "./placement.ts";

export const hostName = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "A host's name has up to 40 small letters, digits and hyphens.");
export const hostRegion = z.string().regex(/^[\w-]{1,20}$/, "Use up to 20 letters, digits and hyphens.");
export const hostCapacity = z
  .string()
  .regex(/^\d{1,4}$/, "Write a whole number from 1 to 1000.")
  .transform(Number)
  .refine((number) => number >= 1 && number <= 1_000, "Write a whole number from 1 to 1000.");

/** The hosts settings name: that of DOCKER_HOST, and the cluster of KUBERNETES_CONFIG. */
export const DEFAULT_HOST = "default";
export const CLUSTER_HOST = "cluster";

export interface NewPhoneHost {
  readonly name: string;
  readonly address: string;
  readonly certFolder: string | undefined;
  readonly region: string;
  readonly capacity: number;
}
export type HostWithTaken = PhoneHostRow & { readonly taken: number };

export interface PhoneHosts {
  list(): Promise<readonly HostWithTaken[]>;
  get(name: string): Promise<PhoneHostRow>;
  add(host: NewPhoneHost, reason: string): Promise<PhoneHostRow>;
  drain(name: string, draining: boolean, reason: string): Promise<void>;
  /**
   * Takes a host off the register. One that keeps phones stays, unless its disks are destroyed: then what was there is gone
   * anyway, and the phones begin anew. Returns how many that were.
   */
  remove(name: string, reason: string, destroyed: boolean): Promise<number>;
  /** Registers or corrects a host that settings name. */
  keepDefault(host: Omit<NewPhoneHost, "name">, name?: typeof DEFAULT_HOST | typeof CLUSTER_HOST): Promise<void>;
  /** Gives the phone a place, in one transaction; the one it has when it has one. @throws PerchError when there is none */
  place(
    phone: { readonly id: PhoneId; readonly volume: string; readonly image: string },
    wish: PlaceWish,
  ): Promise<PhoneContainerRow>;
}

export function createPhoneHosts(options: {
  db: Database;
  repo: PhoneHostsRepo;
  audit: Audit;
  clock: Clock;
}): PhoneHosts {
  const { db, repo, audit, clock } = options;
  const unknownHost = (name: string) =>
    new PerchError("not_found", `There is no host “${name}”. See: npm run admin -- hosts list`);

  async function get(name: string): Promise<PhoneHostRow> {
    const row = await repo.findHost(db.read, name);
    if (row === undefined) throw unknownHost(name);
    return row;
  }
  const record = (
    tx: Parameters<Audit["record"]>[0],
    action: "admin.phone_host_added" | "admin.phone_host_changed" | "admin.phone_host_removed",
    id: PhoneHostId,
    detail: Readonly<Record<string, string | number | boolean>>,
    actor = "operator",
  ) => audit.record(tx, { chain: "server", actor, action, object: id, detail });

  return {
    list: async () => repo.hostsAndTaken(db.read),
    get,
    async add(host, reason) {
      demandAddress(host.address);
      return db.tx(async (tx) => {
        if ((await repo.findHost(tx, host.name)) !== undefined)
          throw new PerchError("conflict", `There is a host “${host.name}” already.`);
        const row = await repo.insertHost(tx, newRow(host, clock));
        await record(tx, "admin.phone_host_added", row.id, { name: host.name, reason });
        return row;
      });
    },
    async drain(name, draining, reason) {
      await db.tx(async (tx) => {
        const row = await repo.findHost(tx, name);
        if (row === undefined) throw unknownHost(name);
        if (row.draining === draining) return;
        await repo.changeHost(tx, row.id, { draining });
        await record(tx, "admin.phone_host_changed", row.id, { name, draining, reason });
      });
    },
    remove: (name, reason, destroyed) =>
      db.tx(async (tx) => {
        const row = await repo.findHost(tx, name);
        if (row === undefined) throw unknownHost(name);
        const taken = (await repo.hostsAndTaken(tx)).find(({ id }) => id === row.id)?.taken ?? 0;
        if (taken > 0 && !destroyed) {
          throw new PerchError(
            "conflict",
            `“${name}” keeps ${taken} phones. Drain it and have them removed first; or, if the machine and its disks no longer exist, say so with --destroyed.`,
          );
        }
        const lost = await repo.deleteOfHost(tx, row.id);
        await repo.deleteHost(tx, row.id);
        await record(tx, "admin.phone_host_removed", row.id, { name, destroyed, phones: lost, reason });
        return lost;
      }),
    async keepDefault(host, name = DEFAULT_HOST) {
      demandAddress(host.address);
      await db.tx(async (tx) => {
        const known = await repo.findHost(tx, name);
        const { address, region, capacity } = host;
        const certFolder = host.certFolder ?? null;
        if (known === undefined) {
          const row = await repo.insertHost(tx, newRow({ ...host, name }, clock));
          await record(tx, "admin.phone_host_added", row.id, { name }, "server");
          return;
        }
        const isSame =
          known.address === address &&
          known.region === region &&
          known.capacity === capacity &&
          known.certFolder === certFolder;
        if (isSame) return;
        await repo.changeHost(tx, known.id, { address, region, capacity, certFolder });
        await record(tx, "admin.phone_host_changed", known.id, { name }, "server");
      });
    },
    place: ({ id, volume, image }, wish) =>
      db.tx(async (tx) => {
        const known = await repo.findIn(tx, id);
        if (known !== undefined) return known;
        const hostId = choosePlace(await repo.hostsAndTaken(tx), wish);
        if (hostId === undefined) throw noPlace();
        const row = { phoneId: id, hostId, volume, image, createdAt: new Date(clock.now()), madeAt: null };
        await repo.insert(tx, row);
        return row;
      }),
  };
}

function newRow({ name, address, certFolder, region, capacity }: NewPhoneHost, clock: Clock) {
  return {
    ...{ id: newId("phoneHost"), name, address, certFolder: certFolder ?? null, region, capacity },
    ...{ draining: false, addedAt: new Date(clock.now()) },
  };
}

export function noPlace(): PerchError {
  return new PerchError(
    "limit_reached",
    "No machine has room for another phone of this kind. Remove a phone of it, or ask who runs the server.",
  );
}
