/** What has to hold after a storm, whatever happened in it. Each finding says what was compared, and what did not fit. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { ENDED_RUN_STATES } from "../../../../shared/automations.ts";
import { runAdmin } from "../../../admin/commands.ts";
import { systemClock } from "../../../clock.ts";
import { parseConfig } from "../../../config.ts";
import { LIMITS } from "../../../limits/rate-limiter.ts";
import type { LeaseTimes } from "../../lease.ts";
import type { Remembered } from "./remembered.ts";
import { checkUsage } from "./usage-check.ts";
import type { World } from "./world.ts";

export interface Finding {
  readonly what: string;
  /** What it was held against, in figures. */
  readonly seen: string;
  readonly wrong: readonly string[];
}

/** While the nodes still run: whether each phone is where the database says, and nowhere else. */
export async function checkLiving(world: World, known: Remembered): Promise<Finding[]> {
  interface Held {
    readonly running: readonly string[];
    readonly stored: readonly string[];
  }
  const held = new Map<string, Held>();
  for (const node of world.nodes) {
    const id = node.id();
    if (id !== undefined) held.set(id, (await node.tell({ do: "phones" })) as Held);
  }
  const phones = await world.query<{ id: string; state: string; reason: string | null; node_id: string | null }>(
    "select id, state, reason, node_id from perch.phones",
  );
  const wrong: string[] = [];
  const rows = new Map(phones.map((row) => [row.id, row]));
  for (const { id, state, reason, node_id } of phones) {
    const runningAt = [...held].filter(([, { running }]) => running.includes(id)).map(([node]) => node);
    if (state === "running" && (runningAt.length !== 1 || runningAt[0] !== node_id))
      wrong.push(`${id} is running at ${node_id ?? "nobody"} by the database, and really at [${runningAt.join()}].`);
    if (["parked", "failed", "removed"].includes(state) && runningAt.length > 0)
      wrong.push(`${id} is ${state} by the database, and runs at [${runningAt.join()}].`);
    if (["creating", "starting", "parking"].includes(state)) wrong.push(`${id} is ${state}, and nobody works on it.`);
    if (state === "failed" && reason === null) wrong.push(`${id} has failed without a reason.`);
  }
  for (const [node, { running, stored }] of held) {
    for (const id of running) if (!rows.has(id)) wrong.push(`${id} runs at ${node}, and no row knows it.`);
    for (const id of stored) {
      const row = rows.get(id);
      if (row === undefined || row.state === "removed") wrong.push(`What ${id} stored is still at ${node}.`);
    }
  }
  const runs = await world.query<{ id: string; state: string }>(
    `select r.id, r.state from perch.runs r where r.state in ('leased', 'running')
     or (r.state = 'queued' and exists (select 1 from perch.phones p where p.id = r.phone_id and p.state = 'running'))`,
  );
  return [
    {
      what: "Every phone is where the database says, failed ones with a reason, and nothing of others is left",
      seen: `${phones.length} phones, ${[...held.values()].reduce((sum, { running }) => sum + running.length, 0)} running`,
      wrong,
    },
    {
      what: "No run is stuck",
      seen: "runs of running phones",
      wrong: runs.map(({ id, state }) => `${id} is ${state}.`),
    },
    {
      what: "Clients saw nothing of others, and no session after its end",
      seen: `${known.people.length} people`,
      wrong: known.violations,
    },
  ];
}

/** When every node has stopped. */
export async function checkAtRest(world: World, known: Remembered, lease: LeaseTimes): Promise<Finding[]> {
  return [
    ...(await checkUsage(world, known, lease)),
    await effects(world, known),
    await keys(world, known),
    await ledger(world),
    await audit(world),
    await erasures(world, known),
    await jobs(world),
    await events(world),
    guesses(known),
  ];
}

async function effects(world: World, known: Remembered): Promise<Finding> {
  const typed = new Map<string, number>();
  for (const one of world.journals()) if (one.what === "typed") typed.set(one.text, (typed.get(one.text) ?? 0) + 1);
  const wrong = [...typed]
    .filter(([, times]) => times > 1)
    .map(([word, times]) => `“${word}” was typed ${times} times.`);
  const states = new Map(
    (await world.query<{ id: string; state: string }>("select id, state from perch.runs")).map(({ id, state }) => [
      id,
      state,
    ]),
  );
  let passed = 0;
  for (const { ids, words, key } of known.keyed.filter((call) => call.words.length > 0)) {
    const [id] = ids;
    const state = id === undefined ? undefined : states.get(id);
    if (state !== "passed" && state !== "warned") continue;
    passed += 1;
    for (const word of words)
      if (typed.get(word) !== 1)
        wrong.push(`The run ${id} of ${key} has ${state}, and “${word}” was typed ${typed.get(word) ?? 0} times.`);
  }
  const odd = [...states].filter(([, state]) => state !== "queued" && !ENDED_RUN_STATES.some((one) => one === state));
  wrong.push(...odd.map(([id, state]) => `The run ${id} is ${state}, and no node is there.`));
  return {
    what: "Nothing was done twice on a phone, and what passed was done",
    seen: `${typed.size} words typed, ${states.size} runs, ${passed} passed of those that clients know`,
    wrong,
  };
}

