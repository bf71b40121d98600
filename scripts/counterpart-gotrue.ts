/**
 * Tells the contract of identity providers to GoTrue itself, Supabase's sign-in service, on a throw-away PostgreSQL with its
 * own migrations. It is built from the Go module proxy, or from a checkout of github.com/supabase/auth that GOTRUE_SOURCE
 * names, unchanged but for Go's own clock, which reads a file, so that the test's clock moves it. Needs Go, and Debian's
 * postgresql; the database's programs do not run as root, so root lends them the user postgres.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmodSync,
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import pg from "pg";
import { freePort } from "../shared/testing/free-port.ts";

const VERSION = "v2.196.0";
const MODULE = `github.com/supabase/auth@${VERSION}`;
const CACHE = join(import.meta.dirname, "../node_modules/.cache/perch");
const PROGRAM = join(CACHE, "bin", `gotrue-${VERSION}`);
const TEST = "server/accounts/supabase/gotrue.test.ts";
const STARTS_WITHIN_MS = 30_000;

/** After `sec, nsec, mono := runtimeNow()` in the standard library's `time.Now`, which may not ask the system for anything. */
const CLOCK_READ = `	if testClock != nil {
		sec, nsec = *testClock/1000, int32(*testClock%1000)*1000000
	}
`;
const CLOCK = `
// testClock is the first 8 bytes of the file named by PERCH_TEST_CLOCK: Unix milliseconds, which a test moves.
var testClock *int64

func init() {
	path, _ := syscall.Getenv("PERCH_TEST_CLOCK")
	if path == "" {
		return
	}
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		panic(err)
	}
	shared, err := syscall.Mmap(fd, 0, 8, syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		panic(err)
	}
	testClock = (*int64)(unsafe.Pointer(&shared[0]))
}
`;

export interface GoTrueProject {
  /** What tests are told of it; see `gotrue.test.ts` and `e2e/harness/services.ts`. */
  readonly env: Readonly<Record<string, string>>;
  /** Its PostgreSQL, where its own tables are in the schema `auth`. */
  readonly databaseUrl: string;
}

/** False when a test failed; undefined where this machine cannot run it. */
export function tellGoTrue(): Promise<boolean | undefined> {
  return withGoTrue("moved", async ({ env }) => {
    const tests = spawn("vitest", ["run", "--project", "server", TEST], {
      stdio: "inherit",
      env: { ...process.env, ...env },
    });
    const [status] = (await once(tests, "exit")) as [number | null];
    console.log(status === 0 ? `GoTrue ${VERSION}: the contract of identity providers passed` : "GoTrue: failed");
    return status === 0;
  });
}

/** Runs it for that long. `clock`: whether a test moves its time, or it has the machine's. */
export async function withGoTrue(
  clock: "moved" | "machine",
  use: (project: GoTrueProject) => Promise<boolean>,
): Promise<boolean | undefined> {
  const postgres = globSync("/usr/lib/postgresql/*/bin").sort().at(-1);
  if (spawnSync("go", ["version"]).status !== 0 || postgres === undefined) {
    console.log("GoTrue: left out, it needs a Go toolchain and postgresql");
    return undefined;
  }
  const reason = existsSync(PROGRAM) ? undefined : build();
  if (reason !== undefined) {
    console.log(`GoTrue: left out, ${reason}`);
    return undefined;
  }
  const folder = mkdtempSync(join(tmpdir(), "gotrue-"));
  chmodSync(folder, 0o755);
  const database = await startPostgres(postgres, folder);
  try {
    return await serving(folder, database.url, clock, use);
  } finally {
    await database.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Why it could not be built. */
function build(): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "gotrue-build-"));
  try {
    const source = process.env["GOTRUE_SOURCE"] ?? downloaded();
    if (source === undefined) return `the Go module proxy does not give ${MODULE}; GOTRUE_SOURCE can name a checkout`;
    // The module names a folder of its own in place of a package, which "go install" refuses.
    const copy = join(folder, "auth");
    cpSync(source, copy, { recursive: true });
    spawnSync("chmod", ["-R", "u+w", copy]);
    const time = join(goEnv("GOROOT"), "src/time/time.go");
    const original = readFileSync(time, "utf8");
    const read = "	sec, nsec, mono := runtimeNow()\n	if mono == 0 {";
    if (original.split(read).length !== 2) return "this Go's clock is not the one known here";
    const moved = original
      .replace('_ "unsafe"', '"syscall"\n	"unsafe"')
      .replace(read, read.replace("	if mono", `${CLOCK_READ}	if mono`));
    writeFileSync(join(folder, "time.go"), moved + CLOCK);
    writeFileSync(join(folder, "overlay.json"), JSON.stringify({ Replace: { [time]: join(folder, "time.go") } }));
    mkdirSync(join(CACHE, "bin"), { recursive: true });
    const { status } = spawnSync("go", ["build", "-overlay", join(folder, "overlay.json"), "-o", PROGRAM, "."], {
      ...{ cwd: copy, stdio: "inherit", env: { ...process.env, CGO_ENABLED: "0" } },
    });
    return status === 0 ? undefined : "it could not be built";
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function downloaded(): string | undefined {
  const { status, stdout } = spawnSync("go", ["mod", "download", "-json", MODULE], {
    ...{ cwd: tmpdir(), encoding: "utf8", env: { ...process.env, GOFLAGS: "-mod=mod" } },
  });
  return status === 0 ? /"Dir":\s*"([^"]+)"/.exec(stdout)?.[1] : undefined;
}

