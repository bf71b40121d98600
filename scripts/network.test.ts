/** Every place in the server that can open a connection. What people's pages and scripts ask for goes through `server/egress/`. */
import { globSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";

/** What connects, by module; `true` is all of it. Globals and packages that do it for us stand below. */
const CONNECTING: Readonly<Record<string, readonly string[] | true>> = {
  "node:http": ["request", "get", "Agent"],
  "node:https": ["request", "get", "Agent"],
  "node:http2": true,
  "node:net": ["connect", "createConnection", "Socket"],
  "node:tls": ["connect"],
  "node:dgram": true,
  "node:dns": true,
  "node:dns/promises": true,
  undici: true,
  "@yume-chan/adb-server-node-tcp": true,
  ws: ["WebSocket"],
  nodemailer: true,
  pg: true,
  stripe: true,
  dockerode: true,
  "@opentelemetry/exporter-trace-otlp-http": true,
  "@supabase/auth-js": true,
  jose: ["createRemoteJWKSet"],
  aws4fetch: true,
  "@kubernetes/client-node": true,
};
const GLOBALS: Readonly<Record<string, RegExp>> = {
  fetch: /(?<![.\w])fetch\(/,
  WebSocket: /new (WebSocket|EventSource|WebTransport)\(/,
};

/** Names a file takes from a module to run them; `*` stands for a whole one. */
function taken(text: string, module: string): readonly string[] {
  const imports = [...text.matchAll(/import (?!type\b)([^;"']*?)\s*from\s*["']([^"']+)["']/g)];
  return imports
    .filter((one) => one[2] === module)
    .flatMap((one) => {
      const braces = /\{([^}]*)\}/.exec(one[1] ?? "")?.[1];
      if (braces === undefined) return ["*"];
      const names = braces.split(",").map((name) => name.trim());
      return names
        .filter((name) => name !== "" && !name.startsWith("type "))
        .map((name) => name.split(" as ")[0] ?? "");
    });
}

/** Where each is used, and by whose choice the address is. A new line here is a new way out of the machine. */
const KNOWN = [
  // The operator's: DATABASE_URL, DATABASE_DIRECT_URL, `db move --to` and SMTP_URL.
  "server/db/listening.postgres.ts pg",
  "server/db/move/ends.ts pg",
  "server/db/postgres-open.ts pg",
  "server/mail/smtp.ts nodemailer",
  "server/mail/smtp.ts node:net",
  // S3_ENDPOINT. The library only signs.
  "server/files/s3-client.ts aws4fetch",
  "server/files/s3-client.ts node:http",
  "server/files/s3-client.ts node:https",
  // Stripe's API, or STRIPE_API_BASE.
  "server/billing/stripe/stripe-client.ts node:https",
  "server/billing/stripe/stripe-client.ts stripe",
  // SUPABASE_URL; the client is given the transport.
  "server/accounts/supabase/gotrue.ts @supabase/auth-js",
  "server/accounts/supabase/transport.ts node:http",
  "server/accounts/supabase/transport.ts node:https",
  // The cloud-phone partner's API, or GEELARK_API_BASE; its emulator, which is started by hand, tells what it is told to.
  "server/phones/drivers/geelark/transport.ts node:http",
  "server/phones/drivers/geelark/transport.ts node:https",
  "server/phones/drivers/geelark/emulator/emulator.ts fetch",
  // The operator's: OTEL_EXPORTER_OTLP_ENDPOINT.
  "server/tracing/otel.ts @opentelemetry/exporter-trace-otlp-http",
  // The doctor: this machine's own port, and what the settings name.
  "server/db/look.ts pg",
  "server/doctor/reach.ts node:http",
  "server/doctor/reach.ts node:https",
  "server/doctor/reach.ts node:net",
  "server/doctor/reach.ts node:tls",
  // Stands before all of them: hosts of the processor register alone.
  "server/privacy/processors/outbound.ts node:dgram",
  "server/privacy/processors/outbound.ts node:dns",
  "server/privacy/processors/outbound.ts node:net",
  // Signs webhooks and names the version of the API; makes no client.
  "server/billing/sandbox/sdk.ts stripe",
  // Docker hosts the operator registered: a socket file, loopback, or TLS with client certificates.
  "server/phones/drivers/adb/containers/engine-address.ts dockerode",
  "server/phones/drivers/adb/containers/engine-address.ts node:http",
  "server/phones/drivers/adb/containers/engine-address.ts node:https",
  // The cluster of KUBERNETES_CONFIG: TLS with its certificate looked at, or this machine. The client says who we are there.
  "server/phones/drivers/adb/containers/kubernetes/cluster-access.ts @kubernetes/client-node",
  "server/phones/drivers/adb/containers/kubernetes/cluster-access.ts WebSocket",
  "server/phones/drivers/adb/containers/kubernetes/cluster-access.ts node:http",
  "server/phones/drivers/adb/containers/kubernetes/cluster-access.ts node:https",
  "server/phones/drivers/adb/containers/kubernetes/cluster-access.ts ws",
  // Other nodes of this server, as the register of nodes has them; nothing is sent before their certificate is seen.
  "server/nodes/peers.ts node:https",
  "server/nodes/peers.ts node:tls",
  // The guard itself: the only place that looks up a person's name, and the only one that dials.
  "server/egress/dial.ts node:net",
  "server/egress/resolver.ts node:dns/promises",
  // ADB, to the operator's own devices and ADB server, and through the guard to a partner's, goes through it as well:
  // `server/phones/drivers/adb/connect/dial-device.ts`.
  // The script of a page, which runs in the person's browser and asks this server.
  "server/http/pages/passkey-form.ts fetch",
  // HTTP and WebSockets over a socket that is a stream of an ADB connection, to a server on the phone.
  "server/phones/drivers/adb/device-http.ts node:http",
  "server/phones/drivers/adb/devtools-socket.ts ws",
  "server/phones/drivers/adb/devtools-socket.ts WebSocket",
  // The simulated phone's, which is started by hand: to a browser a test has started on this machine.
  "server/phones/drivers/adb/simulator/devtools.ts node:http",
  "server/phones/drivers/adb/simulator/devtools.ts node:net",
  // HTTP over a socket the guard has opened.
  "server/automations/script/user-http.ts node:http",
  "server/automations/script/user-http.ts node:tls",
  "server/phones/drivers/web/egress/forward.ts node:http",
];
const OVER_A_GIVEN_SOCKET = [
  "server/automations/script/user-http.ts",
  "server/phones/drivers/web/egress/forward.ts",
  "server/phones/drivers/adb/device-http.ts",
  "server/phones/drivers/adb/devtools-socket.ts",
];

const isTest = (file: string) =>
  /\.test\.ts$|\/testing\b|testing\.ts$|\.contract\.ts$|\.(fixture|cases)\.ts$/.test(file);
const files = globSync("server/**/*.ts").filter((file) => !isTest(file));

describe("ways out of the server", () => {
  it("ABUSE-31 are the ones written here, and what people ask for goes through the guard", () => {
    const found = files.flatMap((file) => {
      const text = readFileSync(file, "utf8").replaceAll(/\/\*[\s\S]*?\*\/|(?<!:)\/\/.*/g, "");
      const modules = Object.entries(CONNECTING).filter(([module, names]) =>
        taken(text, module).some((name) => name === "*" || names === true || names.includes(name)),
      );
      const lazy = Object.keys(CONNECTING).filter((module) => text.includes(`import("${module}")`));
      const globals = Object.entries(GLOBALS).filter(([, pattern]) => pattern.test(text));
      return [...[...modules, ...globals].map(([name]) => name), ...lazy].map((name) => `${file} ${name}`);
    });
    expect(found.sort()).toEqual([...KNOWN].sort());
  });

  it("ABUSE-31 beside the guard only speak over a socket it has opened", () => {
    for (const file of OVER_A_GIVEN_SOCKET) {
      const text = readFileSync(file, "utf8");
      const opened = text.match(/\b(httpRequest|request)\(\{|\bnew WebSocket\(/g)?.length ?? 0;
      const given = text.match(/createConnection: \(\) => socket/g)?.length ?? 0;
      expect([file, opened]).toEqual([file, given]);
      expect(given).toBeGreaterThan(0);
      expect(text).not.toMatch(/tlsConnect\(\{(?! socket)/);
    }
  });
});