async function keys(world: World, known: Remembered): Promise<Finding> {
  const wrong: string[] = [];
  for (const { kind, key, ids, tries } of known.keyed)
    if (ids.size > 1) wrong.push(`${kind} ${key}, asked ${tries} times, gave [${[...ids].join()}].`);
  const there = known.people.filter(({ erased }) => !erased);
  for (const person of there) {
    const mine = known.keyed.filter(({ by }) => by === person);
    const count = async (table: string, kind: string, where: string, value: string | undefined) => {
      const calls = mine.filter((call) => call.kind === kind);
      const unknown = calls.filter(({ ids, maybe }) => maybe && ids.size === 0).length;
      const done = calls.filter(({ ids }) => ids.size > 0).length;
      const [row] = await world.query<{ n: string }>(`select count(*) as n from perch.${table} where ${where}`, [
        value,
      ]);
      const n = Number(row?.n ?? 0);
      if (n < done || n > done + unknown)
        wrong.push(`${person.email}: ${done} to ${done + unknown} of ${kind} were asked for, and there are ${n}.`);
    };
    const launched = mine.filter(({ kind }) => kind === "launch");
    const phones = await world.query<{ id: string }>("select id from perch.phones where team_id = $1", [person.teamId]);
    const ids = new Set(phones.map(({ id }) => id));
    const told = new Set(launched.flatMap((call) => [...call.ids]));
    for (const id of told)
      if (!ids.has(id) && !person.removed.has(id)) wrong.push(`${person.email} was given ${id}, and it is not there.`);
    const untold = [...ids].filter((id) => !told.has(id)).length;
    const open = launched.filter((call) => call.maybe && call.ids.size === 0).length;
    if (untold > open)
      wrong.push(`${person.email} has ${untold} phones nobody was told of, for ${open} unknown calls.`);
    await count("runs", "run", "team_id = $1 and trigger not in ('rule', 'webhook', 'schedule')", person.teamId);
    await count("runs", "rule", "team_id = $1 and trigger = 'rule'", person.teamId);
    await count("runs", "webhook", "team_id = $1 and trigger = 'webhook'", person.teamId);
  }
  const repeated = known.keyed.filter(({ tries }) => tries > 1).length;
  return {
    what: "A call with one key has one effect, and what was answered is there",
    seen: `${known.keyed.length} keys, ${repeated} of them asked again`,
    wrong,
  };
}

async function ledger(world: World): Promise<Finding> {
  const grants = await world.query<{ id: string; remaining: string; counted: string }>(
    `select g.id, g.remaining, coalesce(sum(e.delta), 0) as counted from perch.grants g
     left join perch.ledger_entries e on e.grant_id = g.id group by g.id, g.remaining having g.remaining <> coalesce(sum(e.delta), 0)`,
  );
  const intervals = await world.query<{ id: string; rated: string; counted: string }>(
    `select i.id, round(extract(epoch from i.rated_at - i.started_at) * 1000) as rated, coalesce(sum(e.ms), 0) as counted
     from perch.usage_intervals i left join perch.ledger_entries e on e.interval_id = i.id and e.source = 'usage' group by i.id
     having round(extract(epoch from i.rated_at - i.started_at) * 1000) <> coalesce(sum(e.ms), 0)`,
  );
  const [all] = await world.query<{ n: string; ms: string }>(
    "select count(*) as n, coalesce(sum(ms), 0) as ms from perch.ledger_entries where source = 'usage'",
  );
  return {
    what: "The ledger is balanced: every balance is the sum of its entries, every rated millisecond is in it once",
    seen: `${all?.n ?? 0} entries of ${all?.ms ?? 0} ms`,
    wrong: [
      ...grants.map(({ id, remaining, counted }) => `The grant ${id} says ${remaining}, its entries ${counted}.`),
      ...intervals.map(
        ({ id, rated, counted }) => `The interval ${id} is rated for ${rated} ms, its entries say ${counted}.`,
      ),
    ],
  };
}

async function audit(world: World): Promise<Finding> {
  const lines: string[] = [];
  const say = (line: string) => void lines.push(line);
  const asked = {
    config: () => parseConfig(world.operator),
    clock: systemClock,
    readStdin: async () => "",
    out: say,
    error: say,
  };
  const problem = await runAdmin(["audit", "verify"], asked).catch((error: Error) => error.message);
  const broken = lines.filter((line) => !line.endsWith("intact"));
  return {
    what: "The audit chain is intact (`admin audit verify`)",
    seen: `${lines.length} chains`,
    wrong: [...broken, ...(typeof problem === "string" ? [problem] : [])],
  };
}

