/** A person's program against any node: calls that say what is known of their outcome, and signing in through the pages. */
import { createHash, randomBytes } from "node:crypto";
import { type IncomingHttpHeaders, request } from "node:http";
import { CHROME_EXTENSION_ID } from "../../../../shared/accounts.ts";

export interface Door {
  readonly port: number;
}
export interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}
/** `unknown`: the connection ended, or nobody answered in time; what was asked may have been done. */
export type Outcome =
  | { readonly is: "done"; readonly data: unknown }
  | { readonly is: "refused"; readonly status: number; readonly code: string; readonly message: string }
  | { readonly is: "unknown"; readonly why: string };

const PATIENCE_MS = 20_000;

/** @throws when no answer came */
export function send(
  door: Door,
  method: "GET" | "POST",
  path: string,
  { headers = {}, body, from }: { headers?: Record<string, string>; body?: string; from?: string } = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        ...{ host: "127.0.0.1", port: door.port, method, path, agent: false, timeout: PATIENCE_MS },
        ...(from !== undefined && { localAddress: from }),
        headers: {
          host: `localhost:${door.port}`,
          ...headers,
          ...(body !== undefined && { "content-length": Buffer.byteLength(body) }),
        },
      },
      (answer) => {
        let text = "";
        answer.setEncoding("utf8");
        answer.on("data", (chunk: string) => {
          text += chunk;
        });
        answer.on("end", () => resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text }));
        answer.on("error", reject);
        answer.on("aborted", () => reject(new Error("cut off")));
      },
    );
    asked.on("timeout", () => asked.destroy(new Error("no answer")));
    asked.on("error", reject);
    asked.end(body);
  });
}

interface Answered {
  readonly result?: { readonly data: unknown };
  readonly error?: {
    readonly message?: string;
    readonly code?: string;
    readonly data?: { readonly perch?: { readonly code: string; readonly message: string } };
  };
}

export async function ask(
  door: Door,
  type: "query" | "mutation",
  path: string,
  input: unknown,
  token: string | undefined,
  from?: string,
): Promise<Outcome> {
  const query = type === "query" && input !== undefined ? `?input=${encodeURIComponent(JSON.stringify(input))}` : "";
  const headers = {
    ...(type === "mutation" && { "content-type": "application/json" }),
    ...(token !== undefined && { authorization: `Bearer ${token}` }),
  };
  let reply: Reply;
  try {
    reply = await send(door, type === "query" ? "GET" : "POST", `/trpc/${path}${query}`, {
      headers,
      ...(type === "mutation" && { body: JSON.stringify(input ?? {}) }),
      ...(from !== undefined && { from }),
    });
  } catch (error) {
    return { is: "unknown", why: error instanceof Error ? error.message : String(error) };
  }
  return outcomeOf(reply);
}

/** Of an answer in the shape of `base.router.ts`, or of a plain refusal. */
export function outcomeOf({ status, body }: Reply): Outcome {
  let answered: Answered;
  try {
    answered = JSON.parse(body);
  } catch {
    return status >= 500
      ? { is: "unknown", why: `${status}` }
      : { is: "refused", status, code: "none", message: body.slice(0, 80) };
  }
  const { result, error } = answered;
  if (error === undefined) return { is: "done", data: result === undefined ? answered : result.data };
  const { code = error.code ?? "none", message = error.message ?? "" } = error.data?.perch ?? {};
  // Said by a server in trouble: what was asked may have been saved all the same.
  if (status >= 500) return { is: "unknown", why: `${code}: ${message}` };
  return { is: "refused", status, code, message };
}

const REDIRECT = `https://${CHROME_EXTENSION_ID}.chromiumapp.org/`;

/** Password, consent and exchange, each at the door that is given for it. */
export async function signInThroughPages(
  doors: readonly [Door, Door, Door],
  { email, password, from }: { email: string; password: string; from: string },
): Promise<Outcome> {
  const form = (door: Door, path: string, fields: Record<string, string>, cookie?: string) =>
    send(door, "POST", path, {
      headers: {
        ...{ origin: `http://localhost:${door.port}`, "sec-fetch-site": "same-origin" },
        "content-type": "application/x-www-form-urlencoded",
        "user-agent":
          "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
        ...(cookie !== undefined && { cookie }),
      },
      body: new URLSearchParams(fields).toString(),
      from,
    });
  const verifier = randomBytes(32).toString("base64url");
  try {
    const entered = await form(doors[0], "/sign-in", { email, password });
    const cookie = entered.headers["set-cookie"]?.map((line) => line.split(";")[0]).join("; ");
    if (entered.status !== 303 || cookie === undefined) return notIn(entered);
    const approved = await form(
      doors[1],
      "/connect",
      {
        ...{ response_type: "code", client_id: "perch-extension" },
        ...{ action: "approve", redirect_uri: REDIRECT, state: randomBytes(16).toString("base64url") },
        ...{ code_challenge: createHash("sha256").update(verifier).digest("base64url"), code_challenge_method: "S256" },
      },
      cookie,
    );
    const { location } = approved.headers;
    const code = location === undefined ? undefined : new URL(location, REDIRECT).searchParams.get("code");
    if (code == null) return notIn(approved);
    const exchange = { code, verifier, redirectUri: REDIRECT };
    return await ask(doors[2], "mutation", "account.exchange", exchange, undefined, from);
  } catch (error) {
    return { is: "unknown", why: error instanceof Error ? error.message : String(error) };
  }
}

function notIn({ status, body }: Reply): Outcome {
  if (status >= 500) return { is: "unknown", why: String(status) };
  const problem = /class="problem"[^>]*>([\s\S]*?)<\//.exec(body)?.[1] ?? "";
  return { is: "refused", status, code: status === 429 ? "rate_limited" : "page", message: problem.slice(0, 120) };
}
