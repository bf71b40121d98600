/** What the operator's page works with. */
import type { Standing } from "../abuse/standing.service.ts";
import type { Announcements } from "../announcements/announcements.service.ts";
import type { BackupStatus } from "../backup/backups.service.ts";
import type { BillingDesk } from "../billing/desk/billing-desk.service.ts";
import type { Readiness } from "../health/readiness.ts";
import type { NodesDesk } from "../nodes/nodes.service.ts";
import type { PhoneHosts } from "../phones/drivers/adb/containers/phone-hosts.service.ts";
import type { OperatorConsole } from "./console.service.ts";

export interface OperatorDesks {
  readonly console: OperatorConsole;
  readonly nodes: NodesDesk;
  readonly hosts: Pick<PhoneHosts, "list" | "drain">;
  readonly standing: Pick<Standing, "listOpen" | "review">;
  readonly billing: BillingDesk;
  readonly announcements: Announcements;
  /** Whether anybody is billed here. */
  readonly bills: boolean;
}

export interface OperatorSeat {
  /** Whether the account with this address may use the page. */
  isOperator(email: string): boolean;
  /** Everything, with every entry of the audit log signed by this operator. */
  as(by: string): OperatorDesks;
  backups(): Promise<BackupStatus>;
  readiness(): Promise<Readiness>;
}
