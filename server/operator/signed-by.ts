/** The audit log of one operator: what they do says as what, and who they are on this machine or by their account. */
import type { Audit } from "../audit/audit.repo.ts";
import type { Config } from "../config.ts";

export interface Operator {
  /** What they say they do this as; the person concerned sees it. */
  readonly role: Config["OPERATOR_ROLE"];
  /** Their name on this machine, or what stands before the @ of their address. */
  readonly by: string;
}

export function signedBy(audit: Audit, { role, by }: Operator): Audit {
  return {
    ...audit,
    record: (tx, entry) =>
      audit.record(tx, entry.actor === "operator" ? { ...entry, detail: { ...entry.detail, role, by } } : entry),
  };
}
