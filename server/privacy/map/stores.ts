/**
 * Every place personal data may be besides the columns of tables: a closed list, with the same questions answered as for
 * a column. What tables hold is in the tags of their columns; what the extension holds is in `extension-stores.ts`.
 */
import type { ProcessorId } from "../processors/processors.ts";
import type { Basis, Category, Retention, SubjectKind, Use } from "../tags.ts";

export type StoreKind = "database" | "files" | "memory" | "log" | "browser" | "processor";

export interface Store {
  /** For people. */
  readonly name: string;
  readonly kind: StoreKind;
  /** `tables`: whatever the columns of tables say. */
  readonly holds: readonly Category[] | "tables";
  readonly use: readonly Use[];
  readonly basis: Basis;
  readonly clause: string;
  readonly people: readonly SubjectKind[];
  readonly owner: "user" | "team" | "system";
  /** How a person's part of it is found. */
  readonly subject: string;
  readonly retain: Retention;
  /** What erasing an account does to it. */
  readonly erase: string;
  /** How it comes into an export, or why not. */
  readonly export: string;
  readonly readBy: string;
  readonly encrypted: string;
  /** Where a person is told part of their data is, in a few words. */
  readonly place?: string;
  /** Who else has it, once configured. */
  readonly processor?: ProcessorId;
}

const ALL_USES = [
  "essential.service.authentication",
  "essential.service.security",
  "essential.service.operations",
  "essential.service.automations",
] as const satisfies readonly Use[];
const everybody = ["customer", "invitee", "visitor"] as const;
const contract = { basis: "contract", people: ["customer"] } as const;
const NOTHING = "Nothing: it says nothing about a person.";
const SAME_TABLES = "From the tables.";

/** A copy of what the tables hold. */
const copyOfTables = {
  holds: "tables",
  use: ALL_USES,
  basis: "contract",
  people: everybody,
  owner: "system",
  export: SAME_TABLES,
} as const;
const notPersonal = {
  holds: ["system.operations"],
  use: ["essential.service.operations"],
  basis: "none_not_personal",
  people: [],
  owner: "system",
  subject: "Leads to nobody.",
  export: "Not about a person.",
} as const;
const phone = {
  ...contract,
  use: ["essential.service.operations"],
  clause: "P1.4",
  owner: "team",
} as const;

