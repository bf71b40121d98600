/**
 * What the server asks while people use it, planned on tables that have grown: the statements of a running server are
 * collected, then explained with many rows there. None may read a table that grows from its beginning to its end.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { Column, is } from "drizzle-orm";
import { getTableConfig } from "drizzle-orm/sqlite-core";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { FLOW, thingsOf } from "../authz-things.fixture.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import { call, signIn, startTestServer, type TestServer } from "../testing.ts";
import { type AnyTable, tableName } from "./dialect.ts";
import { foreignKeysOf, primaryKeyOf } from "./table-keys.ts";
import { tablesFor } from "./tables.ts";
import { type Cluster, HAS_POSTGRES, openCluster } from "./testing/cluster.ts";
import { BIG_TABLES, seedStatement } from "./testing/seed.ts";

const ROWS = Number(process.env["PLAN_ROWS"] ?? 10_000);
const BIG: ReadonlySet<string> = new Set(BIG_TABLES);
const rowsOf = (table: string) => (BIG.has(table) ? ROWS : 10);

/** Reads that are meant to see everything, and why: parts of the statement. */
const MEANT: readonly (readonly [RegExp, string])[] = [
  [/email like 'v1\.%' and email not like/, "At the start: ends at the first row."],
  [/^select "id" from ("perch"\.)?"users" limit/, "At the first start: is there anybody? Ends at the first row."],
  [/^select distinct "chain" from/, "Of `audit verify`, and of the one start that makes the master key."],
  [/"state" in \((\?|\$\d+)(, (\?|\$\d+)){6}\)/, "At the start: each phone is held beside what its driver has."],
  [
    /"last_seen_at" <= \S+ and .*"deleted_at" is null\) order by .*"id"/,
    "Once a night: quiet accounts, a page at a time.",
  ],
  [/ group by .* having /, "Once a night: the books beside themselves, row by row (`billing reconcile`)."],
  [/ over \(/, "Once a night: intervals of a phone that overlap."],
  [
    /left join .*"ledger_entries".* group by "?(perch"\.")?"?usage_intervals/,
    "Once a night: what ran beside what was billed.",
  ],
];
/** Partial indexes of what is going on just now: reading one from its beginning reads what a machine does at once. */
const LIVE = /\b(jobs_lock|jobs_dedupe|usage_intervals_(open|beat|due)|runs_(lease|lane)|phones_started)\b/;

interface Asked {
  readonly text: string;
  readonly parameters: readonly unknown[];
}

/** Collects what is asked of either driver until it is stopped. */
function collect() {
  const asked = new Map<string, Asked>();
  const note = (text: string, parameters: readonly unknown[] = []) => {
    if (
      /^\s*(select|update|delete|insert|with)\b/i.test(text) &&
      !/pg_catalog|sqlite_master|pg_(class|roles|proc)/.test(text)
    ) {
      const before = asked.get(text);
      if (before === undefined || before.parameters.some((one) => one === null)) asked.set(text, { text, parameters });
    }
  };
  const prepare = Sqlite.prototype.prepare;
  const lite = vi.spyOn(Sqlite.prototype, "prepare").mockImplementation(function (this: Sqlite.Database, text: string) {
    note(text);
    return prepare.call(this, text);
  });
  const query = pg.Client.prototype.query as (...parameters: unknown[]) => unknown;
  const big = vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
    this: pg.Client,
    ...parameters: unknown[]
  ) {
    const [first, second] = parameters;
    if (typeof first === "string") note(first, Array.isArray(second) ? second : []);
    else if (typeof first === "object" && first !== null && "text" in first)
      note(
        String(first.text),
        Array.isArray(second) ? second : "values" in first && Array.isArray(first.values) ? first.values : [],
      );
    return query.apply(this, parameters) as never;
  });
  return {
    asked,
    stop() {
      lite.mockRestore();
      big.mockRestore();
    },
  };
}

