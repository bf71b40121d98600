/** The server's door: its port, who listens there, its certificate. */
import { X509Certificate } from "node:crypto";
import { createServer, isIP } from "node:net";
import { z } from "zod";
import type { Clock } from "../clock.ts";
import type { Config } from "../config.ts";
import { readCertificate } from "../http/tls-certificate.ts";
import { type Diagnosis, fail, ok, type Verdict, warn } from "./diagnosis.ts";
import { get, type Place, shownCertificate } from "./reach.ts";

const DAY_MS = 24 * 3_600_000;
type DoorConfig = Pick<Config, "HOST" | "PORT" | "certificate" | "METRICS_TOKEN">;

/** Where the server is reached from this machine. */
export function doorOf({ HOST, PORT }: Pick<Config, "HOST" | "PORT">): Place {
  return { host: HOST === "0.0.0.0" || HOST === "::" ? "127.0.0.1" : HOST, port: PORT };
}

const health = z.looseObject({ product: z.literal("perch"), version: z.string() });
const readiness = z.looseObject({
  ready: z.boolean(),
  checks: z
    .array(z.object({ name: z.string(), state: z.enum(["ok", "warn", "fail"]), says: z.string() }).loose())
    .default([]),
});

export type Running =
  | { readonly is: "perch"; readonly version: string; readonly lines: readonly Diagnosis[] }
  | { readonly is: "other" | "nothing" };

/** Who answers at the port, and what it says of itself if it is Perch. */
export async function whoRuns(config: DoorConfig, signal: AbortSignal): Promise<Running> {
  const { certificate, METRICS_TOKEN } = config;
  const ask = (path: string) =>
    get(
      {
        ...{ ...doorOf(config), path, secure: certificate !== undefined },
        headers: METRICS_TOKEN === undefined ? {} : { authorization: `Bearer ${METRICS_TOKEN}` },
      },
      signal,
    );
  const answer = await ask("/healthz").catch(() => ({ status: 0, body: "" }));
  if (answer === undefined) return { is: "nothing" };
  const found = health.safeParse(jsonOf(answer.body));
  if (!found.success) return { is: "other" };
  const { checks } = readiness.catch({ ready: false, checks: [] }).parse(jsonOf((await ask("/readyz"))?.body ?? ""));
  const lines = checks.map(({ name, state, says }): Diagnosis => {
    const line = `running server, ${name}`;
    return state === "ok" ? { name: line, state, says } : { name: line, state, says, todo: "Its log says more." };
  });
  return { is: "perch", version: found.data.version, lines };
}

export async function portVerdict(config: DoorConfig, running: Running): Promise<Verdict> {
  const { PORT, HOST } = config;
  if (running.is === "perch") return ok(`Perch ${running.version} runs at port ${PORT}.`);
  if (running.is === "other") {
    return fail(
      `Another program has port ${PORT}, or Perch runs there with other settings.`,
      "Stop it, or set PORT to a free one.",
    );
  }
  const refused = await tryToListen(HOST, PORT);
  if (refused === undefined) return ok(`Port ${PORT} is free; the server does not run.`);
  if (refused === "EACCES") {
    return fail(
      `Port ${PORT} needs more rights than this user has.`,
      "Set PORT to one above 1023, or give the service CAP_NET_BIND_SERVICE.",
    );
  }
  return fail(`The server cannot listen on ${HOST}:${PORT} (${refused}).`, "Check HOST and PORT.");
}

/** Listens for a moment; gives why not. */
function tryToListen(host: string, port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(undefined)));
  });
}

export async function tlsVerdict(
  config: Pick<Config, "HOST" | "PORT" | "certificate" | "publicUrl" | "TRUSTED_PROXIES">,
  running: Running,
  clock: Clock,
  signal: AbortSignal,
): Promise<Verdict> {
  const { certificate, publicUrl, TRUSTED_PROXIES } = config;
  if (certificate === undefined) return behindProxy(publicUrl, TRUSTED_PROXIES);
  const { cert } = readCertificate(certificate);
  const own = new X509Certificate(cert);
  const days = Math.floor((own.validToDate.getTime() - clock.now()) / DAY_MS);
  if (own.validFromDate.getTime() > clock.now()) {
    return fail(`The certificate holds from ${dayOf(own.validFromDate)} on.`, "Check the clock, or get another one.");
  }
  if (days < 0) {
    return fail(
      `The certificate ended on ${dayOf(own.validToDate)}.`,
      "Renew it; the server takes the new one up by itself.",
    );
  }
  const name = publicUrl.hostname.replace(/^\[|\]$/g, "");
  if ((isIP(name) === 0 ? own.checkHost(name) : own.checkIP(name)) === undefined) {
    return fail(
      `The certificate is not for ${publicUrl.hostname}, where PUBLIC_URL leads.`,
      "Get one for that name, or correct PUBLIC_URL.",
    );
  }
  if (running.is === "perch") {
    const at = { ...doorOf(config), name };
    if ((await shownCertificate({ ...at, maxVersion: "TLSv1.2" }, signal)) !== undefined) {
      return fail("The server speaks something older than TLS 1.3.", "Look what stands at the port: Perch does not.");
    }
    const shown = await shownCertificate({ ...at, maxVersion: "TLSv1.3" }, signal);
    if (shown?.fingerprint256 !== own.fingerprint256) {
      return warn(
        "The running server shows another certificate than the file holds.",
        "It looks every 30 seconds. If that does not help, its log says why it did not take it.",
      );
    }
  }
  const says = `The certificate for ${publicUrl.hostname} fits its key and holds ${days} days; TLS 1.3 only.`;
  if (own.issuer === own.subject) {
    return warn(`${says} Nobody but you vouches for it.`, "Browsers warn people of it: get one from an authority.");
  }
  return days < 14 ? warn(says, "Renew it now; the server takes the new one up by itself.") : ok(says);
}

function behindProxy(publicUrl: URL, trusted: readonly string[]): Verdict {
  if (publicUrl.protocol !== "https:") return ok("Only this machine is served, without TLS.");
  if (trusted.length > 0) return ok("A proxy speaks TLS for this server, and its word about callers is believed.");
  return warn(
    "A proxy speaks TLS for this server, and TRUSTED_PROXIES is empty: everybody seems to come from the proxy.",
    "Set TRUSTED_PROXIES to the proxy's address, so that limits hold for each caller.",
  );
}

function dayOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