/** Everything of an account that is gone, in the database as text and in every file of every node. */
async function erasures(world: World, known: Remembered): Promise<Finding> {
  const rows = await world.query<{ id: string; state: string }>("select id, state from perch.erasures");
  const wrong = rows.filter(({ state }) => state !== "done").map(({ id, state }) => `The erasure ${id} is ${state}.`);
  const gone = known.people.filter(({ erased }) => erased);
  if (rows.length < gone.length)
    wrong.push(`${gone.length} people were erased, and ${rows.length} erasures are known.`);
  const program = "pg_dump";
  // The fence keeps the bare ids of who is gone, so that nobody writes them again.
  const dump = execFileSync(program, ["--data-only", "--exclude-table=perch.erasure_fence", world.databaseUrl], {
    maxBuffer: 1 << 30,
  });
  // Ids of who is gone stand beside the data too, for a backup that is put back.
  const files = filesBelow(world.folder).filter((file) => !/\.journal$|erasures(\.ledger)?$/.test(file));
  const contents = [
    ["the database", dump] as const,
    ...files.map((file) => [file.slice(world.folder.length), readFileSync(file)] as const),
  ];
  for (const person of gone) {
    const needles = [person.email, person.userId, ...(person.shared ? [] : [person.marker])];
    for (const needle of needles)
      for (const [where, bytes] of contents)
        if (bytes.includes(needle))
          wrong.push(`${needle} of an erased account stands in ${where}: ${around(bytes, needle)}`);
  }
  return {
    what: "Erasures are complete, and nothing of who is gone is left",
    seen: `${rows.length} erasures, ${dump.length} bytes of the database, ${files.length} files`,
    wrong,
  };
}

function around(bytes: Buffer, needle: string): string {
  const at = bytes.indexOf(needle);
  return JSON.stringify(bytes.subarray(Math.max(0, at - 120), at + 60).toString());
}

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}

async function jobs(world: World): Promise<Finding> {
  const rows = await world.query<{ kind: string; state: string; error: string | null; late: boolean }>(
    "select kind, state, error, run_at < now() - interval '1 minute' as late from perch.jobs",
  );
  const dead = rows.filter(({ state }) => state === "dead");
  const stuck = rows.filter(({ state, late }) => state === "running" || (state === "ready" && late));
  const exports = await world.query<{ id: string; state: string }>(
    "select id, state from perch.data_exports where state in ('waiting', 'running')",
  );
  return {
    what: "No job is lost or stuck",
    seen: `${rows.length} jobs`,
    wrong: [
      ...dead.map(({ kind, error }) => `A job ${kind} was given up: ${error}`),
      ...stuck.map(({ kind, state }) => `A job ${kind} is ${state}, and nobody works on it.`),
      ...exports.map(({ id, state }) => `The copy ${id} is ${state}.`),
    ],
  };
}

async function events(world: World): Promise<Finding> {
  const topics = await world.query<{ topic: string; seq: string; n: string; least: string; most: string }>(
    `select t.topic, t.seq, count(e.seq) as n, coalesce(min(e.seq), 1) as least, coalesce(max(e.seq), t.seq) as most
     from perch.topics t left join perch.events e on e.topic = t.topic group by t.topic, t.seq`,
  );
  const runs = await world.query<{ id: string; event_seq: string; n: string }>(
    `select r.id, r.event_seq, count(e.seq) as n from perch.runs r left join perch.run_events e on e.run_id = r.id
     group by r.id, r.event_seq having count(e.seq) <> r.event_seq or coalesce(max(e.seq), 0) <> r.event_seq`,
  );
  const total = topics.reduce((sum, { n }) => sum + Number(n), 0);
  const holes = topics.filter(
    ({ seq, n, least, most }) =>
      Number(n) > 0 && (Number(n) !== Number(most) - Number(least) + 1 || seq !== most || least !== "1"),
  );
  return {
    what: "Events of every topic and run are numbered without a gap",
    seen: `${total} events in ${topics.length} topics`,
    wrong: [
      ...holes.map(
        ({ topic, seq, n, least, most }) => `${topic}: ${n} events from ${least} to ${most}, the counter at ${seq}.`,
      ),
      ...runs.map(({ id, event_seq, n }) => `${id}: ${n} events, the counter at ${event_seq}.`),
    ],
  };
}

/** However many nodes are asked at once; a clock that is set forward gives what its time is worth. */
function guesses(known: Remembered): Finding {
  const { burst, everyMs } = LIMITS.signIn;
  const judged = known.guesses
    .filter((one) => one.judged)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  const slack = known.faults.some(({ kind }) => kind === "clock") ? 40_000 : 0;
  const wrong: string[] = [];
  for (const [n, from] of judged.entries())
    for (const [m, to] of judged.entries())
      if (m >= n && m - n + 1 > burst + (to - from + slack) / everyMs + 1)
        wrong.push(`${m - n + 1} guesses were judged within ${to - from} ms.`);
  return {
    what: "No more passwords can be tried at several nodes than at one",
    seen: `${known.guesses.length} guesses, ${judged.length} judged`,
    wrong: wrong.slice(0, 3),
  };
}
