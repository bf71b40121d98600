/** Settings of the server itself: where it listens, what it keeps where, whom it believes. */
import { z } from "zod";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { address, believable, origin, whole } from "./kinds.ts";

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
  DATABASE_URL: {
    secret: true,
    schema: address(/^postgres(ql)?$/, "postgres://user:password@host/database").optional(),
    about: "PostgreSQL instead of the embedded SQLite: postgres://user:password@host/database.",
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
