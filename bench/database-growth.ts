/** What people and nodes ask all the time, in databases of a thousand to a million rows a table, on both engines. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import pg from "pg";
import { createSessionsRepo } from "../server/accounts/sessions.repo.ts";
import { createActivityRepo } from "../server/audit/activity.repo.ts";
import { createRunsRepo } from "../server/automations/runs.repo.ts";
import { systemClock } from "../server/clock.ts";
import type { Database } from "../server/db/database.ts";
import { openPostgres } from "../server/db/postgres-open.ts";
import { openSqlite } from "../server/db/sqlite.ts";
import { HAS_POSTGRES, openCluster } from "../server/db/testing/cluster.ts";
import { seedStatement } from "../server/db/testing/seed.ts";
import { MIGRATIONS } from "../server/db/testing.ts";
import { createEvents } from "../server/events/events.repo.ts";
import { createJobsRepo } from "../server/jobs/jobs.repo.ts";
import { createLimitsRepo } from "../server/limits/limits.repo.ts";
import { createPhonesRepo } from "../server/phones/phones.repo.ts";
import { serverScope } from "../server/teams/team-scope.ts";
import type { TeamId, UserId } from "../shared/ids.ts";
import { type Benchmark, type Figure, spread } from "./benchmark.ts";

const SIZES = (process.env["GROWTH_ROWS"] ?? "1000,10000,100000,1000000").split(",").map(Number);
const ROUNDS = 300;
const GROWING = [
  ...["users", "teams", "team_members", "sessions", "phones", "flows", "runs", "audit_log", "usage_intervals"],
  ...["events", "topics", "jobs", "idempotency_keys", "mail_outbox"],
] as const;

export const databaseGrowth: Benchmark = {
  name: "database-growth",
  title: "A database that grows",
  about:
    `Rows in each of ${GROWING.length} tables: ${SIZES.map((size) => size.toLocaleString("en")).join(", ")}. Each question is asked ` +
    `${ROUNDS} times about different rows, through the functions the server asks with; beside it the same with the fewest rows. ` +
    "One job in two hundred is due. SQLite: the encrypted file. PostgreSQL: Debian's, on the same machine, without fsync; analysed after it was filled.",
  run: benchGrowth,
};

async function benchGrowth(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const first = new Map<string, number>();
  for (const engine of HAS_POSTGRES ? (["SQLite", "PostgreSQL"] as const) : (["SQLite"] as const)) {
    for (const size of SIZES) {
      const { db, close } = engine === "SQLite" ? await filledSqlite(size) : await filledPostgres(size);
      try {
        for (const [name, ask] of Object.entries(questionsOf(db))) {
          const samples: number[] = [];
          for (let round = 0; round < ROUNDS; round += 1) {
            const start = performance.now();
            await ask(1 + ((round * 7_919) % size));
            samples.push((performance.now() - start) * 1_000);
          }
          const found = spread(samples.slice(20));
          const key = `${engine} ${name}`;
          const fewest = first.get(key) ?? found.median;
          first.set(key, fewest);
          figures.push({
            ...{ name: `${engine}, ${size.toLocaleString("en")} rows: ${name}`, unit: "µs", ...found },
            beside: { name: `${(SIZES[0] ?? 0).toLocaleString("en")} rows`, median: fewest },
          });
        }
      } finally {
        await close();
      }
    }
  }
  return figures;
}

/** Each about the nth of something. */
function questionsOf(db: Database): Record<string, (n: number) => Promise<unknown>> {
  const sessions = createSessionsRepo(db);
  const phones = createPhonesRepo(db);
  const runs = createRunsRepo(db);
  const activity = createActivityRepo(db);
  const limits = createLimitsRepo(db);
  const jobs = createJobsRepo(db, systemClock);
  const events = createEvents(db, systemClock);
  const scopeOf = (n: number) => serverScope(`teams_${n}` as TeamId);
  return {
    "a session by its token": (n) => sessions.findByToken(`sessions_token_hash_${n}`),
    "the phones of a team": (n) => phones.list(scopeOf(n)),
    "the newest runs of a team": (n) => runs.list(scopeOf(n), { limit: 50 }),
    "a page of a team's activity": (n) =>
      activity.ofTeam(`group_${n % 100}` as TeamId, `usr_${n}` as UserId, ["phone.launched"], {}, undefined, 50),
    "a call done before": (n) =>
      db.tx((tx) => limits.findResult(tx, { scope: `group_${n % 100}`, procedure: "p", key: `${n}` })),
    "an event is published": (n) => db.tx((tx) => events.publish(tx, `topics_topic_${n}`, { n })),
    "a job is claimed": () => jobs.claim("node-1", ["mail.send"], 60_000),
  };
}

const places = (table: string) => `"${table}"`;
/** Others hold a few rows, so that everything referred to is there. */
const rowsFor = (size: number) => (table: string) => (GROWING.some((one) => one === table) ? size : 10);

async function filledSqlite(size: number) {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const [file, key] = [join(folder, "perch.db"), randomBytes(32)];
  const db = await openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });
  db.keys.unlock(randomBytes(32));
  const raw = new Sqlite(file);
  raw.pragma(`key = "x'${key.toString("hex")}'"`);
  raw.pragma("foreign_keys = OFF");
  raw.pragma("synchronous = OFF");
  for (const table of GROWING) raw.exec(seedStatement("sqlite", places, table, rowsFor(size), () => ""));
  raw.pragma("wal_checkpoint(TRUNCATE)");
  raw.close();
  const close = async () => {
    await db.close();
    await rm(folder, { recursive: true, force: true });
  };
  return { db, close };
}

async function filledPostgres(size: number) {
  const cluster = await openCluster(["shared_buffers = 256MB", "max_wal_size = 4GB"]);
  const db = await openPostgres({ url: cluster.url, migrationsFolder: join(MIGRATIONS, "postgres") });
  db.keys.unlock(randomBytes(32));
  const client = new pg.Client({ connectionString: cluster.url });
  await client.connect();
  await client.query("set session_replication_role = replica");
  for (const table of GROWING) {
    await client.query(
      seedStatement(
        "postgres",
        (name) => `perch."${name}"`,
        table,
        rowsFor(size),
        () => "",
      ),
    );
  }
  await client.query("vacuum analyze");
  await client.end();
  const close = async () => {
    await db.close();
    cluster.dispose();
  };
  return { db, close };
}
