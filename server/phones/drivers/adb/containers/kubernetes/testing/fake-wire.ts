/** What stands on the wire of the test cluster: answers, failures, selectors. */
import type { ServerResponse } from "node:http";

export interface Reply {
  readonly status: number;
  readonly json?: object;
  readonly text?: string;
  readonly headers?: Record<string, string>;
}

/** As apiserver writes failures (meta/v1 Status). */
export function failure(code: number, reason: string, message: string): Reply {
  return { status: code, json: { kind: "Status", apiVersion: "v1", status: "Failure", message, reason, code } };
}
export const notFound = (kind: string, name: string) => failure(404, "NotFound", `${kind} "${name}" not found`);

export function send(response: ServerResponse, { status, json, text, headers }: Reply): void {
  response.writeHead(status, { "Content-Type": json === undefined ? "text/plain" : "application/json", ...headers });
  response.end(json === undefined ? text : JSON.stringify(json));
}
export function selects(
  { metadata }: { metadata?: { labels?: Record<string, string> } },
  selector: string | null,
): boolean {
  return (selector ?? "")
    .split(",")
    .filter(Boolean)
    .every((one) => {
      const [key = "", value] = one.split("=");
      return metadata?.labels?.[key] === value;
    });
}
