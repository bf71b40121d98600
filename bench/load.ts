/** What one node carries: requests of each kind, streams and screens it holds; on SQLite and on PostgreSQL. */
import { HAS_POSTGRES, openCluster } from "../server/db/testing/cluster.ts";
import { type Benchmark, type Figure, median, percentile } from "./benchmark.ts";
import type { LoadResult, Request } from "./http-load.ts";
import { commitFigures, databaseCpuMs, mainProcess, rowFigures } from "./load-database.ts";
import { heldFigures } from "./load-held.ts";
import {
  type Bare,
  type Generator,
  headersOf,
  type LoadWorld,
  makeRule,
  openLoadWorld,
  withRunningPhones,
} from "./load-world.ts";
import { cpuMs } from "./processes.ts";

const CONNECTIONS = 16;
const ROUNDS = 3;
const ROUND_MS = 1_500;
const WARM_UP_MS = 1_000;
const PEOPLE = 120;
const CROWDED_TEAMS = 8;
const CROWD = 1_000;
const RULE_PEOPLE = 60;

export const load: Benchmark = {
  name: "load",
  title: "Load on one node",
  about:
    "The whole server as `npm start` bundles it, in a process of its own, with phones of which only the screen is there. Asked by another " +
    `process over ${CONNECTIONS} kept connections in a closed loop (each asks again when it is answered), ${ROUNDS} rounds of ${ROUND_MS / 1_000} s after ` +
    `${WARM_UP_MS / 1_000} s to warm up, beside bare Hono on node's http that writes the same JSON, rounds interleaved; latencies are of all requests of all rounds. ` +
    `All rate limits stand and are counted: ${PEOPLE} people ask in turn, each with a token and from a network of their own (a trusted proxy's word), and one ` +
    "refused request fails the benchmark. A list has 1,000 phones. A write is `phones.rename`, flushed to disk with its audit entry and event. A rule event is " +
    "`rules.start` that begins a run of one step, which runs meanwhile. PostgreSQL: Debian's, on the same machine, with fsync; two nodes, and a request " +
    "sent on is asked at the one and done by the other. Memory: resident set after a full collection. Pictures of 38 kB are what a web phone that moves all over makes. " +
    "How the database grows is `database-growth`.",
  run: benchLoad,
};

async function benchLoad(): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  const world = await openLoadWorld();
  try {
    figures.push(...(await onEngine(world, "SQLite")));
    await world.endAll();
    if (HAS_POSTGRES) {
      const cluster = await openCluster(["fsync = on"]);
      try {
        figures.push(...(await commitFigures(cluster.url)));
        figures.push(...(await onEngine(world, "PostgreSQL", cluster.url)));
        figures.push(...(await rowFigures(cluster.url)));
      } finally {
        await world.endAll();
        cluster.dispose();
      }
    }
    figures.push(...(await heldFigures(world)));
    return figures;
  } finally {
    await world.close();
  }
}

interface Sort {
  readonly name: string;
  readonly port: number;
  readonly requests: readonly Request[];
}

async function onEngine(world: LoadWorld, engine: string, databaseUrl?: string): Promise<readonly Figure[]> {
  const node = await world.node(`${engine.toLowerCase()}-a`, databaseUrl);
  const other = databaseUrl === undefined ? undefined : await world.node(`${engine.toLowerCase()}-b`, databaseUrl);
  const bare = await world.bare();
  const generator = world.generator();
  const { port } = node;
  const get = (input: unknown) => `/trpc/phones.get?input=${encodeURIComponent(JSON.stringify(input))}`;
  const people = await node.people(PEOPLE, 1);
  const crowded = await node.people(CROWDED_TEAMS, CROWD);
  const ruling = await withRunningPhones(port, await node.people(RULE_PEOPLE, 0), 1);
  const starts: Request[] = [];
  for (const person of ruling) {
    const body = { ruleId: await makeRule(port, person), way: "click", values: {}, dedupeKey: `${"A".repeat(31)}{n}` };
    starts.push({ path: "/trpc/rules.start", headers: headersOf(person), body: JSON.stringify(body) });
  }
  const reads = people.map((person) => ({ path: get({ phoneId: person.phones[0] }), headers: headersOf(person) }));
  const sorts: Sort[] = [
    { name: "health", port, requests: [{ path: "/healthz", headers: {} }] },
    { name: "a read, signed in", port, requests: reads },
    {
      name: "a list of 1,000 phones",
      port,
      requests: crowded.map((person) => ({ path: "/trpc/phones.list", headers: headersOf(person) })),
    },
    {
      name: "a write",
      port,
      requests: people.map((person) => ({
        path: "/trpc/phones.rename",
        headers: headersOf(person),
        body: JSON.stringify({ phoneId: person.phones[0], name: "Phone {n}" }),
      })),
    },
    { name: "a rule event", port, requests: starts },
  ];
  if (other !== undefined) {
    const away = await other.people(PEOPLE, 1);
    const asked = away.map((person) => ({ path: get({ phoneId: person.phones[0] }), headers: headersOf(person) }));
    sorts.push({ name: "a read sent on to another node", port, requests: asked });
  }
  const database = databaseUrl === undefined ? undefined : await mainProcess(databaseUrl);
  const nodePids = [node.pid, ...(other === undefined ? [] : [other.pid])];
  const figures: Figure[] = [];
  for (const sort of sorts) {
    console.log(`  ${engine}: ${sort.name}`);
    figures.push(...(await measure(engine, sort, { bare, generator, nodePids, database })));
  }
  return figures;
}

