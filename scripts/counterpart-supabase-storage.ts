/**
 * Tells the contract of blob stores to Supabase's storage server itself, through its S3 endpoint: with its own migrations on a
 * throw-away PostgreSQL, in front of an S3 server, as in a hosted project, behind a gateway that takes `/storage/v1` off.
 * SUPABASE_STORAGE_SOURCE names a checkout of it. It is built by its own build from the packages of its own lock file, but for
 * two that are not used here: the queue's (a Git branch) and the one of file attributes (which wants a compiler).
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { SignJWT } from "jose";
import pg from "pg";
import { z } from "zod";
import { systemClock } from "../server/clock.ts";
import { HAS_POSTGRES, openCluster } from "../server/db/testing/cluster.ts";
import { createS3Blobs } from "../server/files/s3-blobs.ts";
import type { S3Access } from "../server/files/s3-client.ts";
import { freePort } from "../shared/testing/free-port.ts";
import { withVersity } from "./counterpart-s3.ts";

const NAME = "Supabase Storage";
const ADDRESS = "https://github.com/supabase/storage";
const FOLDER = join(import.meta.dirname, "../node_modules/.cache/perch/supabase-storage");
const TEST = "server/files/supabase-storage.test.ts";
const STARTS_WITHIN_MS = 60_000;
const PREFIX = "/storage/v1";
const BUCKET = "perch-files";
/** Of the project, for one file. */
const LARGEST_FILE = 96 * 2 ** 20;
/** The release its Git branch was made from. */
const QUEUE = {
  version: "10.3.2",
  resolved: "https://registry.npmjs.org/pg-boss/-/pg-boss-10.3.2.tgz",
  integrity: "sha512-yy96jwKekgUW4DVvve5xjvLZlNqVCRayl1wJvBxQeDNhIrblgEG0YnqbcNth4wsehkYWVJND9TeWbqb+cfxJKQ==",
} as const;

export interface StorageProject {
  /** To a private, empty bucket. */
  readonly access: S3Access;
  /** Everybody may have it. */
  readonly anonKey: string;
  /** As the S3 endpoint knows the project. */
  readonly reference: string;
  readonly url: string;
  /** Where it keeps the bytes itself. */
  readonly behind: S3Access;
}

/** False when a test failed; undefined where this machine cannot run it. */
export function tellSupabaseStorage(): Promise<boolean | undefined> {
  return withSupabaseStorage(async ({ access, anonKey, reference, url, behind }) => {
    const tests = spawn("vitest", ["run", "--project", "server", TEST], {
      stdio: "inherit",
      env: {
        ...process.env,
        ...{ TEST_STORAGE_URL: url, TEST_STORAGE_ANON_KEY: anonKey, TEST_STORAGE_PROJECT: reference },
        ...{ TEST_STORAGE_LARGEST: String(LARGEST_FILE), TEST_STORAGE_ACCESS: JSON.stringify(access) },
      },
    });
    const [status] = (await once(tests, "exit")) as [number | null];
    const under = createS3Blobs({ access: behind, prefix: "", clock: systemClock });
    let left = await under.dropUnfinished(reference, new Date(Date.now() + 3_600_000));
    for await (const _ of under.list(reference)) left += 1;
    if (left > 0) console.log(`${NAME}: ${left} files or unfinished uploads are left in the storage behind it`);
    const passed = status === 0 && left === 0;
    console.log(`${NAME}${version()}: ${passed ? "the contract of blob stores and its promises passed" : "failed"}`);
    return passed;
  });
}

export function hasStorageSource(): boolean {
  return process.env["SUPABASE_STORAGE_SOURCE"] !== undefined;
}

/** Runs it for that long. */
export async function withSupabaseStorage(
  use: (project: StorageProject) => Promise<boolean>,
): Promise<boolean | undefined> {
  const source = process.env["SUPABASE_STORAGE_SOURCE"];
  if (source === undefined) {
    console.log(`${NAME}: left out, SUPABASE_STORAGE_SOURCE names no checkout; git clone ${ADDRESS}`);
    return undefined;
  }
  if (!HAS_POSTGRES) {
    console.log(`${NAME}: left out, it needs postgresql`);
    return undefined;
  }
  const reason = build(source);
  if (reason !== undefined) {
    console.log(`${NAME}: ${reason}`);
    return false;
  }
  return withVersity((backend) => serving(backend, use));
}