export const STORES = {
  database: {
    ...copyOfTables,
    name: "The database: perch.db in the data folder, or PostgreSQL",
    kind: "database",
    clause: "P7.2",
    subject: "By the links of the data map: the account's id or address in a column, or a row that has it.",
    retain: "account",
    erase:
      "Rows go, are forgotten or are cut loose, column by column as the data map says; freed pages are overwritten.",
    readBy: "The server; operators through the admin commands, with role and reason, on the audit chain.",
    encrypted: "SQLite: the whole file (ChaCha20-Poly1305 a page). PostgreSQL: as its operator set it up.",
    processor: "database",
  },
  databaseLog: {
    ...copyOfTables,
    name: "The database's write-ahead log: perch.db-wal; on PostgreSQL the log, its archive and dead rows",
    kind: "database",
    clause: "P7.2",
    subject: "Pages of the database, not found by person.",
    retain: "fortnight",
    erase:
      "Written back and cut to nothing after an erasure; on PostgreSQL gone with vacuuming and within the archive's days.",
    readBy: "The database alone.",
    encrypted: "As the database.",
    processor: "database",
  },
  databaseIndex: {
    ...notPersonal,
    name: "Index of the write-ahead log: perch.db-shm; fingerprint of the key: perch.db.keyid",
    kind: "database",
    clause: "P7.2",
    retain: "service",
    erase: NOTHING,
    readBy: "The server.",
    encrypted: "No; page numbers and a fingerprint.",
  },
  databaseTemporary: {
    ...copyOfTables,
    name: "Temporary tables and sorts of the database",
    kind: "memory",
    clause: "P7.2",
    subject: "Not found by person; gone with the query.",
    retain: "moment",
    erase: "Nothing is left of it: SQLite keeps it in memory (`temp_store`).",
    readBy: "The database alone.",
    encrypted: "In memory only.",
  },
  runFiles: {
    ...contract,
    name: "Files of runs: pictures, recordings and reports, in runs/ of the data folder or in the bucket",
    kind: "files",
    holds: ["user.content.private"],
    use: ["essential.service.automations"],
    clause: "P1.4",
    owner: "team",
    subject: "One folder a run, by the run's id; the run leads to who started it. In the bucket below the team.",
    retain: "month",
    erase:
      "The folder goes with the run's details, or with the team. In the bucket everything below the team goes, and the list is looked at afterwards.",
    export: "As files, beside the runs.",
    readBy: "Members of the team.",
    encrypted: "Each file (AES-256-GCM), bound to its place, before it leaves the server.",
    place: "in files of runs",
    processor: "storage",
  },
  uploads: {
    ...phone,
    name: "Files and apps on their way to phones: uploads/ of the data folder, or the bucket",
    kind: "files",
    holds: ["user.content.private"],
    subject: "One folder an upload, by its id; its row leads to who sends it.",
    retain: "day",
    erase: "The folder goes when the phone has the file, with the upload, the phone or the team, and after a day.",
    export: "Left out: what is still on its way is with the person who sends it; afterwards it is a file of the phone.",
    readBy: "The server alone, until the phone has it.",
    encrypted: "Each piece (AES-256-GCM), bound to its place, before it leaves the server.",
    place: "on the way to your phones",
    processor: "storage",
  },
  phoneRecords: {
    ...phone,
    name: "What a phone remembers, and its downloads: web-phones/phones/ of the data folder",
    kind: "files",
    holds: ["user.content.private", "user.account.settings"],
    subject: "One folder a phone, by the phone's id; the phone leads to its team and who made it.",
    retain: "phone",
    erase: "Wiped with the phone; a phone that stays with a team is the team's.",
    export: "As files, for phones of teams the person is alone in.",
    readBy: "Members of the team who may drive phones.",
    encrypted: "As sealed files while the phone is parked; while it runs, as the disk is.",
    place: "on your phones",
  },
  phoneProfiles: {
    ...phone,
    name: "Browser profiles of phones: sites' cookies and storage, in web-phones/profiles/",
    kind: "files",
    holds: ["user.content.private"],
    subject: "One folder a phone, which the phone's record names.",
    retain: "phone",
    erase: "Wiped with the phone.",
    export: "Left out: other services' sessions in a browser's own format, of use in that browser alone.",
    readBy: "The phone's browser, under a user of its own.",
    encrypted: "As one sealed file while the phone is parked; while it runs, as the disk is.",
    place: "on your phones",
  },
  phoneArchives: {
    ...phone,
    name: "What parked web phones keep, for other nodes: in the bucket, where there is one",
    kind: "files",
    holds: ["user.content.private", "user.account.settings"],
    subject: "Below the team and the phone's id; the phone leads to its team and who made it.",
    retain: "phone",
    erase: "Removed with the phone or the team, and the list is looked at afterwards; an older one with the next.",
    export: "Left out: the same as on the phone, whose files are exported.",
    readBy: "The server alone.",
    encrypted: "Sealed as it lies on the disk, and once more as a whole (AES-256-GCM), bound to its place.",
    place: "on your phones",
    processor: "storage",
  },
  phoneVolumes: {
    ...phone,
    name: "What Android phones in containers store: a Docker volume each, on the operator's hosts",
    kind: "files",
    holds: ["user.content.private"],
    subject: "One volume a phone, named by the phone's id and labelled with it.",
    retain: "phone",
    erase:
      "Removed with the phone, and looked for afterwards; a host that does not answer is asked again, and before it is gone, erasing goes on.",
    export:
      "Left out: apps' data in formats of their own; files of the phone come from the phone itself while it runs.",
    readBy: "Android on the phone; whoever is root on the host.",
    encrypted: "As the host's disk is.",
    place: "on your phones",
  },
  exportFiles: {
    ...contract,
    name: "Copies people asked for: exports/ of the data folder, or the bucket",
    kind: "files",
    holds: "tables",
    use: ["essential.legal_obligation"],
    clause: "P5.4",
    owner: "user",
    subject: "One file an export; its row leads to the person.",
    retain: "week",
    erase: "Removed, in the data folder overwritten first, and the file's key with its row.",
    export: "Left out: an export does not hold exports.",
    readBy: "The person, after proving who they are.",
    encrypted: "Each file with a key of its own.",
    processor: "storage",
  },
  backups: {
    ...copyOfTables,
    holds: "tables",
    name: "Backups: the folder beside the data folder",
    kind: "files",
    clause: "P4.2",
    subject: "Whole copies; not found by person.",
    retain: "fortnight",
    erase:
      "Removed within 14 days; one that is put back is erased again from the erasure ledger before anybody is served.",
    readBy: "The operator who restores one.",
    encrypted: "As the data, with the keys apart.",
  },
  erasureLedger: {
    name: "The erasure ledger: who was erased, in every node's folder, beside its key and its backups, and in the bucket, where there is one",
    kind: "files",
    holds: ["user.unique_id"],
    use: ["essential.legal_obligation"],
    basis: "legal_obligation",
    clause: "P4.2",
    people: ["customer"],
    owner: "system",
    subject: "Random ids that lead to nobody once the account is gone.",
    retain: "ledger",
    erase: "Stays until no backup can bring the person back.",
    export: "Left out: it leads to nobody.",
    readBy: "The server when it starts.",
    encrypted:
      "On disks no; random ids, sealed in a chain. In the bucket sealed (AES-256-GCM), named by the random id.",
  },
  keys: {
    ...notPersonal,
    name: "The key file, and keys derived from it in memory",
    kind: "files",
    clause: "P7.2",
    retain: "service",
    erase: "The key of a person's sealed columns is destroyed with the account.",
    readBy: "The server and the admin commands.",
    encrypted: "It is the key; it never stands beside the data.",
  },
  adbKey: {
    ...notPersonal,
    name: "The server's own ADB key: android/adb-key.sealed of the data folder",
    kind: "files",
    clause: "P7.2",
    retain: "service",
    erase: NOTHING,
    readBy: "The server and the admin commands.",
    encrypted: "Sealed with a key derived from the key file.",
  },
  certificates: {
    ...notPersonal,
    name: "TLS certificate and its key",
    kind: "files",
    clause: "P7.1",
    retain: "service",
    erase: NOTHING,
    readBy: "The server.",
    encrypted: "By file permissions.",
  },
  log: {
    ...notPersonal,
    name: "The server's log: standard error",
    kind: "log",
    clause: "P7.5",
    retain: "fortnight",
    erase: "Nothing: lines have ids of phones, runs and teams at most; names, addresses and what people write never.",
    readBy: "The operator.",
    encrypted: "As the system keeps it.",
  },
  crashReports: {
    ...notPersonal,
    name: "Diagnostic reports and heap dumps of the runtime",
    kind: "files",
    clause: "P7.2",
    retain: "moment",
    erase: "None are written: the runtime's reports are off.",
    readBy: "Nobody.",
    encrypted: "None are written.",
  },
  counters: {
    name: "Rate limits in memory",
    kind: "memory",
    holds: ["user.unique_id.pseudonymous"],
    use: ["essential.fraud_detection"],
    basis: "legitimate_interests",
    clause: "P2.4",
    people: everybody,
    owner: "system",
    subject: "Keyed hashes; not found by person.",
    retain: "moment",
    erase: "Gone when the window passes or the server stops.",
    export: "Left out: a keyed hash cannot be found from a person.",
    readBy: "The server alone.",
    encrypted: "In memory only.",
  },
  screens: {
    ...phone,
    name: "Pictures of running phones and the input on its way to them",
    kind: "memory",
    holds: ["user.content.private"],
    subject: "By phone, while somebody watches.",
    retain: "moment",
    erase: "Nothing is kept: a picture is sent and dropped.",
    export: "Left out: it is not kept.",
    readBy: "Members of the team who watch the phone.",
    encrypted: "On the way, TLS 1.3; otherwise in memory only.",
  },
  working: {
    ...contract,
    name: "Working memory: sessions, phones, runs and recordings being handled",
    kind: "memory",
    holds: ["user.unique_id", "user.content.private", "user.behavior"],
    use: ALL_USES,
    clause: "P2.0",
    owner: "system",
    subject: "By the id of what is handled.",
    retain: "moment",
    erase: "Ends with the session, the phone or the run.",
    export: SAME_TABLES,
    readBy: "The server alone.",
    encrypted: "In memory only.",
  },
  sessionCookie: {
    ...contract,
    name: "Cookie that keeps a person signed in on the server's pages",
    kind: "browser",
    holds: ["user.authorization.credentials"],
    use: ["essential.service.authentication"],
    clause: "P6.1",
    owner: "user",
    subject: "In the person's own browser.",
    retain: "session",
    erase: "Worth nothing once the session has ended; removed by signing out.",
    export: "Left out: a secret.",
    readBy: "The server alone (HttpOnly, SameSite).",
    encrypted: "By the browser.",
  },
  stepCookie: {
    ...contract,
    name: "Cookie between password and second factor",
    kind: "browser",
    holds: ["user.authorization.credentials"],
    use: ["essential.service.authentication"],
    clause: "P6.1",
    owner: "user",
    subject: "In the person's own browser.",
    retain: "minutes",
    erase: "Worth nothing after ten minutes.",
    export: "Left out: a secret.",
    readBy: "The server alone (HttpOnly, SameSite).",
    encrypted: "By the browser.",
  },
  stripe: {
    ...contract,
    name: "Stripe, which takes payments for us",
    kind: "processor",
    holds: ["user.contact.email", "user.name", "user.payment", "user.unique_id"],
    use: ["essential.service.payment_processing"],
    clause: "P3.3",
    owner: "team",
    subject: "By the team's customer number, and in it by account.",
    retain: "team",
    erase:
      "The plan ends, ways to pay are taken away, the customer is deleted; of a team that goes on it gets another owner's name. Stripe keeps the payments themselves as the law asks it.",
    export: "Invoices and payments, from our own records; cards and address stand on Stripe's page.",
    readBy: "Stripe; operators in its dashboard.",
    encrypted: "On the way, TLS 1.3; then as Stripe does.",
    place: "at Stripe",
    processor: "stripe",
  },
  geelark: {
    ...contract,
    name: "The cloud-phone partner, which runs Android phones for us",
    kind: "processor",
    holds: ["user.content.private", "user.account.settings"],
    use: ["essential.service.operations"],
    clause: "P3.4",
    owner: "team",
    subject: "By the phone's number, which stands in its remark there; no name or address of a person does.",
    retain: "phone",
    erase: "Each phone is turned off and deleted there, and looked for afterwards; before it is gone, erasing goes on.",
    export: "What is on phones, from the phones themselves while they run.",
    readBy: "The partner's own systems; operators in its client.",
    encrypted:
      "Calls on the way, TLS 1.3; the picture and what is typed come over ADB, which is not encrypted by itself.",
    place: "at GeeLark",
    processor: "geelark",
  },
  supabase: {
    ...contract,
    name: "Supabase, where sign-ins are checked",
    kind: "processor",
    holds: [
      "user.contact.email",
      "user.authorization.password",
      "user.authorization.credentials",
      "user.unique_id",
      "user.behavior",
    ],
    use: ["essential.service.authentication"],
    clause: "P3.2",
    owner: "user",
    subject: "By the person's number there, which stands beside the account.",
    retain: "account",
    erase:
      "The person is deleted there, not only marked, and looked for afterwards; before they are gone, erasing goes on.",
    export: "What it holds of a person, without password and secrets, as a file of its own.",
    readBy: "Supabase; operators in its dashboard.",
    encrypted: "On the way, TLS 1.3; then as Supabase does. Passwords are hashed (bcrypt).",
    place: "at Supabase",
    processor: "supabase",
  },
  mailProvider: {
    name: "The mail server that delivers for us",
    kind: "processor",
    holds: ["user.contact.email", "user.name", "user.device.ip_address", "user.device.device_id"],
    use: ["essential.service.notifications.email"],
    basis: "contract",
    clause: "P3.5",
    people: everybody,
    owner: "user",
    subject: "By address.",
    retain: "fortnight",
    erase: "Its records go within the days its agreement says; asked to forget the address where it can be asked.",
    export: "The mails that were sent, from the outbox.",
    readBy: "The provider, under its agreement.",
    encrypted: "On the way, TLS; then as the provider does.",
    place: "at the mail server",
    processor: "mail",
  },
} as const satisfies Record<string, Store>;
export type StoreId = keyof typeof STORES;
