/** What PostgreSQL itself does beneath the `load` benchmark: how many commits, and how much it keeps. */
import { readFile } from "node:fs/promises";
import pg from "pg";
import { parents, tree } from "../server/phones/drivers/web/proc.ts";
import { type Figure, median } from "./benchmark.ts";
import { cpuMs, TICKS } from "./processes.ts";

const CONNECTIONS = 16;
const ROUNDS = 3;
const ROUND_MS = 1_000;
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

/** The process of a PostgreSQL on this machine that has started its others. */
export async function mainProcess(url: string): Promise<number> {
  const client = await connected(url);
  try {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    const main = (await parents()).get(rows[0]?.pid ?? 0);
    if (main === undefined) throw new Error("PostgreSQL's processes were not found.");
    return main;
  } finally {
    await client.end();
  }
}

/** Processor time so far of all its processes, in ms, those that have ended included. */
export async function databaseCpuMs(main: number | undefined): Promise<number> {
  if (main === undefined) return 0;
  const text = await readFile(`/proc/${main}/stat`, "latin1");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const ended = Number(fields[13]) + Number(fields[14]);
  return (await cpuMs(tree(main, await parents()))) + (ended * 1_000) / TICKS;
}

async function connected(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
}
