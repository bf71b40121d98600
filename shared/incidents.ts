/** Security incidents as the server, its operator page and the person see them. */
export const INCIDENT_STATES = ["open", "scoped", "notifying", "notified", "closed"] as const;
export type IncidentState = (typeof INCIDENT_STATES)[number];

/** What was exposed: whole tables, or columns of them, as the data map names them. */
export interface IncidentScope {
  readonly columns: readonly { readonly table: string; readonly columns: readonly string[] | "all" }[];
  /** Narrower than everybody: these people, and what is these teams' or their members', alone. */
  readonly only?: { readonly users?: readonly string[]; readonly teams?: readonly string[] };
  /** What the count found; kept when people are gone. */
  readonly found?: ScopeFound;
}

export interface ScopeFound {
  /** Rows that hold something personal of what was exposed. */
  readonly records: number;
  /** People by data category. */
  readonly categories: Readonly<Record<string, number>>;
  /** Addresses among what was exposed that belong to no account: nobody here can be told through one. */
  readonly addressesWithoutAccount: number;
}

/** How many of the people concerned are where on the way to being told. */
export interface ToldCounts {
  readonly waiting: number;
  readonly queued: number;
  readonly sent: number;
  readonly failed: number;
  readonly shown: number;
}
