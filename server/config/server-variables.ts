/** Settings of the server itself: where it listens, what it keeps where, whom it believes. */
import { z } from "zod";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { NODE_ROLES } from "../nodes/nodes.tables.ts";
import { address, believable, count, nodeAddress, origin, whole } from "./kinds.ts";

/** Schemas PostgreSQL, Supabase and their extensions use; `public` is served to whoever has a project's anonymous key. */
const FOREIGN_SCHEMAS =
  /^(pg_.*|information_schema|public|auth|storage|realtime|_realtime|graphql.*|extensions|vault|pgbouncer|pgsodium.*|cron|net|supabase_.*)$/;

export const SERVER_VARIABLES = {
  PORT: { schema: whole(8787, 0, 65535), about: "Port to listen on." },
  HOST: {
    schema: z.string().default("127.0.0.1"),
    about: "Address to listen on. Anything but loopback needs an https PUBLIC_URL.",
  },
  PUBLIC_URL: {
    schema: origin.optional(),
    about: "Where people reach the server. Default: http://localhost:PORT, https with TLS_CERT_FILE.",
  },
  TLS_CERT_FILE: {
    schema: z.string().min(1).optional(),
    about:
      "Certificate chain in PEM: the server itself then serves https, TLS 1.3. Renewed files are taken up by themselves.",
  },
  TLS_KEY_FILE: { schema: z.string().min(1).optional(), about: "Private key in PEM of TLS_CERT_FILE." },
  DATA_DIR: { schema: z.string().min(1).default("./data"), about: "Folder for the database and the phones." },
  KEY_FILE: {
    schema: z.string().min(1).optional(),
    about: "File with the encryption key, outside DATA_DIR. Made on first start. Default: DATA_DIR.key.",
  },
  BACKUP_DIR: {
    schema: z.string().min(1).optional(),
    about: "Folder for backups, on another disk if there is one. Default: DATA_DIR.backups.",
  },
  BACKUP_DAYS: {
    schema: whole(14, 1, 14),
    about: "Backups older than this are removed: 14 at most, because what people had erased is in them.",
  },
  BACKUP_HOURS: {
    schema: whole(24, 0, 168),
    about: "The server makes and verifies a backup this often. 0: it makes none.",
  },
  DATABASE_URL: {
    secret: true,
    schema: address(/^postgres(ql)?$/, "postgres://user:password@host/database").optional(),
    about:
      "PostgreSQL instead of the embedded SQLite: postgres://user:password@host/database. May be a transaction pooler; see docs/postgres.md.",
  },
  DATABASE_DIRECT_URL: {
    secret: true,
    schema: address(/^postgres(ql)?$/, "postgres://user:password@host/database").optional(),
    about: "The same database past the pooler, where DATABASE_URL goes through one: for migrations and announcements.",
  },
  DATABASE_SCHEMA: {
    schema: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,39}$/, "Write up to 40 small letters, digits and underscores, a letter first.")
      .refine(
        (name) => !FOREIGN_SCHEMAS.test(name),
        "Perch keeps its tables in a schema of its own. Write another name; the default is perch.",
      )
      .default("perch"),
    about: "Schema of Perch's tables in PostgreSQL. The keys of people are in one of this name with _keys.",
  },
  DATABASE_POOL: { schema: count(10, 500), about: "Most connections this server makes through DATABASE_URL." },
  S3_ENDPOINT: {
    schema: address(/^https?$/, "https://s3.eu-central-1.amazonaws.com").optional(),
    about:
      "S3 storage for files instead of DATA_DIR, with the five below; see docs/storage.md. Everything is sealed first.",
  },
  S3_REGION: {
    schema: z
      .string()
      .regex(/^[\w-]{1,40}$/, "Write the region the storage names, like eu-central-1, or auto.")
      .default("us-east-1"),
    about: "Region of S3_ENDPOINT as it names it; auto at Cloudflare R2.",
  },
  S3_BUCKET: {
    schema: z
      .string()
      .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, "Write the name of a bucket: small letters, digits, dots, hyphens.")
      .optional(),
    about: "Bucket for the files, without versioning and not public.",
  },
  S3_ACCESS_KEY_ID: { schema: z.string().min(1).max(256).optional(), about: "Key of S3_BUCKET." },
  S3_SECRET_ACCESS_KEY: { secret: true, schema: z.string().min(1).max(256).optional(), about: "Its secret." },
  S3_PREFIX: {
    schema: z
      .string()
      .regex(/^([\w-]{1,40}(\/[\w-]{1,40}){0,3})?$/, "Write letters, digits and hyphens, with slashes between.")
      .default(""),
    about: "In front of every key, where the bucket has other things too.",
  },
  ROLE: {
    schema: z.enum(NODE_ROLES, { error: "Write all, api or host." }).default("all"),
    about: "all: API and phones; api: no web phones here; host: phones, reached by other nodes alone.",
  },
  NODE_NAME: {
    schema: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,39}$/, "A node's name has up to 40 small letters, digits and hyphens.")
      .optional(),
    about: "Name of this node beside others over one PostgreSQL. Default: the machine's.",
  },
  NODE_ADDRESS: {
    schema: z.string().optional().transform(nodeAddress),
    about: "host:port where other nodes reach this one's NODE_PORT. Without it there are no other nodes.",
  },
  NODE_HOST: {
    schema: z.string().min(1).default("127.0.0.1"),
    about: "Address to listen on for other nodes: mutual TLS 1.3, believed by the register of nodes alone.",
  },
  NODE_PORT: { schema: whole(8788, 0, 65535), about: "Port to listen on for other nodes, with NODE_ADDRESS." },
  DRAIN_SECONDS: {
    schema: whole(0, 0, 86_400),
    about: "How long a node that is stopped waits for runs and recordings to end.",
  },
  EXTENSION_IDS: {
    schema: z
      .string()
      .regex(/^([a-p]{32}(,[a-p]{32})*)?$/, "Chrome extension ids are 32 letters a to p, separated by commas.")
      .default(CHROME_EXTENSION_ID)
      .transform((ids) => ids.split(",").filter(Boolean)),
    about: "Ids of Chrome extensions that may connect.",
  },
  TRUSTED_PROXIES: {
    schema: z
      .string()
      .default("")
      .transform((list) =>
        list
          .split(",")
          .map((ip) => ip.trim())
          .filter(Boolean),
      )
      .superRefine(believable),
    about: "Addresses of proxies whose X-Forwarded-For is believed: 10.0.0.2,10.1.0.0/16.",
  },
  METRICS_TOKEN: {
    secret: true,
    schema: z
      .string()
      .regex(/^[\w.~+/=-]{20,500}$/, "Write 20 letters and digits at least, as `openssl rand -hex 24` makes them.")
      .optional(),
    about:
      "Who brings it as a bearer token reads /metrics, and the reasons on /readyz. Without it they are read on this machine alone.",
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    schema: origin.optional(),
    about: "Where traces go, as OTLP over HTTP: http://localhost:4318. Unset: none are made.",
  },
} as const;
