/**
 * What a person does in a real Chromium, on a server whose sign-in is GoTrue's, whose database is the PostgreSQL beside it, as
 * in a Supabase project, and whose files are in Supabase's storage server where there is a checkout of it, in Versity's S3
 * gateway elsewhere.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { S3Access } from "../server/files/s3-client.ts";
import { ensureBrowsers } from "./browsers.ts";
import { withGoTrue } from "./counterpart-gotrue.ts";
import { withVersity } from "./counterpart-s3.ts";
import { hasStorageSource, withSupabaseStorage } from "./counterpart-supabase-storage.ts";

const TEST = "e2e/main-job.e2e.ts";

/** False when it failed; undefined where this machine cannot run it. */
export async function tellMainJob(): Promise<boolean | undefined> {
  const { chromium, missing } = await ensureBrowsers(["chromium"]);
  if (chromium === undefined) {
    console.log(`The main job on GoTrue, PostgreSQL and S3: left out. ${missing.join(" ")}`);
    return undefined;
  }
  const name = `The main job on GoTrue, PostgreSQL and ${hasStorageSource() ? "Supabase Storage" : "S3"}`;
  const withBucket = hasStorageSource()
    ? (use: (bucket: S3Access) => Promise<boolean>) => withSupabaseStorage(({ access }) => use(access))
    : withVersity;
  return withBucket(
    async (bucket) =>
      (await withGoTrue("machine", async ({ env, databaseUrl }) => {
        const tests = spawn("vitest", ["run", "--config", "e2e/vitest.config.ts", TEST], {
          stdio: "inherit",
          env: {
            ...process.env,
            ...env,
            ...{ PERCH_E2E_CHROMIUM: chromium, E2E_STACK: "full", TEST_DATABASE_URL: databaseUrl },
            ...{ S3_TEST_ENDPOINT: bucket.endpoint, S3_TEST_REGION: bucket.region, S3_TEST_BUCKET: bucket.bucket },
            ...{ S3_TEST_ACCESS_KEY_ID: bucket.accessKeyId, S3_TEST_SECRET_ACCESS_KEY: bucket.secretAccessKey },
          },
        });
        const [status] = (await once(tests, "exit")) as [number | null];
        console.log(`${name}: ${status === 0 ? "passed" : "failed"}`);
        return status === 0;
      })) ?? true,
  );
}
