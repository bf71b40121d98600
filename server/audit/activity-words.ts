/** What each audit action is called in the activity list, and in which group it stands. A new action gets a line here. */
import type { ActivityGroup } from "../../shared/activity.ts";
import type { AuditAction } from "./audit.repo.ts";

export type ActivityDetail = Readonly<Record<string, string | number | boolean>>;
interface ActionWords {
  readonly group: ActivityGroup;
  /** After the name of who did it: "Ada launched a phone". */
  readonly words: string | ((detail: ActivityDetail) => string);
}

const phones = (words: ActionWords["words"]): ActionWords => ({ group: "phones", words });
const automations = (words: ActionWords["words"]): ActionWords => ({ group: "automations", words });
const team = (words: ActionWords["words"]): ActionWords => ({ group: "team", words });
const account = (words: ActionWords["words"]): ActionWords => ({ group: "account", words });
const operator = (words: ActionWords["words"]): ActionWords => ({ group: "operator", words });

const ACTIONS = {
  "phone.launched": phones("launched a phone"),
  "phone.started": phones("started a phone"),
  "phone.parked": phones("parked a phone"),
  "phone.removed": phones("removed a phone"),
  "phone.hidden": phones("removed a phone that is wiped when it can be reached"),
  "phone.renamed": phones("renamed a phone"),
  "phone.configured": phones("changed a phone's settings"),
  "phone.tagged": phones("changed a phone's tags"),
  "phone.opened": phones("opened a page on a phone"),
  "phone.web_app_installed": phones("installed a web app on a phone"),
  "phone.screenshot_taken": phones("took a screenshot of a phone"),
  "phone.file_removed": phones("removed a file from a phone"),
  "phone.file_read": phones("downloaded a file from a phone"),
  "phone.file_added": phones("put a file on a phone"),
  "phone.app_installed": phones("installed an app on a phone"),
  "phone.app_opened": phones("opened an app on a phone"),
  "phone.app_stopped": phones("stopped an app on a phone"),
  "phone.app_cleared": phones("cleared an app's data on a phone"),
  "phone.app_removed": phones("removed an app from a phone"),
  "phone.lost": phones("lost sight of a phone"),
  "phone.found": phones("found a phone again"),
  "phone.watched": phones("watched a phone"),
  "phone.driven": phones("drove a phone"),
  "phone.taken": phones("took control of a phone"),

  "flow.saved": automations("saved an automation"),
  "flow.removed": automations("removed an automation"),
  "run.started": automations("ran an automation"),
  "run.cancelled": automations("cancelled a run"),
  "run.resumed": automations("resumed a run"),
  "run.file_read": automations("downloaded a file of a run"),
  "secret.set": automations("set a secret"),
  "secret.removed": automations("removed a secret"),
  "secret.granted": automations("let an automation use a secret"),
  "secret.revoked": automations("took a secret back from an automation"),
  "rule.saved": automations("saved a rule"),
  "rule.removed": automations("removed a rule"),
  "rule.started": automations("let a rule start an automation"),
  "rule.paused": automations("paused a rule"),
  "rule.resumed": automations("resumed a rule"),
  "webhook.created": automations("made a webhook"),
  "webhook.removed": automations("removed a webhook"),
  "webhook.rotated": automations("changed a webhook's secret"),
  "webhook.called": automations("started an automation through a webhook"),
  "workspace.file_saved": automations("saved a file"),
  "workspace.file_removed": automations("removed a file"),
  "workspace.folder_removed": automations("removed a folder"),
  "workspace.imported": automations("imported automations"),
  "workspace.baseline_accepted": automations("accepted a new picture to compare with"),
  "recording.started": automations("began a recording"),
  "recording.saved": automations("made an automation of a recording"),
  "recording.discarded": automations("discarded a recording"),

  "team.created": team("made the team"),
  "team.renamed": team("renamed the team"),
  "team.closed": team("closed the team"),
  "team.second_factor_required": team(({ required }) =>
    required === "false" ? "no longer asks members for a second factor" : "asked members for a second factor",
  ),
  "team.invited": team(({ role }) => (role === undefined ? "invited somebody" : `invited somebody as ${role}`)),
  "team.invitation_resent": team("sent an invitation again"),
  "team.invitation_withdrawn": team("withdrew an invitation"),
  "team.invitation_declined": team("declined an invitation"),
  "team.joined": team(({ role }) => (role === undefined ? "joined the team" : `joined the team as ${role}`)),
  "team.role_changed": team(({ from, to }) =>
    from === undefined || to === undefined
      ? "changed a member's role"
      : `changed a member's role from ${from} to ${to}`,
  ),
  "team.member_removed": team("removed a member"),
  "team.left": team("left the team"),
  "team.ownership_transferred": team("made somebody else owner"),
  "token.created": team("made an API token"),
  "token.revoked": team("revoked an API token"),

  "account.created": account("made an account"),
  "account.password_changed": account("changed the password"),
  "account.profile_changed": account("changed the profile"),
  "account.email_change_asked": account("asked for another e-mail address"),
  "account.email_changed": account("changed the e-mail address"),
  "account.email_change_undone": account("took a change of the e-mail address back"),
  "account.totp_added": account("added codes from an app"),
  "account.totp_removed": account("removed codes from an app"),
  "account.backup_codes_made": account("made new backup codes"),
  "account.backup_code_used": account("signed in with a backup code"),
  "account.passkey_added": account("added a passkey"),
  "account.passkey_renamed": account("renamed a passkey"),
  "account.passkey_removed": account("removed a passkey"),
  "account.stepped_up": account("confirmed who they are"),
  "account.recovered": account("recovered the account"),
  "account.second_factor_failed": account("gave a wrong second factor"),
  "account.unusual_use": account("was seen to be used in an unusual way"),
  "account.shut_out": account("was signed out everywhere, closed at the sign-in service"),
  "account.moved": account("moved where the password is checked"),
  "account.held": account("held the account for review"),
  "account.contested": account("contested a decision"),
  "account.released": account("released the account"),
  "account.signed_in": account("signed in"),
  "account.sign_in_failed": account("tried to sign in"),
  "account.signed_out": account("signed out"),
  "account.connected": account("connected the extension"),
  "session.revoked": account("ended a session"),
  "support.received": account("wrote to support"),
  "privacy.viewed": account("looked at what we hold"),
  "privacy.requested": account("made a request about their data"),
  "privacy.request_verified": account("confirmed a request about their data"),
  "privacy.request_revoked": account("took a request about their data back"),
  "privacy.request_answered": account("answered a request about data"),
  "privacy.statement_added": account("added a statement to what we hold"),
  "privacy.statement_removed": account("took a statement back"),
  "privacy.restricted": account("restricted the use of their data"),
  "privacy.unrestricted": account("allowed the use of their data again"),
  "privacy.metrics_left": account("left the anonymised numbers"),
  "privacy.metrics_joined": account("joined the anonymised numbers"),
  "privacy.export_asked": account("asked for a copy of their data"),
  "privacy.export_downloaded": account("downloaded a copy of their data"),
  "privacy.export_revoked": account("removed a copy of their data"),
  "privacy.imported": account("brought data from another Perch"),
  "privacy.deletion_asked": account("asked to delete the account"),
  "privacy.deletion_undone": account("kept the account after all"),
  "privacy.erased": account("erased an account"),
  "privacy.policy_acknowledged": account("read a change of the privacy policy"),
  "privacy.policy_objected": account("objected to a change of the privacy policy"),

  "admin.users_listed": operator("listed the accounts"),
  "admin.account_read": operator("read an account"),
  "admin.mail_read": operator("read mail that waits"),
  "admin.decision_reviewed": operator("reviewed a decision"),
  "admin.suspended": operator("suspended an account or a team"),
  "admin.suspension_lifted": operator("lifted a suspension"),
  "admin.requests_read": operator("read requests about data"),
  "admin.request_entered": operator("entered a request about data"),
  "admin.request_verified": operator("made sure whose a request about data is"),
  "admin.request_answered": operator("answered a request about data"),
  "admin.erasure_asked": operator("entered a request to delete an account"),
  "admin.incident_opened": operator("opened a security incident"),
  "admin.incident_described": operator("described a security incident"),
  "admin.incident_scoped": operator("found out whom a security incident concerns"),
  "admin.incident_notified": operator("told people about a security incident"),
  "admin.incident_authority_told": operator("told the authority about a security incident"),
  "admin.incident_closed": operator("closed a security incident"),
  "admin.policy_announced": operator("announced a change of the privacy policy"),
  "admin.desk_opened": operator("opened the operator page"),
  "admin.android_device_added": operator("added an Android device"),
  "admin.android_device_removed": operator("removed an Android device"),
  "admin.phone_host_added": operator("added a host of phones"),
  "admin.phone_host_changed": operator("changed a host of phones"),
  "admin.phone_host_removed": operator("removed a host of phones"),
  "admin.phone_stopped": operator("stopped a phone"),
  "admin.job_run": operator("let work run again"),
  "admin.audit_read": operator("read the log of the operators"),
  "admin.announced": operator("announced something to everybody"),
  "admin.node_changed": operator("changed a node of the server"),
  "admin.node_forgotten": operator("forgot a node of the server"),
  "admin.backup_made": operator("made a backup"),
  "admin.backup_restored": operator("restored a backup"),
  "admin.database_moved": operator("moved the database"),
  "admin.database_move_undone": operator("took back moving the database"),
  "admin.billing_records_read": operator("read billing records"),
  "admin.billing_read": operator("looked at what a team pays"),
  "admin.billing_credited": operator("gave a credit"),
  "admin.billing_corrected": operator("corrected an entry"),
  "admin.billing_refunded": operator("gave money back"),
  "admin.billing_reconciled": operator("checked the books against Stripe"),
  "admin.billing_synced": operator("synced the catalogue to Stripe"),
  "admin.billing_sandbox_told": operator("told the billing sandbox what to do"),

  "billing.checkout_opened": team("opened a checkout"),
  "billing.purchased": team("bought something"),
  "billing.subscription_changed": team("changed the plan or its add-ons"),
  "billing.subscription_acted": team("cancelled, kept, paused or resumed the plan"),
  "billing.portal_opened": team("opened the billing portal"),
  "billing.overage_set": team("changed what may be charged by invoice"),
  "billing.settings_changed": team("changed billing settings"),
  "billing.phone_dedicated": team("chose a dedicated phone"),
  "billing.budget_set": team("set a budget"),
  "billing.budget_removed": team("removed a budget"),
  "billing.refund_asked": team("asked for a refund of the balance"),
  "billing.phones_parked": team("parked phones that nothing paid for"),
  "billing.frozen": team("froze the balance"),
  "billing.unfrozen": team("freed the balance"),
  "admin.key_rotated": operator("changed the encryption key"),
  "server.started": operator("started the server"),
} as const satisfies Record<AuditAction, ActionWords>;

/** `Object.entries` forgets the keys' type; the table above has no others. */
const ALL = Object.entries(ACTIONS) as readonly (readonly [AuditAction, ActionWords])[];
export const ALL_ACTIONS: readonly AuditAction[] = ALL.map(([action]) => action);

/** The actions of a group. */
export function actionsOf(group: ActivityGroup): readonly AuditAction[] {
  return ALL.flatMap(([action, about]) => (about.group === group ? [action] : []));
}

/** An action's group and words; a log may hold actions of a later version. */
export function describeAction(action: string, detail: ActivityDetail | null): { group: ActivityGroup; words: string } {
  const known: ActionWords | undefined = ALL.find(([name]) => name === action)?.[1];
  if (known === undefined) return { group: "operator", words: action };
  const { group, words } = known;
  return { group, words: typeof words === "string" ? words : words(detail ?? {}) };
}
