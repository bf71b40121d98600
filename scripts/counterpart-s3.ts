/**
 * Tells the contract of blob stores to a real S3 server that checks signatures: Versity's S3 gateway over a folder, built
 * once where there is a Go toolchain. And to a server of your own, when S3_TEST_ENDPOINT, S3_TEST_REGION, S3_TEST_BUCKET,
 * S3_TEST_ACCESS_KEY_ID and S3_TEST_SECRET_ACCESS_KEY name one with an empty bucket.
 */
import { spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { systemClock } from "../server/clock.ts";
import { createS3Blobs, S3_SIZES } from "../server/files/s3-blobs.ts";
import { createS3Client, type S3Access } from "../server/files/s3-client.ts";
import { BLOB_STORE_CONTRACT } from "../server/files/testing/blob-store-contract.ts";
import { freePort } from "../shared/testing/free-port.ts";

const VERSITYGW = "github.com/versity/versitygw/cmd/versitygw@v1.8.0";
const TOOLS = join(import.meta.dirname, "../node_modules/.cache/perch/bin");
const STARTS_MS = 15_000;

/** False when something failed; undefined where this machine cannot run it. */
export async function tellS3(): Promise<boolean | undefined> {
  const told = [await tellOwn(), await tellVersity()].filter((one) => one !== undefined);
  return told.length === 0 ? undefined : told.every(Boolean);
}

async function tellContract(name: string, access: S3Access): Promise<boolean> {
  let failed = 0;
  const store = createS3Blobs({ access, prefix: `perch-${randomBytes(6).toString("hex")}/`, clock: systemClock });
  for (const one of BLOB_STORE_CONTRACT) {
    await one.run(store, S3_SIZES).catch((error: unknown) => {
      failed += 1;
      console.log(`${name}: ${one.name}: failed\n  ${error instanceof Error ? error.message : error}`);
    });
  }
  failed += await presigned(store).catch((error: unknown) => {
    console.log(`${name}: an address for who has no key: failed\n  ${error instanceof Error ? error.message : error}`);
    return 1;
  });
  const wrong = createS3Blobs({ access: { ...access, secretAccessKey: "wrong" }, prefix: "x/", clock: systemClock });
  const refused = await wrong.put("t/a/runs/1", Buffer.from("x")).then(
    () => false,
    () => true,
  );
  if (!refused) console.log(`${name}: takes requests that are not signed right, so this shows little`);
  if (failed === 0) console.log(`${name}: all ${BLOB_STORE_CONTRACT.length + 1} parts of the contract passed`);
  return failed === 0 && refused;
}

async function presigned(store: ReturnType<typeof createS3Blobs>): Promise<number> {
  await store.put("t/a/runs/1", Buffer.from("for all"));
  const url = await store.signedGet("t/a/runs/1", 60_000, "Bericht Öl.pdf");
  const answer = await fetch(url, { headers: { range: "bytes=4-6" } });
  const text = await answer.text();
  const changed = await fetch(url.href.replace("runs/1", "runs/2"));
  await changed.body?.cancel();
  await store.deletePrefix("t/a/");
  const disposition = answer.headers.get("content-disposition");
  const isRight = text === "all" && disposition?.startsWith("attachment; filename*=UTF-8''Bericht%20%C3%96l.pdf");
  if (!isRight) throw new Error(`It gave “${text.slice(0, 200)}” with ${disposition}.`);
  if (changed.status !== 403) throw new Error(`A changed address was answered ${changed.status}.`);
  return 0;
}

async function tellOwn(): Promise<boolean | undefined> {
  const names = ["ENDPOINT", "REGION", "BUCKET", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY"] as const;
  const [endpoint, region, bucket, accessKeyId, secretAccessKey] = names.map((name) => process.env[`S3_TEST_${name}`]);
  if (!endpoint || !region || !bucket || !accessKeyId || !secretAccessKey) {
    console.log("An S3 server of your own: left out, S3_TEST_ENDPOINT and the rest are not set");
    return undefined;
  }
  return tellContract(new URL(endpoint).host, { endpoint, region, bucket, accessKeyId, secretAccessKey });
}

function tellVersity(): Promise<boolean | undefined> {
  return withVersity((access) => tellContract("versitygw", access));
}

/** Runs one with an empty bucket for that long. */
export async function withVersity(use: (access: S3Access) => Promise<boolean>): Promise<boolean | undefined> {
  if (spawnSync("go", ["version"]).status !== 0) {
    console.log("versitygw: left out, there is no Go toolchain here");
    return undefined;
  }
  const program = join(TOOLS, "versitygw");
  if (!existsSync(program)) {
    const built = spawnSync("go", ["install", VERSITYGW], { env: { ...process.env, GOBIN: TOOLS }, stdio: "inherit" });
    if (built.status !== 0) {
      console.log("versitygw: could not be built");
      return false;
    }
  }
  const folder = mkdtempSync(join(tmpdir(), "versitygw-"));
  for (const name of ["data", "meta"]) mkdirSync(join(folder, name));
  const port = await freePort();
  const access: S3Access = {
    ...{ endpoint: `http://127.0.0.1:${port}`, region: "eu-test-1", bucket: "perch-test" },
    accessKeyId: `AK${randomBytes(9).toString("hex").toUpperCase()}`,
    secretAccessKey: randomBytes(20).toString("base64url"),
  };
  const env = { ...process.env, ROOT_ACCESS_KEY: access.accessKeyId, ROOT_SECRET_KEY: access.secretAccessKey };
  const options = ["--port", `127.0.0.1:${port}`, "--region", access.region, "--quiet", "--keep-alive"];
  const args = [...options, "posix", "--sidecar", join(folder, "meta"), join(folder, "data")];
  const server = spawn(program, args, { env, stdio: ["ignore", "ignore", "inherit"] });
  try {
    await makeBucket(access, server);
    return await use(access);
  } finally {
    server.kill();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As soon as the server answers. */
async function makeBucket(access: S3Access, server: { readonly exitCode: number | null }): Promise<void> {
  const client = createS3Client(access, systemClock);
  for (const until = Date.now() + STARTS_MS; ; ) {
    try {
      (await client.call({ method: "PUT", again: false })).drop();
      return;
    } catch (error) {
      if (Date.now() > until || server.exitCode !== null) throw error;
      await sleep(100);
    }
  }
}