function goEnv(name: string): string {
  return spawnSync("go", ["env", name], { encoding: "utf8" }).stdout.trim();
}

async function startPostgres(bin: string, folder: string): Promise<{ url: string; stop(): Promise<void> }> {
  const data = join(folder, "database");
  mkdirSync(data);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) spawnSync("chown", ["postgres", data]);
  const run = (command: string) => {
    const [program, args] = isRoot
      ? (["su", ["postgres", "-s", "/bin/sh", "-c", command]] as const)
      : (["sh", ["-c", command]] as const);
    const { status, stderr } = spawnSync(program, args, { cwd: data, encoding: "utf8" });
    if (status !== 0) throw new Error(`PostgreSQL: ${stderr.trim()}`);
  };
  const port = await freePort();
  run(`'${bin}/initdb' -D '${data}/files' -A trust -U perch >/dev/null`);
  run(
    `'${bin}/pg_ctl' -D '${data}/files' -l '${data}/log' -w -o '-p ${port} -k ${data} -c listen_addresses=127.0.0.1 -c fsync=off' start >/dev/null`,
  );
  return {
    url: `postgres://perch@127.0.0.1:${port}/postgres`,
    async stop() {
      run(`'${bin}/pg_ctl' -D '${data}/files' -m immediate stop >/dev/null`);
    },
  };
}

