/** An authenticated tRPC query beside bare `node:http` with the same read. */
import { fork } from "node:child_process";
import { once } from "node:events";
import type { Benchmark, Figure } from "./benchmark.ts";
import { median, spread } from "./benchmark.ts";
import { type Load, load } from "./http-load.ts";
import type { Ready } from "./trpc-server.ts";

const CONNECTIONS = 16;
const ROUNDS = 5;
const ROUND_MS = 2_000;
const SINGLE_MS = 1_000;

type Target = Pick<Load, "port" | "requests">;

export const trpc: Benchmark = {
  name: "trpc",
  title: "tRPC query with authentication",
  about:
    "`phones.list` with 3 phones through every guard (host, CORS, bearer token, role, rate limit, output as clients " +
    "get it) beside bare `node:http` that runs the same prepared read and writes the same JSON. One server process, " +
    `${CONNECTIONS} kept connections from another process, ${ROUNDS} interleaved rounds of ${ROUND_MS / 1_000} s. The server's clock runs ` +
    "a thousand times faster, so that the rate limit is counted for every call and refuses none.",
  run: benchTrpc,
};

async function benchTrpc(): Promise<readonly Figure[]> {
  const child = fork(new URL("./trpc-server.ts", import.meta.url), { serialization: "json" });
  try {
    const ready = asReady((await once(child, "message"))[0]);
    const list = (token: string): Target => ({
      port: ready.port,
      requests: [{ path: "/trpc/phones.list", headers: { Authorization: `Bearer ${token}` } }],
    });
    const bareAt = (path: string): Target => ({ port: ready.barePort, requests: [{ path, headers: {} }] });
    const query = list(ready.token);
    const bare = bareAt("/");
    const bareWithToken = bareAt("/authenticated");
    const withSession = list(ready.session);
    const bareWithSession = bareAt("/session");
    const rates = new Map(
      [query, bare, bareWithToken, withSession, bareWithSession].map((target) => [target, [] as number[]]),
    );
    for (const target of rates.keys()) await load({ ...target, connections: CONNECTIONS, durationMs: ROUND_MS });
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const [target, taken] of rates) {
        taken.push((await load({ ...target, connections: CONNECTIONS, durationMs: ROUND_MS })).requestsPerSecond);
      }
    }
    const rate = (target: Target) => median(rates.get(target) ?? []);
    const single = await load({ ...query, connections: 1, durationMs: SINGLE_MS });
    const bareSingle = await load({ ...bare, connections: 1, durationMs: SINGLE_MS });
    return [
      {
        name: "phones.list, 16 connections",
        unit: "1/s",
        median: rate(query),
        beside: { name: "bare node:http, same read", median: rate(bare) },
        aim: { of: "ratio", atLeast: 0.28 },
      },
      {
        name: "phones.list, 16 connections",
        unit: "1/s",
        median: rate(query),
        beside: { name: "bare node:http, same read and token look-up", median: rate(bareWithToken) },
      },
      {
        name: "phones.list by a session, 16 connections",
        unit: "1/s",
        median: rate(withSession),
        beside: { name: "bare node:http, same read and session look-up", median: rate(bareWithSession) },
      },
      {
        name: "phones.list, one connection",
        unit: "ms",
        ...spread(single.times),
        beside: { name: "bare node:http, same read", median: median(bareSingle.times) },
      },
    ];
  } finally {
    if (child.connected) child.disconnect();
    if (child.exitCode === null) await once(child, "exit");
  }
}

/** The child sends nothing else. */
function asReady(message: unknown): Ready {
  return message as Ready;
}
