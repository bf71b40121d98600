/** `EGRESS_ALLOW`: the private hosts and ports an operator opens to phones, each written out. */
import { PerchError } from "../errors.ts";
import { isBadPort, parseAuthority } from "./host.ts";

export interface EgressAllow {
  /** `host` in the canonical form of `EgressTarget`. Matches what the page asked for, not what a name resolves to. */
  has(host: string, port: number): boolean;
  readonly size: number;
}

/**
 * Reads `host:port,host:port`; IPv6 addresses in brackets; blanks around entries are ignored; empty text allows nothing.
 * Throws `bad_input` with a sentence naming the first entry that cannot be read.
 */
export function parseEgressAllow(text: string): EgressAllow {
  const entries = new Set<string>();
  if (text.trim() !== "") {
    for (const entry of text.split(",")) entries.add(parseEntry(entry.trim()));
  }
  return { has: (host, port) => entries.has(key(host, port)), size: entries.size };
}

function parseEntry(entry: string): string {
  if (entry === "") throw refuse("EGRESS_ALLOW has an empty entry. Write host:port,host:port without extra commas.");
  if (entry.includes("*")) {
    throw refuse(`EGRESS_ALLOW does not take wildcards. Write every host and port instead of "${entry}".`);
  }
  if (entry.includes("/")) {
    throw refuse(`EGRESS_ALLOW takes host:port only. Write "${entry}" without scheme, path or network mask.`);
  }
  if (!entry.startsWith("[") && entry.split(":").length > 2) {
    throw refuse(`EGRESS_ALLOW needs brackets around an IPv6 address. Write "${entry}" like [fd00::1]:8080.`);
  }
  const target = parseAuthority(entry);
  if (target === undefined) {
    throw refuse(`EGRESS_ALLOW cannot read "${entry}". Write it like intranet.example:8080 or [fd00::1]:8080.`);
  }
  if (isBadPort(target.port)) {
    throw refuse(`EGRESS_ALLOW cannot open port ${target.port} of "${entry}": browsers refuse this port.`);
  }
  return key(target.host, target.port);
}

function key(host: string, port: number): string {
  return `${host} ${port}`;
}

function refuse(sentence: string): PerchError {
  return new PerchError("bad_input", sentence);
}
