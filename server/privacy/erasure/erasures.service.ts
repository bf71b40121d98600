/** Deleting an account: preview, grace with undo, a durable purge, a certificate. */
import type { z } from "zod";
import type { UserId } from "../../../shared/ids.ts";
import type { DeletePreview, DeletionView, deleteInput } from "../../../shared/privacy.ts";
import type { Actor } from "../../teams/team-scope.ts";

export interface Erasures {
  preview(actor: Actor): Promise<DeletePreview>;
  ask(actor: Actor, input: z.output<typeof deleteInput>): Promise<DeletionView>;
  undo(actor: Actor): Promise<void>;
  /** The one in grace or at work. */
  current(userId: UserId): Promise<DeletionView | undefined>;
}
