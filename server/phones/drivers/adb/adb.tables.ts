/** Where Android phones run: devices the operator registered, hosts of containers, and which of them a phone has. */
import type { AndroidDeviceId, PhoneHostId, PhoneId } from "../../../../shared/ids.ts";
import type { Kit } from "../../../db/dialect.ts";
import { operational } from "../../../privacy/tags.ts";
import type { phoneTables } from "../../phones.tables.ts";

export function androidTables(k: Kit, { phones }: ReturnType<typeof phoneTables>) {
  const androidDevices = k.table(
    "android_devices",
    { owner: "system", subject: { none: "Devices of the operator." }, clock: "addedAt" },
    {
      id: k.text(operational()).$type<AndroidDeviceId>().primaryKey(),
      /** `server:<serial>` for a device of the ADB server, `tcp:<host>:<port>` for one that is called directly. */
      endpoint: k.text(operational()).notNull(),
      label: k.text(operational()).notNull(),
      region: k.text(operational()),
      /** The one phone it is now; a device is one phone at a time. */
      phoneId: k
        .text(operational("phone"))
        .$type<PhoneId>()
        .references(() => phones.id, { onDelete: "set null" }),
      addedAt: k.instant(operational()).notNull(),
    },
    (t) => [
      k.uniqueIndex("android_devices_endpoint").on(t.endpoint),
      k.uniqueIndex("android_devices_phone").on(t.phoneId),
    ],
  );
  const phoneHosts = k.table(
    "phone_hosts",
    { owner: "system", subject: { none: "Machines of the operator." }, clock: "addedAt" },
    {
      id: k.text(operational()).$type<PhoneHostId>().primaryKey(),
      name: k.text(operational()).notNull(),
      /** Of the Docker Engine: `unix:///…`, `https://host:port` with client certificates, or `http://` on loopback. */
      address: k.text(operational()).notNull(),
      /** Folder with ca.pem, cert.pem and key.pem, as DOCKER_CERT_PATH names it. */
      certFolder: k.text(operational()),
      region: k.text(operational()).notNull(),
      /** Phones it may keep, parked ones too: a phone stays where its volume is, and can always start there. */
      capacity: k.int(operational()).notNull(),
      /** Gets no new phones and starts none; those that run go on until they are parked. */
      draining: k.bool(operational()).notNull(),
      addedAt: k.instant(operational()).notNull(),
    },
    (t) => [k.uniqueIndex("phone_hosts_name").on(t.name)],
  );
  const phoneContainers = k.table(
    "phone_containers",
    { owner: "system", subject: { none: "Names of containers." }, clock: "createdAt" },
    {
      phoneId: k
        .text(operational("phone"))
        .$type<PhoneId>()
        .primaryKey()
        .references(() => phones.id, { onDelete: "cascade" }),
      hostId: k
        .text(operational("phone"))
        .$type<PhoneHostId>()
        .notNull()
        .references(() => phoneHosts.id),
      volume: k.text(operational("phone")).notNull(),
      image: k.text(operational("phone")).notNull(),
      createdAt: k.instant(operational("phone")).notNull(),
      /** Since then the volume is on the host; one that is missing afterwards was lost, with what the phone stored. */
      madeAt: k.instant(operational("phone")),
    },
    (t) => [k.index("phone_containers_host").on(t.hostId)],
  );
  return { androidDevices, phoneHosts, phoneContainers };
}