async function serving(
  folder: string,
  databaseUrl: string,
  clockKind: "moved" | "machine",
  use: (project: GoTrueProject) => Promise<boolean>,
): Promise<boolean> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  // As `init_postgres.sh` of GoTrue makes them; its migrations take the rest for granted.
  await client.query(
    "create schema auth; create role anon; create role authenticated; create role service_role; create role postgres superuser",
  );
  const [port, gatewayPort, legacyPort] = [await freePort(), await freePort(), await freePort()];
  const issuer = `http://127.0.0.1:${gatewayPort}/auth/v1`;
  const clock = join(folder, "clock");
  const now = Buffer.alloc(8);
  now.writeBigInt64LE(BigInt(Date.now()));
  writeFileSync(clock, now);
  const { keys, serviceKey, anonKey, secret } = await projectKeys();
  const env = {
    ...{ PATH: process.env["PATH"] ?? "", GOTRUE_DB_DRIVER: "postgres", DB_NAMESPACE: "auth" },
    DATABASE_URL: `${databaseUrl}?search_path=auth`,
    ...{
      API_EXTERNAL_URL: issuer,
      GOTRUE_API_HOST: "127.0.0.1",
      PORT: String(port),
      GOTRUE_SITE_URL: "http://localhost:8787",
    },
    ...{ GOTRUE_JWT_SECRET: secret, GOTRUE_JWT_KEYS: JSON.stringify(keys), GOTRUE_JWT_ISSUER: issuer },
    ...{ GOTRUE_JWT_AUD: "authenticated", GOTRUE_JWT_DEFAULT_GROUP_NAME: "authenticated", GOTRUE_JWT_EXP: "3600" },
    ...{ GOTRUE_JWT_ADMIN_ROLES: "supabase_admin,service_role", GOTRUE_EXTERNAL_EMAIL_ENABLED: "true" },
    ...{ GOTRUE_MFA_TOTP_ENROLL_ENABLED: "true", GOTRUE_MFA_TOTP_VERIFY_ENABLED: "true" },
    // As docs/supabase.md asks for: with its own log of events in the database an address would outlive its account.
    GOTRUE_AUDIT_LOG_DISABLE_POSTGRES: "true",
    // Counted for requests that name an address alone.
    ...{ GOTRUE_SECURITY_SB_FORWARDED_FOR_ENABLED: "true", GOTRUE_RATE_LIMIT_TOKEN_REFRESH: "5" },
    ...{ GOTRUE_LOG_LEVEL: "warn", ...(clockKind === "moved" && { PERCH_TEST_CLOCK: clock }) },
  };
  const log = join(folder, "gotrue.log");
  const migrated = spawnSync(PROGRAM, ["migrate"], { cwd: folder, env, encoding: "utf8" });
  if (migrated.status !== 0) {
    console.log(`GoTrue: its migrations failed\n${migrated.stderr}${migrated.stdout}`);
    return false;
  }
  const lines: Buffer[] = [];
  const serve = (more: Readonly<Record<string, string | undefined>>) => {
    const service = spawn(PROGRAM, ["serve"], {
      cwd: folder,
      env: { ...env, ...more },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [service.stdout, service.stderr]) stream.on("data", (part: Buffer) => lines.push(part));
    return service;
  };
  // The second one signs with its secret alone, as older projects do.
  const legacy = { PORT: String(legacyPort), GOTRUE_JWT_KEYS: undefined };
  const services = [serve({}), serve(legacy)];
  try {
    for (const one of [port, legacyPort]) await answers(`http://127.0.0.1:${one}/health`);
    return await use({
      databaseUrl,
      env: {
        ...{ TEST_GOTRUE_URL: `http://127.0.0.1:${port}`, TEST_GOTRUE_GATEWAY_PORT: String(gatewayPort) },
        ...{ TEST_GOTRUE_SERVICE_KEY: serviceKey, TEST_GOTRUE_ANON_KEY: anonKey, TEST_GOTRUE_CLOCK: clock },
        ...{ TEST_GOTRUE_DATABASE_URL: databaseUrl, TEST_GOTRUE_LEGACY_URL: `http://127.0.0.1:${legacyPort}` },
      },
    });
  } finally {
    await client.end();
    writeFileSync(log, Buffer.concat(lines));
    const keep = process.env["GOTRUE_LOG"];
    if (keep !== undefined) cpSync(log, keep);
    for (const service of services) {
      const ended = service.exitCode === null && service.signalCode === null ? once(service, "exit") : undefined;
      service.kill();
      await ended;
    }
  }
}

async function answers(url: string): Promise<void> {
  for (const until = Date.now() + STARTS_WITHIN_MS; Date.now() < until; await sleep(100)) {
    const answer = await fetch(url).catch(() => undefined);
    if (answer?.ok === true) return;
  }
  throw new Error("GoTrue did not start.");
}

/** As a project has them after its move to asymmetric keys: ES256 signs, and the older secret is still believed. */
async function projectKeys() {
  const secret = randomBytes(32).toString("hex");
  const { privateKey } = await generateKeyPair("ES256", { extractable: true });
  const signing = {
    ...(await exportJWK(privateKey)),
    alg: "ES256",
    kid: "signing",
    key_ops: ["sign", "verify"],
    ext: true,
  };
  const k = Buffer.from(secret).toString("base64url");
  const older = { kty: "oct", alg: "HS256", kid: "older", k, key_ops: ["verify"] };
  const keyOf = (role: string) =>
    new SignJWT({ role })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuedAt()
      .setExpirationTime("10y")
      .sign(Buffer.from(secret));
  return { keys: [older, signing], serviceKey: await keyOf("service_role"), anonKey: await keyOf("anon"), secret };
}
