/** What a service may know of the request it serves: for limits, sessions and the audit log only. */
export interface RequestInfo {
  readonly requestId: string;
  /** The peer's address, or what a trusted proxy says of it; see `TRUSTED_PROXIES`. */
  readonly ip: string;
  readonly userAgent: string;
  /** IANA name, when the client told it. */
  readonly timeZone?: string | undefined;
}
