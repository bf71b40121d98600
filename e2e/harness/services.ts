/**
 * What a server stands on, for one test file: everything of its own (`sqlite`), a real PostgreSQL and a bucket (`postgres`),
 * or a Supabase project's parts as well: GoTrue for sign-in and a real S3 server (`full`; `npm run test:counterparts` starts
 * them). `E2E_STACK` names one; without it, it is `postgres` where TEST_DATABASE_URL leads to a PostgreSQL.
 */
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import pg from "pg";
import { z } from "zod";
import { Gateway } from "../../server/accounts/supabase/testing/gateway.ts";
import { systemClock } from "../../server/clock.ts";
import { createS3Blobs } from "../../server/files/s3-blobs.ts";
import type { S3Access } from "../../server/files/s3-client.ts";
import { startFakeS3 } from "../../server/files/testing/fake-s3.ts";
import { postgresPlace } from "../../server/privacy/testing/gate-stores.ts";

const given = z.object({
  E2E_STACK: z.enum(["sqlite", "postgres", "full"]).optional(),
  TEST_DATABASE_URL: z.string().optional(),
});
const givenProject = z.object({
  TEST_GOTRUE_URL: z.url(),
  TEST_GOTRUE_GATEWAY_PORT: z.string(),
  TEST_GOTRUE_SERVICE_KEY: z.string(),
  TEST_GOTRUE_ANON_KEY: z.string(),
});
const givenBucket = z.object({
  S3_TEST_ENDPOINT: z.url(),
  S3_TEST_REGION: z.string(),
  S3_TEST_BUCKET: z.string(),
  S3_TEST_ACCESS_KEY_ID: z.string(),
  S3_TEST_SECRET_ACCESS_KEY: z.string(),
});

export interface StoredFile {
  readonly key: string;
  /** As it lies there. */
  readonly bytes: Buffer;
}

export interface Services {
  readonly name: "sqlite" | "postgres" | "full";
  /** Settings of the server. */
  readonly env: Readonly<Record<string, string>>;
  /** Every file the server keeps for people, without the profiles of running phones. */
  files(dataDir: string): Promise<readonly StoredFile[]>;
  /** What the database holds, as text; undefined where it is one encrypted file. */
  dump(): Promise<string | undefined>;
  /** Addresses of people in the sign-in service; undefined where the server itself is it. */
  peopleThere(): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

export async function startServices(): Promise<Services> {
  const { E2E_STACK, TEST_DATABASE_URL: base } = given.parse(process.env);
  const name = E2E_STACK ?? (base === undefined ? "sqlite" : "postgres");
  if (name === "sqlite") return sqliteServices();
  if (base === undefined) throw new Error(`E2E_STACK=${name} needs TEST_DATABASE_URL.`);
  const undo: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const one of undo.reverse()) await one();
  };
  try {
    // In a Supabase project GoTrue's tables are in the same database, in a schema of their own.
    const place =
      name === "full" ? undefined : await postgresPlace(base, `perch_e2e_${randomBytes(6).toString("hex")}`);
    if (place !== undefined) undo.push(() => place.drop());
    const url = place?.url ?? base;
    const bucket = name === "full" ? bucketGiven() : await ownBucket(undo);
    const project = name === "full" ? await projectGiven(undo) : {};
    const prefix = `perch-${randomBytes(4).toString("hex")}`;
    return {
      name,
      env: {
        ...{ DATABASE_URL: url, S3_ENDPOINT: bucket.endpoint, S3_REGION: bucket.region, S3_BUCKET: bucket.bucket },
        ...{ S3_ACCESS_KEY_ID: bucket.accessKeyId, S3_SECRET_ACCESS_KEY: bucket.secretAccessKey, S3_PREFIX: prefix },
        ...project,
      },
      files: () => filesOf(bucket, prefix),
      dump: () => connected(url, dumpOf),
      peopleThere: async () =>
        name === "full"
          ? connected(url, async (client) => {
              const { rows } = await client.query<{ email: string }>("select email from auth.users order by email");
              return rows.map(({ email }) => email);
            })
          : undefined,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function sqliteServices(): Services {
  return {
    name: "sqlite",
    env: {},
    files: async (dataDir) =>
      ["runs", "exports", "uploads"].flatMap((folder) => {
        const path = join(dataDir, folder);
        if (!existsSync(path)) return [];
        return readdirSync(path, { recursive: true, withFileTypes: true })
          .filter((one) => one.isFile())
          .map((one) => {
            const file = join(one.parentPath, one.name);
            return { key: file.slice(dataDir.length + 1), bytes: readFileSync(file) };
          });
      }),
    dump: async () => undefined,
    peopleThere: async () => undefined,
    close: async () => {},
  };
}

function bucketGiven(): S3Access {
  const env = givenBucket.parse(process.env);
  return {
    ...{ endpoint: env.S3_TEST_ENDPOINT, region: env.S3_TEST_REGION, bucket: env.S3_TEST_BUCKET },
    ...{ accessKeyId: env.S3_TEST_ACCESS_KEY_ID, secretAccessKey: env.S3_TEST_SECRET_ACCESS_KEY },
  };
}

async function ownBucket(undo: (() => Promise<void>)[]): Promise<S3Access> {
  const fake = await startFakeS3();
  undo.push(() => fake.close());
  return fake.access;
}

/** Supabase's gateway is played here, before the real GoTrue. */
async function projectGiven(undo: (() => Promise<void>)[]): Promise<Record<string, string>> {
  const env = givenProject.parse(process.env);
  const keys = [env.TEST_GOTRUE_SERVICE_KEY, env.TEST_GOTRUE_ANON_KEY];
  const gateway = new Gateway(new URL(env.TEST_GOTRUE_URL), keys);
  await gateway.listen(Number(env.TEST_GOTRUE_GATEWAY_PORT));
  undo.push(() => gateway.close());
  return {
    SUPABASE_URL: `http://127.0.0.1:${env.TEST_GOTRUE_GATEWAY_PORT}`,
    ...{ SUPABASE_SERVICE_ROLE_KEY: env.TEST_GOTRUE_SERVICE_KEY, SUPABASE_ANON_KEY: env.TEST_GOTRUE_ANON_KEY },
  };
}

async function filesOf(access: S3Access, prefix: string): Promise<readonly StoredFile[]> {
  const blobs = createS3Blobs({ access, prefix: `${prefix}/`, clock: systemClock });
  const files: StoredFile[] = [];
  for (const whose of ["t/", "u/"]) {
    for await (const { key } of blobs.list(whose)) {
      const stored = await blobs.get(key);
      if (stored === undefined) continue;
      files.push({ key, bytes: Buffer.from(await new Response(stored.content).arrayBuffer()) });
    }
  }
  return files;
}

async function connected<T>(connectionString: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Perch's own schemas; what a sign-in service writes beside them is its own. */
async function dumpOf(client: pg.Client): Promise<string> {
  const { rows: tables } = await client.query<{ name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ('perch', 'perch_keys')",
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await client.query<{ text: string }>(`select t::text as text from ${name} t`);
    texts.push(...rows.map(({ text }) => text));
  }
  return texts.join("\n");
}
