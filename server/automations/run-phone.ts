/** What the runner needs of the phones of this server. */
import type { PhoneId, TeamId } from "../../shared/ids.ts";
import type { PhoneDriver } from "../phones/driver.ts";
import type { PhoneRow } from "../phones/phones.repo.ts";

export interface RunPhones {
  /** The phone, started if it was parked. @throws PerchError with a sentence why not */
  ready(teamId: TeamId, id: PhoneId, actor: string): Promise<{ row: PhoneRow; driver: PhoneDriver }>;
  rotate(id: PhoneId): Promise<unknown>;
  used(id: PhoneId): void;
  /** Tells of phones that ended by themselves. */
  onEnded(listener: (id: PhoneId) => void): () => void;
}
