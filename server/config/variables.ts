/** Every variable with the line that explains it. Order is the order in `.env.example`. */
import type { z } from "zod";
import { PEOPLE_VARIABLES } from "./people-variables.ts";
import { PHONE_VARIABLES } from "./phone-variables.ts";
import { SERVER_VARIABLES } from "./server-variables.ts";

export const VARIABLES = { ...SERVER_VARIABLES, ...PHONE_VARIABLES, ...PEOPLE_VARIABLES } as const;

export type Variables = { [Name in keyof typeof VARIABLES]: z.output<(typeof VARIABLES)[Name]["schema"]> };

/** Whether a value may also stand in a file that NAME_FILE names, as `secret` in its entry says. */
export function isSecret(name: string): boolean {
  const known: Readonly<Record<string, object>> = VARIABLES;
  return "secret" in (known[name] ?? {});
}

/** Prefixes of our own names: a name that starts so and is not known is a spelling mistake. */
export const OWN_PREFIXES = [
  "PHONE_",
  "PHONES_",
  "RUNNING_",
  "EGRESS_",
  "IDLE_",
  "KEY_FILE",
  "PERCH_",
  "DATABASE_",
  "MAIL_",
  "SMTP_",
  "MOVING_",
  "LONGEST_",
  "WARM_",
  "TRUSTED_",
  "EXTENSION_",
  "TLS_",
  "BACKUP_",
  "PROCESSORS_",
  "INACTIVE_",
  "OPERATOR",
  "BILLING",
  "STRIPE_",
  "SCRCPY_",
  "GEELARK_",
  // "ANDROID_" and "ADB_" alone are other programs' too: ANDROID_HOME, ADB_SERVER_SOCKET.
  "ANDROID_DEVICE",
  "ANDROID_IMAGE",
  "DOCKER_PHONE",
  "METRICS_",
  "UIAUTOMATOR_",
  "S3_",
  "SUPABASE_",
  "NODE_ADDRESS",
  "DRAIN_",
];