/** What people and their clients ask for all day; the server's own work goes on beside it. */
async function askAround(server: TestServer): Promise<number> {
  const owner = await signIn(server);
  const things = await thingsOf(server, owner);
  const { phoneId, flowId, runId, recordingId, ruleId } = things;
  const ask = async (type: "query" | "mutation", path: string, input?: unknown) => {
    const answer = await call(server, type, path, input, owner.token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
  };
  const queries: readonly (readonly [string, unknown?])[] = [
    ...[["account.me"], ["account.security"], ["sessions.list"], ["tokens.list"], ["teams.list"], ["teams.get"]],
    ...[["audit.mine", {}], ["audit.team", {}], ["teams.myInvitations"]],
    ...[["phones.list"], ["phones.get", { phoneId }], ["phones.uploads", { phoneId }], ["phones.files", { phoneId }]],
    ...[["flows.list"], ["flows.get", { flowId }], ["runs.list"], ["runs.get", { runId }], ["secrets.list"]],
    ...[
      ["rules.list"],
      ["webhooks.list"],
      ["workspaces.list"],
      ["recordings.list"],
      ["recordings.get", { recordingId }],
    ],
    ...[["billing.summary"], ["billing.burn"], ["billing.plans"], ["billing.invoices"]],
    ...[
      ["billing.previewStart", { phoneId }],
      ["usage.summary", {}],
      ["usage.days", { by: "phone" }],
    ],
    ...[["usage.lines", {}], ["privacy.overview"], ["privacy.requests"], ["privacy.exports"], ["privacy.accessLog"]],
  ] as never;
  for (const [path, input] of queries) await ask("query", path, input);
  await call(server, "subscription", "phones.events", { lastEventId: "0" }, owner.token);
  await call(server, "subscription", "runs.events", { runId, lastEventId: "0" }, owner.token);
  await ask("mutation", "tokens.create", { name: "CI", scopes: ["phones:view"], days: 30 });
  await ask("mutation", "phones.rename", { phoneId, name: "Renamed" });
  await ask("mutation", "phones.keepAwake", { phoneId });
  await ask("mutation", "screen.ticket", { phoneId, mode: "control" });
  await ask("mutation", "runs.start", { flowId, phoneId, idempotencyKey: "planned-run" });
  await ask("mutation", "rules.start", { ruleId, way: "click", values: {}, dedupeKey: "d".repeat(43) });
  await ask("mutation", "flows.save", { flowId, name: "Renamed", source: FLOW });
  await ask("mutation", "phones.park", { phoneId });
  await ask("mutation", "phones.start", { phoneId, url: "https://a.example/" });
  return queries.length;
}

/** The name behind each alias of a statement. */
function aliasesOf(text: string): Map<string, string> {
  return new Map([...text.matchAll(/"(\w+)" "(\w+)"/g)].map(([, table = "", alias = ""]) => [alias, table]));
}

/** A plan does not depend on the values: one nothing for each. */
const nothingFor = (text: string) => [...text.matchAll(/\?/g)].map(() => null);

const isMeant = (text: string) => MEANT.some(([part]) => part.test(text));

describe("what a running server asks is found by an index", () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-plans-"));
  let cluster: Cluster | undefined;
  beforeAll(async () => {
    if (HAS_POSTGRES) cluster = await openCluster();
  });
  afterAll(() => {
    cluster?.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  async function statementsOf(env: Record<string, string>, work: (asked: readonly Asked[]) => Promise<void>) {
    const collecting = collect();
    const server = await startTestServer({
      PUBLIC_URL: "http://localhost:8787",
      BILLING: "sandbox",
      KEY_FILE: join(folder, "key"),
      ...env,
    });
    try {
      expect(await askAround(server)).toBeGreaterThan(30);
      // Sweeps, schedules and what is looked at now and then.
      for (let hours = 0; hours < 3; hours += 1) {
        server.clock.advance(3_700_000);
      }
      await expect
        .poll(() => [...collecting.asked.keys()].filter((text) => /^delete/i.test(text)).length, { timeout: 10_000 })
        .toBeGreaterThan(7);
      collecting.stop();
      await work([...collecting.asked.values()]);
    } finally {
      collecting.stop();
      await server.dispose();
    }
  }

  it("also when a row goes that others refer to", () => {
    const without = Object.values<AnyTable>(tablesFor.sqlite).flatMap((table) => {
      const { indexes } = getTableConfig(table);
      const firsts = indexes.filter(({ config }) => config.where === undefined).map(({ config }) => config.columns[0]);
      const known = new Set([
        primaryKeyOf(table)[0]?.name,
        ...firsts.map((one) => (is(one, Column) ? one.name : undefined)),
      ]);
      return foreignKeysOf(table).flatMap(({ column }) =>
        known.has(column.name) ? [] : `${tableName(table)}.${column.name}`,
      );
    });
    expect(without).toEqual([]);
  });

  it("on SQLite", async () => {
    await statementsOf({ DATA_DIR: join(folder, "sqlite") }, async (asked) => {
      const fileKey = readFileKey({ keyFile: join(folder, "key"), databaseExists: true });
      const db = new Sqlite(join(folder, "sqlite/perch.db"));
      db.pragma(`key = "x'${deriveKey(fileKey, "database").toString("hex")}'"`);
      expect(asked.length).toBeGreaterThan(150);
      const scans: string[] = [];
      for (const { text } of asked) {
        if (isMeant(text) || /subject_keys/.test(text)) continue;
        const plan = db.prepare<null[], { detail: string }>(`explain query plan ${text}`).all(...nothingFor(text));
        for (const { detail } of plan) {
          // With RETURNING it also plans looking for rows that wait for this one, which only deferred references have.
          if (/^insert/i.test(text)) continue;
          const [, name = ""] = /^SCAN (\w+)/.exec(detail) ?? [];
          const table = aliasesOf(text).get(name) ?? name;
          if (BIG.has(table) && !LIVE.test(detail)) scans.push(`${detail} ← ${text}`);
        }
      }
      db.close();
      expect(scans.join("\n")).toBe("");
    });
  });

  it.skipIf(!HAS_POSTGRES)("on PostgreSQL", async () => {
    const url = cluster?.url ?? "";
    await statementsOf({ DATABASE_URL: url, DATA_DIR: join(folder, "postgres") }, async (asked) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      await client.query("set session_replication_role = replica");
      for (const table of BIG_TABLES)
        await client.query(
          seedStatement(
            "postgres",
            (name) => `perch."${name}"`,
            table,
            rowsOf,
            () => "x",
          ),
        );
      await client.query("analyze");
      expect(asked.length).toBeGreaterThan(150);
      const scans: string[] = [];
      for (const { text, parameters } of asked) {
        if (isMeant(text)) continue;
        const { rows } = await client
          .query(`explain (format json) ${text}`, [...parameters])
          .catch((error: unknown) => {
            throw new Error(`${text}`, { cause: error });
          });
        for (const found of scansIn(rows[0]?.["QUERY PLAN"][0].Plan)) scans.push(`${found} ← ${text}`);
      }
      await client.end();
      expect(scans.join("\n")).toBe("");
    });
  });
});

interface PlanNode {
  readonly "Node Type": string;
  readonly "Relation Name"?: string;
  readonly "Index Name"?: string;
  readonly "Index Cond"?: string;
  readonly "Plan Rows"?: number;
  readonly Plans?: readonly PlanNode[];
}

/** Tables that are read as a whole; an index that is read from its beginning counts, but where a limit ends it. */
function* scansIn(node: PlanNode, isLimited = false): Generator<string> {
  const kind = node["Node Type"];
  const table = node["Relation Name"] ?? "";
  const isLive = LIVE.test(node["Index Name"] ?? "");
  const isFromStart = /^Index( Only)? Scan$/.test(kind) && node["Index Cond"] === undefined && !isLimited;
  const isWhole = kind === "Seq Scan" || (isFromStart && !isLive);
  if (isWhole && BIG.has(table)) yield `${kind} ${table}`;
  // What sorts or adds up reads all before the limit ends anything.
  const stays = (isLimited || kind === "Limit") && !/^(Sort|Aggregate|Hash|Materialize)$/.test(kind);
  for (const child of node.Plans ?? []) yield* scansIn(child, stays);
}
