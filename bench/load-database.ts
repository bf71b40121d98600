/** What PostgreSQL itself does beneath the `load` benchmark: how many commits, and how much it keeps. */
import pg from "pg";
import { type Figure, median } from "./benchmark.ts";

const CONNECTIONS = 16;
const ROUNDS = 3;
const ROUND_MS = 1_500;
const KEPT = {
  users: "an account",
  phones: "a phone",
  audit_log: "an activity row",
  events: "an event",
  runs: "a run",
  run_steps: "a step of a run",
  run_events: "an event of a run",
  usage_intervals: "an interval of usage",
} as const;

/** One row a transaction by many connections at once, with and without an announcement as every change of a team makes it. */
export async function commitFigures(url: string): Promise<readonly Figure[]> {
  const clients = await Promise.all(Array.from({ length: CONNECTIONS }, () => connected(url)));
  try {
    await clients[0]?.query("create table commits (at bigint generated always as identity primary key, what text)");
    const rates = { plain: [] as number[], announced: [] as number[] };
    for (let n = 0; n < ROUNDS; n += 1) {
      for (const kind of ["plain", "announced"] as const) {
        const announce = kind === "announced" ? "select pg_notify('perch_bench', 'topic');" : "";
        const text = `begin; insert into commits (what) values ('row'); ${announce} commit`;
        const started = performance.now();
        const counts = await Promise.all(
          clients.map(async (client) => {
            let count = 0;
            for (; performance.now() - started < ROUND_MS; count += 1) await client.query(text);
            return count;
          }),
        );
        rates[kind].push(counts.reduce((sum, count) => sum + count, 0) / ((performance.now() - started) / 1_000));
      }
    }
    const beside = { name: "without an announcement", median: median(rates.plain) };
    const name = `PostgreSQL: commits with an announcement, ${CONNECTIONS} connections`;
    return [{ name, unit: "1/s", median: median(rates.announced), beside }];
  } finally {
    await Promise.all(clients.map((client) => client.end()));
  }
}

/** A row of a table on the disk, with its indexes and what is stored apart. */
export async function rowFigures(url: string): Promise<readonly Figure[]> {
  const client = await connected(url);
  try {
    await client.query("vacuum full");
    const figures: Figure[] = [];
    for (const [table, name] of Object.entries(KEPT)) {
      const { rows } = await client.query<{ bytes: string; count: string }>(
        `select pg_total_relation_size('perch.${table}') as bytes, (select count(*) from perch.${table}) as count`,
      );
      const [bytes, count] = [Number(rows[0]?.bytes), Number(rows[0]?.count)];
      const label = `PostgreSQL: ${name} on the disk, of ${count.toLocaleString("en")}`;
      figures.push({ name: label, unit: "kB", median: bytes / count / 1_000 });
    }
    return figures;
  } finally {
    await client.end();
  }
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