interface Parts {
  readonly bare: Bare;
  readonly generator: Generator;
  readonly nodePids: readonly number[];
  /** Of PostgreSQL, which has started the others. */
  readonly database: number | undefined;
}

async function measure(engine: string, sort: Sort, parts: Parts): Promise<readonly Figure[]> {
  const { bare, generator, nodePids, database } = parts;
  const { port, requests } = sort;
  await bare.answer(await oneAnswer(sort));
  const ours = { port, requests, connections: CONNECTIONS, mayBeBusy: true };
  const beside = { ...ours, port: bare.port, requests: requests.map((request) => ({ ...request, path: "/answer" })) };
  const taken = { ours: [] as Round[], bare: [] as Round[] };
  await generator.load({ ...ours, durationMs: WARM_UP_MS });
  await generator.load({ ...beside, durationMs: WARM_UP_MS });
  const round = async (target: typeof ours, pids: readonly number[]): Promise<Round> => {
    const [own, before] = [await cpuMs(pids), await databaseCpuMs(database)];
    const result = await generator.load({ ...target, durationMs: ROUND_MS });
    const each = (ms: number) => (ms * 1_000) / (result.times.length + result.busy);
    return {
      ...result,
      cpu: each((await cpuMs(pids)) - own),
      database: each((await databaseCpuMs(database)) - before),
    };
  };
  for (let n = 0; n < ROUNDS; n += 1) {
    taken.ours.push(await round(ours, nodePids));
    taken.bare.push(await round(beside, [bare.pid]));
  }
  const times = (rounds: readonly Round[]) => rounds.flatMap((one) => one.times);
  const all = times(taken.ours);
  const name = `${engine}: ${sort.name}`;
  const busy = taken.ours.reduce((sum, one) => sum + one.busy, 0);
  const besideOf = (value: (one: Round) => number) => ({ name: "bare Hono", median: median(taken.bare.map(value)) });
  return [
    {
      ...{ name, unit: "1/s", median: median(taken.ours.map((one) => one.requestsPerSecond)) },
      beside: besideOf((one) => one.requestsPerSecond),
    },
    {
      ...{ name: `${name}, latency`, unit: "ms", median: median(all), p95: percentile(all, 0.95) },
      p99: percentile(all, 0.99),
      beside: { name: "bare Hono", median: median(times(taken.bare)) },
    },
    {
      ...{ name: `${name}, processor time`, unit: "µs", median: median(taken.ours.map((one) => one.cpu)) },
      beside: besideOf((one) => one.cpu),
    },
    ...(busy === 0
      ? []
      : [{ name: `${name}, told to try again`, unit: "%" as const, median: (100 * busy) / (busy + all.length) }]),
    ...(database === undefined
      ? []
      : [
          {
            ...{ name: `${name}, processor time of PostgreSQL`, unit: "µs" as const },
            median: median(taken.ours.map((one) => one.database)),
          },
        ]),
  ];
}

interface Round extends LoadResult {
  /** Microseconds a request. */
  readonly cpu: number;
  readonly database: number;
}

/** What is answered to the first of the requests, for the bare server to answer with. */
async function oneAnswer({ port, requests: [first] }: Sort): Promise<unknown> {
  if (first === undefined) throw new Error("There is nothing to ask.");
  const response = await fetch(`http://localhost:${port}${first.path}`, {
    headers: { ...first.headers, ...(first.body !== undefined && { "Content-Type": "application/json" }) },
    ...(first.body !== undefined && { method: "POST", body: first.body.replaceAll("{n}", "0".repeat(12)) }),
  });
  if (!response.ok) throw new Error(`The server answered ${response.status}: ${await response.text()}`);
  return response.json();
}
