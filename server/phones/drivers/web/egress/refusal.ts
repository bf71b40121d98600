/** What a refused request is told: a reason to branch on and a sentence to read. Never the address that was asked for. */

export const EGRESS_REASONS = ["private-address", "bad-port", "unreachable", "dns", "bad-request"] as const;
export type EgressReason = (typeof EGRESS_REASONS)[number];

/** Response header that carries the reason; stripped from what sites send, so it is only ever ours. */
export const REASON_HEADER = "x-perch-egress";

const STATUS = {
  "private-address": [403, "Forbidden"],
  "bad-port": [403, "Forbidden"],
  unreachable: [502, "Bad Gateway"],
  dns: [502, "Bad Gateway"],
  "bad-request": [400, "Bad Request"],
} as const satisfies Record<EgressReason, readonly [number, string]>;

const WORDS: Readonly<Record<EgressReason, string>> = {
  "private-address": "This address is not reachable from a phone: it belongs to a private network.",
  "bad-port": "This address is not reachable from a phone: its port is not one that websites use.",
  unreachable: "This site did not answer. Check the address, or try again later.",
  dns: "There is no site at this address. Check how it is written.",
  "bad-request": "This is not an address a phone can open. Use one that starts with https:// or http://.",
};

export interface Refusal {
  readonly status: number;
  readonly statusText: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A whole HTTP answer for a refused request; the same page serves plain requests and tunnels. */
export function refusal(reason: EgressReason): Refusal {
  const [status, statusText] = STATUS[reason];
  const body = page(WORDS[reason]);
  return {
    status,
    statusText,
    headers: {
      [REASON_HEADER]: reason,
      "content-type": "text/html; charset=utf-8",
      "content-length": String(Buffer.byteLength(body)),
      "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
      "cache-control": "no-store",
      connection: "close",
    },
    body,
  };
}

function page(sentence: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark"><title>Not reachable</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:20vh 24px 0;max-width:32rem}</style>
<p>${sentence}</p></html>
`;
}
