/** Whom a breach concerns among a million people, found from the data map; beside asking for each person alone. */
import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { and, count, isNotNull, or } from "drizzle-orm";
import type { Database } from "../server/db/database.ts";
import { openSqlite } from "../server/db/sqlite.ts";
import { createBreachScope, type ScopeQuery } from "../server/privacy/incidents/breach-scope.repo.ts";
import { createIncidentsRepo } from "../server/privacy/incidents/incidents.repo.ts";
import { dataMap, tableNamed } from "../server/privacy/map/data-map.ts";
import { rowsOf } from "../server/privacy/map/rows-of.repo.ts";
import type { UserId } from "../shared/ids.ts";
import { type Benchmark, type Figure, median } from "./benchmark.ts";

const PEOPLE = 1_000_000;
const MEMBERSHIPS = 300_000;
const SAMPLE = 1_000;
const ROUNDS = 3;

export const breach: Benchmark = {
  name: "breach",
  title: "Breach scope",
  about:
    `Embedded SQLite, encrypted, with ${PEOPLE.toLocaleString("en")} accounts and ${MEMBERSHIPS.toLocaleString("en")} memberships. Exposed: addresses and names of ` +
    "everybody, and what teams hold about members. The scope reads slices of 50,000 accounts, one query a table for each, and gives " +
    `every person with their categories; median of ${ROUNDS} rounds. Beside it the naive way, a query a table for each person, on a sample ` +
    `of ${SAMPLE.toLocaleString("en")} people and multiplied up to all of them. Keeping the people for their notices (batches of 1,000, a pause for other writers ` +
    "after each) is timed on 100,000 of them.",
  run: benchBreach,
};

async function benchBreach(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-breach-"));
  const file = join(folder, "perch.db");
  const key = randomBytes(32);
  const open = () => openSqlite({ file, key, migrationsFolder: join(import.meta.dirname, "../migrations/sqlite") });
  try {
    await (await open()).close();
    seed(file, key);
    const db = await open();
    try {
      return await measure(db);
    } finally {
      await db.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Straight into the file, without waiting for the disk: a million accounts in seconds. */
function seed(file: string, key: Buffer): void {
  const db = new Sqlite(file);
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  db.pragma("synchronous = OFF");
  db.pragma("cache_size = -200000");
  const ids = `with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < ?)`;
  const userId = `'usr_' || printf('%022d', i)`;
  db.transaction(() => {
    db.prepare(
      `insert into users (id, email, email_shown, full_name, created_at)
       ${ids} select ${userId}, printf('%07d@x.example', i), printf('%07d@x.example', i), 'Name', 1767225600000 from n`,
    ).run(PEOPLE);
    db.exec(`insert into teams (id, name, created_at) values ('tem_0', 'Team', 1767225600000)`);
    db.prepare(
      `insert into team_members (team_id, user_id, role, joined_at)
       ${ids} select 'tem_0', ${userId}, 'viewer', 1767225600000 from n`,
    ).run(MEMBERSHIPS);
  })();
  db.close();
}

const QUERY: ScopeQuery = {
  from: null,
  to: null,
  columns: [
    { table: "users", columns: ["email", "fullName"] },
    { table: "teamMembers", columns: "all" },
  ],
};

async function measure(db: Database): Promise<readonly Figure[]> {
  const times: number[] = [];
  let some: readonly UserId[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const start = performance.now();
    let people = 0;
    for await (const slice of createBreachScope(db).slices(QUERY)) {
      people += slice.people.size;
      if (some.length < 100_000) some = [...some, ...slice.people.keys()];
    }
    times.push(performance.now() - start);
    if (people !== PEOPLE) throw new Error(`${people} people were found.`);
  }
  return [
    {
      name: "1,000,000 people and their categories",
      unit: "ms",
      median: median(times),
      beside: { name: "each person alone, from a sample", median: await naive(db, some.slice(0, SAMPLE)) },
      aim: { of: "median", atMost: 30_000 },
    },
    { name: "keeping 100,000 of them", unit: "ms", median: await keeping(db, some.slice(0, 100_000)) },
  ];
}

async function naive(db: Database, people: readonly UserId[]): Promise<number> {
  const map = dataMap(db.t);
  const start = performance.now();
  for (const userId of people) {
    for (const entry of QUERY.columns) {
      const table = tableNamed(map, entry.table);
      const exposed = table.columns.filter(
        ({ property, tag }) =>
          tag.category !== "system.operations" && (entry.columns === "all" || entry.columns.includes(property)),
      );
      await db.read
        .select({ rows: count() })
        .from(table.table)
        .where(
          and(
            rowsOf(db.read, map, table, { userId, email: "" }),
            or(...exposed.map(({ column }) => isNotNull(column))),
          ),
        );
    }
  }
  return ((performance.now() - start) / people.length) * PEOPLE;
}

async function keeping(db: Database, people: readonly UserId[]): Promise<number> {
  const repo = createIncidentsRepo(db);
  const id = "inc_0000000000000000000000" as Parameters<typeof repo.find>[0];
  const at = new Date();
  await db.tx((tx) => repo.insert(tx, { id, title: "Benchmark", awareAt: at, drill: true }));
  const start = performance.now();
  for (let from = 0; from < people.length; from += 1_000) {
    await db.tx((tx) => repo.addPeople(tx, id, people.slice(from, from + 1_000), ["user.contact.email"], at));
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return performance.now() - start;
}
