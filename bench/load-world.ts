/** The processes of the `load` benchmark: nodes of the bundled server, the bare one beside them, and who asks. */
import { copyFile, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { createTRPCClient, httpLink, type TRPCClient } from "@trpc/client";
import { bundleServer, THREADS } from "../scripts/server-bundle.ts";
import type { AppRouter } from "../server/app.router.ts";
import { newId, type PhoneId, type RuleId } from "../shared/ids.ts";
import { parseRule } from "../shared/rules/parse-rule.ts";
import { type Child, startChild } from "./child.ts";
import type { Load, LoadResult } from "./http-load.ts";
import type { BareOrder } from "./load-bare.ts";
import type { GeneratorAnswer, GeneratorOrder, Watched } from "./load-generator.ts";
import type { LoadPerson, NodeAnswer, NodeOrder } from "./load-node.ts";
import { freshKey } from "./world.ts";

export interface LoadNode {
  readonly pid: number;
  readonly port: number;
  people(count: number, phones: number): Promise<readonly LoadPerson[]>;
  pictures(of: Extract<NodeOrder, { do: "pictures" }>["of"]): Promise<void>;
  memoryMB(): Promise<number>;
}
export type Bare = Omit<LoadNode, "people"> & { answer(json: unknown): Promise<void> };

export interface Generator {
  load(of: Load): Promise<LoadResult>;
  hold(of: Omit<Extract<GeneratorOrder, { do: "hold" }>, "do">): Promise<number>;
  held(): Promise<number>;
  watch(measureMs: number): Promise<Watched>;
  release(): Promise<void>;
}

export interface LoadWorld {
  /** Over the database of an address, or over SQLite in a folder of its own. */
  node(name: string, databaseUrl?: string): Promise<LoadNode>;
  bare(): Promise<Bare>;
  generator(): Generator;
  /** Ends every process so far; the folder stays. */
  endAll(): Promise<void>;
  close(): Promise<void>;
}

const BUNDLE = "dist/bench";

export async function openLoadWorld(): Promise<LoadWorld> {
  await bundleServer(BUNDLE, { "load-node": "bench/load-node.ts", ...THREADS });
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const ends: (() => Promise<void>)[] = [];
  let key: string | undefined;
  let networks = 0;
  function started<Order, Answer>(program: URL, env?: Record<string, string>): Child<Order, Answer> {
    const child = startChild<Order, Answer>(program, env);
    ends.push(() => child.end());
    return child;
  }
  async function endAll(): Promise<void> {
    for (const end of ends.splice(0).reverse()) await end();
  }
  return {
    async node(name, databaseUrl) {
      const keyFile = join(folder, `${name}.key`);
      if (key !== undefined) await copyFile(key, keyFile);
      networks += 1;
      const child = started<NodeOrder, NodeAnswer>(pathToFileURL(resolve(BUNDLE, "load-node.js")), {
        ...{ PORT: "0", DATA_DIR: join(folder, name), KEY_FILE: keyFile, BILLING: "off", NODE_NAME: name },
        ...{ PHONES_PER_TEAM: "100", RUNNING_PER_TEAM: "100", RUNNING_PHONES: "500", WARM_PHONES: "0" },
        // Who asks stands behind a proxy that says for whom, so that each is counted in a network of their own.
        ...{ TRUSTED_PROXIES: "127.0.0.1", LOAD_NETWORK: String(networks % 2) },
        ...(databaseUrl && { DATABASE_URL: databaseUrl, NODE_ADDRESS: "127.0.0.1:0", NODE_PORT: "0" }),
      });
      const port = asNumber(await child.ask({ do: "port" }));
      key ??= keyFile;
      return {
        pid: child.pid,
        port,
        people: async (count, phones) => asPeople(await child.ask({ do: "people", count, phones })),
        pictures: async (of) => void (await child.ask({ do: "pictures", of })),
        memoryMB: async () => asNumber(await child.ask({ do: "memory" })),
      };
    },
    async bare() {
      const child = started<BareOrder, number | undefined>(new URL("./load-bare.ts", import.meta.url));
      return {
        pid: child.pid,
        port: asNumber(await child.ask({ do: "port" })),
        answer: async (json) => void (await child.ask({ do: "answer", with: json })),
        pictures: async (of) => void (await child.ask({ do: "pictures", of })),
        memoryMB: async () => asNumber(await child.ask({ do: "memory" })),
      };
    },
    generator() {
      const child = started<GeneratorOrder, GeneratorAnswer>(new URL("./load-generator.ts", import.meta.url));
      return {
        load: async (of) => (await child.ask({ do: "load", ...of })) as LoadResult,
        hold: async (of) => asNumber(await child.ask({ do: "hold", ...of })),
        held: async () => asNumber(await child.ask({ do: "held" })),
        watch: async (measureMs) => (await child.ask({ do: "watch", measureMs })) as Watched,
        release: async () => void (await child.ask({ do: "release" })),
      };
    },
    endAll,
    async close() {
      await endAll();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Each order has one sort of answer. */
function asNumber(answer: unknown): number {
  return answer as number;
}
function asPeople(answer: NodeAnswer): readonly LoadPerson[] {
  return answer as readonly LoadPerson[];
}

export function headersOf({ token, from }: LoadPerson): Record<string, string> {
  return { Authorization: `Bearer ${token}`, "X-Forwarded-For": from };
}

function api(port: number, person: LoadPerson): TRPCClient<AppRouter> {
  return createTRPCClient<AppRouter>({
    links: [httpLink({ url: `http://localhost:${port}/trpc`, headers: headersOf(person) })],
  });
}

/** The same people, with so many running phones each. */
export async function withRunningPhones(
  port: number,
  people: readonly LoadPerson[],
  phones: number,
): Promise<readonly LoadPerson[]> {
  const all: LoadPerson[] = [];
  for (const person of people) {
    const ids: PhoneId[] = [];
    for (let n = 0; n < phones; n += 1) {
      ids.push((await api(port, person).phones.launch.mutate({ idempotencyKey: freshKey() })).id);
    }
    all.push({ ...person, phones: ids });
  }
  return all;
}

/** A rule that a click starts, with a flow of one step on the first phone. */
export async function makeRule(port: number, person: LoadPerson): Promise<RuleId> {
  const { flows, rules } = api(port, person);
  const source = "url: https://a.example/\n---\n- inputText: hello\n";
  const flow = await flows.save.mutate({ name: "Load", source });
  const parsed = parseRule({
    ...{ id: newId("rule"), name: "Load", when: { all: [] }, scope: [], mode: { parallel: 10 } },
    ...{ caps: { hour: 200, day: 1_000 }, action: { flowId: flow.id, phone: person.phones[0] } },
  });
  if (!parsed.ok) throw new Error(parsed.problems.map(({ message }) => message).join(" "));
  await rules.save.mutate({ rule: parsed.rule });
  return parsed.rule.id;
}