/** Why it could not be built. */
function build(source: string): string | undefined {
  if (!existsSync(join(source, "build.js"))) return `${source} is no checkout of ${ADDRESS}`;
  mkdirSync(FOLDER, { recursive: true });
  for (const name of ["src", "dist", "migrations"]) rmSync(join(FOLDER, name), { recursive: true, force: true });
  const leftOut = new Set(["node_modules", "dist", ".git", ".env"]);
  cpSync(source, FOLDER, { recursive: true, filter: (path) => path === source || !leftOut.has(basename(path)) });
  takeReleasedQueue();
  const lock = createHash("sha256")
    .update(readFileSync(join(FOLDER, "package-lock.json")))
    .digest("hex");
  const installed = join(FOLDER, "node_modules", ".perch-lock");
  if (!existsSync(installed) || readFileSync(installed, "utf8") !== lock) {
    const options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-engine-strict", "--loglevel=error"];
    if (!ran("npm", ["ci", ...options])) return "its packages could not be installed";
    // Asked for when it starts, used by its backend of files alone.
    writeFileSync(join(FOLDER, "node_modules/fs-xattr/index.js"), "export {};\n");
    writeFileSync(installed, lock);
  }
  if (!ran("node", ["build.js"])) return "it could not be built";
  return ran("node", ["node_modules/.bin/resolve-tspaths"]) ? undefined : "it could not be built";
}

/** Of the checkout, where it has its history. */
function version(): string {
  const source = process.env["SUPABASE_STORAGE_SOURCE"] ?? "";
  const told = spawnSync("git", ["-C", source, "describe", "--tags", "--always"], { encoding: "utf8" });
  return existsSync(join(source, ".git")) && told.status === 0 ? ` ${told.stdout.trim()}` : "";
}

function ran(program: string, args: readonly string[]): boolean {
  return spawnSync(program, args, { cwd: FOLDER, stdio: ["ignore", "ignore", "inherit"] }).status === 0;
}

const manifest = z.looseObject({ dependencies: z.record(z.string(), z.unknown()) });
const lockFile = z.looseObject({
  packages: z.looseObject({ "": manifest, "node_modules/pg-boss": z.looseObject({}) }),
});

function takeReleasedQueue(): void {
  const [named, locked] = ["package.json", "package-lock.json"].map((name) => join(FOLDER, name)) as [string, string];
  const asked = manifest.parse(JSON.parse(readFileSync(named, "utf8")));
  const lock = lockFile.parse(JSON.parse(readFileSync(locked, "utf8")));
  asked.dependencies["pg-boss"] = QUEUE.version;
  lock.packages[""].dependencies["pg-boss"] = QUEUE.version;
  Object.assign(lock.packages["node_modules/pg-boss"], QUEUE);
  writeFileSync(named, JSON.stringify(asked));
  writeFileSync(locked, JSON.stringify(lock));
}

