/** A copy of everything exportable about a person, as the data map says. */
import type { DataExportId, UserId } from "../../../shared/ids.ts";
import type { ExportDownload, ExportEstimate, ExportView } from "../../../shared/privacy.ts";
import type { Actor } from "../../teams/team-scope.ts";

export interface DataExports {
  estimate(userId: UserId): Promise<ExportEstimate>;
  /** The newest first. */
  list(userId: UserId): Promise<ExportView[]>;
  start(actor: Actor, idempotencyKey: string): Promise<ExportView>;
  /** Removes the archive. */
  revoke(actor: Actor, id: DataExportId): Promise<void>;
  download(actor: Actor, id: DataExportId): Promise<ExportDownload>;
}
