/** Security incidents as the server, its operator page and the person see them. */
export const INCIDENT_STATES = ["open", "scoped", "notifying", "notified", "closed"] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** What was exposed: whole tables, or columns of them, as the data map names them. */
export interface IncidentScope {
  readonly columns: readonly { readonly table: string; readonly columns: readonly string[] | "all" }[];
  /** Narrower than everybody: these people or teams alone. */
  readonly only?: { readonly users?: readonly string[]; readonly teams?: readonly string[] };
}