async function serving(backend: S3Access, use: (project: StorageProject) => Promise<boolean>): Promise<boolean> {
  const cluster = await openCluster(["max_connections = 60"]);
  const port = await freePort();
  const gateway = await openGateway(port);
  const url = `http://127.0.0.1:${gateway.port}${PREFIX}`;
  const reference = "abcdefghijklmnopqrst";
  const access: S3Access = {
    ...{ endpoint: `${url}/s3`, region: backend.region, bucket: BUCKET },
    ...{ accessKeyId: randomBytes(16).toString("hex"), secretAccessKey: randomBytes(32).toString("hex") },
  };
  const secret = randomBytes(32).toString("hex");
  const [anonKey, serviceKey] = [await keyOf("anon", secret), await keyOf("service_role", secret)];
  const log: Buffer[] = [];
  let server: ChildProcess | undefined;
  try {
    await connected(cluster.url, "create role postgres superuser login");
    const database = new URL(cluster.url);
    database.username = "postgres";
    const env = {
      ...{ PATH: process.env["PATH"] ?? "", NODE_ENV: "production", LOG_LEVEL: "warn", OTEL_SDK_DISABLED: "true" },
      ...{ SERVER_HOST: "127.0.0.1", SERVER_PORT: String(port), PROJECT_REF: reference, REGION: backend.region },
      ...{ AUTH_JWT_SECRET: secret, ANON_KEY: anonKey, SERVICE_KEY: serviceKey, AUTH_ENCRYPTION_KEY: secret },
      ...{ DATABASE_URL: database.href, DB_INSTALL_ROLES: "true", DB_SUPER_USER: "postgres" },
      ...{ UPLOAD_FILE_SIZE_LIMIT: String(LARGEST_FILE), PG_QUEUE_ENABLE: "false", EXPOSE_DOCS: "false" },
      ...{ S3_PROTOCOL_PREFIX: PREFIX, S3_PROTOCOL_ACCESS_KEY_ID: access.accessKeyId },
      ...{ S3_PROTOCOL_ACCESS_KEY_SECRET: access.secretAccessKey, S3_PROTOCOL_ENFORCE_REGION: "true" },
      ...{ STORAGE_BACKEND: "s3", STORAGE_S3_BUCKET: backend.bucket, STORAGE_S3_ENDPOINT: backend.endpoint },
      ...{ STORAGE_S3_REGION: backend.region, STORAGE_S3_FORCE_PATH_STYLE: "true" },
      ...{ AWS_ACCESS_KEY_ID: backend.accessKeyId, AWS_SECRET_ACCESS_KEY: backend.secretAccessKey },
    };
    server = spawn("node", ["dist/start/server.js"], { cwd: FOLDER, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [server.stdout, server.stderr]) stream?.on("data", (part: Buffer) => void log.push(part));
    await answers(`${url}/status`, server);
    await makeBucket(url, serviceKey);
    return await use({ access, anonKey, reference, url, behind: backend });
  } catch (error) {
    console.log(
      `${NAME}: ${error instanceof Error ? error.message : error}\n${Buffer.concat(log).toString().slice(-4_000)}`,
    );
    return false;
  } finally {
    const keep = process.env["SUPABASE_STORAGE_LOG"];
    if (keep !== undefined) writeFileSync(keep, Buffer.concat(log));
    await ended(server);
    gateway.close();
    cluster.dispose();
  }
}

async function ended(server: ChildProcess | undefined): Promise<void> {
  if (server === undefined || server.exitCode !== null || server.signalCode !== null) return;
  const exit = once(server, "exit");
  server.kill("SIGKILL");
  await exit;
}

/** What stands before it in a project. */
async function openGateway(target: number): Promise<{ readonly port: number; close(): void }> {
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    if (!url.startsWith(`${PREFIX}/`)) return void response.writeHead(404).end();
    const path = url.slice(PREFIX.length);
    const onward = httpRequest({ host: "127.0.0.1", port: target, path, method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response).on("close", () => answer.destroy());
      answer.on("error", () => response.destroy());
    });
    onward.on("error", () => response.destroy());
    request.pipe(onward);
    request.on("close", () => {
      if (!request.complete) onward.destroy();
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function makeBucket(url: string, serviceKey: string): Promise<void> {
  const answer = await fetch(`${url}/bucket`, {
    method: "POST",
    headers: { authorization: `Bearer ${serviceKey}`, "content-type": "application/json" },
    body: JSON.stringify({ id: BUCKET, name: BUCKET, public: false }),
  });
  if (!answer.ok) throw new Error(`It made no bucket: ${answer.status} ${await answer.text()}`);
}

async function answers(url: string, server: ChildProcess): Promise<void> {
  for (const until = Date.now() + STARTS_WITHIN_MS; Date.now() < until && server.exitCode === null; await sleep(200)) {
    const answer = await fetch(url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok === true) return;
  }
  throw new Error("It did not start.");
}

async function connected(connectionString: string, query: string): Promise<void> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    await client.query(query);
  } finally {
    await client.end();
  }
}

function keyOf(role: "anon" | "service_role", secret: string): Promise<string> {
  return new SignJWT({ role })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt()
    .setExpirationTime("10y")
    .sign(Buffer.from(secret));
}
