/** Every table, declared once; the two engines get them through their kit. */
import { abuseTables } from "../abuse/abuse.tables.ts";
import { accountTables, userTables } from "../accounts/accounts.tables.ts";
import { announcementTables } from "../announcements/announcements.tables.ts";
import { auditTables } from "../audit/audit.tables.ts";
import { automationTables } from "../automations/automations.tables.ts";
import { secretTables } from "../automations/secrets/secrets.tables.ts";
import { workspaceTables } from "../automations/workspaces.tables.ts";
import { backupTables } from "../backup/backups.tables.ts";
import { billingTables } from "../billing/billing.tables.ts";
import { ledgerTables } from "../billing/ledger/ledger.tables.ts";
import { sandboxTables } from "../billing/sandbox/sandbox.tables.ts";
import { stripeTables } from "../billing/stripe/stripe.tables.ts";
import { usageTables } from "../billing/usage/usage.tables.ts";
import { eventTables } from "../events/events.tables.ts";
import { faultTables } from "../faults/faults.tables.ts";
import { uploadTables } from "../files/uploads.tables.ts";
import { jobTables } from "../jobs/jobs.tables.ts";
import { limitTables } from "../limits/limits.tables.ts";
import { mailTables } from "../mail/mail.tables.ts";
import { nodeTables } from "../nodes/nodes.tables.ts";
import { androidTables } from "../phones/drivers/adb/adb.tables.ts";
import { geelarkTables } from "../phones/drivers/geelark/geelark.tables.ts";
import { phoneArchiveTables } from "../phones/phone-archives.tables.ts";
import { phoneCopyTables } from "../phones/phone-copies.tables.ts";
import { phoneTables } from "../phones/phones.tables.ts";
import { incidentTables } from "../privacy/incidents/incidents.tables.ts";
import { metricTables } from "../privacy/metrics/metrics.tables.ts";
import { privacyTables } from "../privacy/privacy.tables.ts";
import { recordingTables } from "../recordings/recordings.tables.ts";
import { ruleTables } from "../rules/rules.tables.ts";
import { screenTables } from "../screen/screen.tables.ts";
import { supportTables } from "../support/support.tables.ts";
import { teamTables } from "../teams/teams.tables.ts";
import { webhookTables } from "../webhooks/webhooks.tables.ts";
import { type EngineName, type Kit, kits, kitsWith } from "./dialect.ts";
import { keyTables } from "./keys.tables.ts";
import type { FieldCodec } from "./sealed-fields.ts";

export function defineTables(k: Kit) {
  const users = userTables(k);
  const teams = teamTables(k, users);
  const accounts = accountTables(k, { ...users, ...teams });
  const phones = phoneTables(k, { ...users, ...teams });
  const workspaces = workspaceTables(k, { ...users, ...teams });
  const automations = automationTables(k, { ...users, ...teams, ...workspaces });
  return {
    ...users,
    ...teams,
    ...accounts,
    ...nodeTables(k),
    ...backupTables(k),
    ...announcementTables(k),
    ...faultTables(k),
    ...phones,
    ...phoneArchiveTables(k, phones),
    ...phoneCopyTables(k, teams),
    ...androidTables(k, phones),
    ...geelarkTables(k),
    ...uploadTables(k, { ...users, ...teams, ...phones }),
    ...abuseTables(k, users),
    ...screenTables(k, { ...accounts, ...phones }),
    ...workspaces,
    ...automations,
    ...secretTables(k, { ...users, ...teams, ...automations }),
    ...ruleTables(k, { ...users, ...teams, ...automations }),
    ...webhookTables(k, { ...users, ...teams, ...automations }),
    ...recordingTables(k, { ...users, ...teams, ...automations }),
    ...jobTables(k),
    ...eventTables(k),
    ...auditTables(k),
    ...limitTables(k),
    ...mailTables(k),
    ...supportTables(k),
    ...keyTables(k),
    ...privacyTables(k, users),
    ...incidentTables(k, users),
    ...metricTables(k),
    ...billingTables(k),
    ...usageTables(k, { ...users, ...teams }),
    ...ledgerTables(k, teams),
    ...stripeTables(k, { ...users, ...teams }),
    ...sandboxTables(k),
  };
}
export type Tables = ReturnType<typeof defineTables>;

/** The tables of one database, whose sealed columns use its keys; on PostgreSQL in this schema. */
export function tablesWith(engine: EngineName, codec: FieldCodec, schema?: string): Tables {
  return defineTables(kitsWith(codec, schema)[engine]);
}

/** Without keys: for what only looks at the schema. */
export const tablesFor = { sqlite: defineTables(kits.sqlite), postgres: defineTables(kits.postgres) };
