/** Messages from the support page. */
import type { Database, Writer } from "../db/database.ts";
import type { SUPPORT_KINDS } from "./support.tables.ts";

export interface NewSupportRequest {
  readonly id: string;
  readonly kind: (typeof SUPPORT_KINDS)[number];
  readonly email: string;
  readonly message: string;
  readonly receivedAt: Date;
  readonly dueAt: Date;
}

export interface SupportRepo {
  insert(tx: Writer, request: NewSupportRequest): Promise<void>;
}

export function createSupportRepo(db: Database): SupportRepo {
  const { supportRequests } = db.t;
  return {
    async insert(tx, request) {
      await tx.insert(supportRequests).values({ ...request, emailIndex: request.email });
    },
  };
}
