/** What every signed-in call pays first: who holds this token. Beside a bare prepared read by the same hash. */
import { hashSecret } from "../server/accounts/secrets.ts";
import { openBare } from "./bare-database.ts";
import { type Benchmark, type Figure, spread } from "./benchmark.ts";
import { startWorld } from "./world.ts";

const PEOPLE = 200;
const ROUNDS = 25;
const CHECKS_A_ROUND = 2_000;

export const sessionCheck: Benchmark = {
  name: "session-check",
  title: "Session check",
  about:
    `\`sessions.find\` with the tokens of ${PEOPLE} sessions in turn: token hashed, session with person, team and role read by one prepared ` +
    "statement, limits of time and the odd use looked at. Beside bare better-sqlite3 that hashes the token and reads one row by it from an " +
    `encrypted file with the same settings. ${ROUNDS} interleaved rounds of ${CHECKS_A_ROUND} checks, one after the other.`,
  run: benchSessionCheck,
};

async function benchSessionCheck(): Promise<readonly Figure[]> {
  const world = await startWorld({ env: { WARM_PHONES: "0", CHROME_PATH: process.execPath } });
  const bare = await openBare(
    "create table sessions (token_hash text primary key, user_id text, team_id text, role text, seen_at integer)",
  );
  try {
    const { db, accounts } = world.server;
    const about = { requestId: "", ip: "127.0.0.1", userAgent: "benchmark" };
    const { userId, teamId } = await world.account();
    const insert = bare.db.prepare("insert into sessions values (?, ?, ?, ?, ?)");
    const tokens: string[] = [];
    for (let n = 0; n < PEOPLE; n += 1) {
      const at = new Date();
      const { token } = await db.tx((tx) =>
        accounts.sessions.create(tx, { userId, kind: "extension", authenticatedAt: at, method: "password", about }),
      );
      tokens.push(token);
      insert.run(hashSecret(token), userId, teamId, "owner", at.getTime());
    }
    const read = bare.db.prepare("select * from sessions where token_hash = ?");
    const ours = async (token: string) => {
      const actor = await accounts.sessions.find(token, about);
      if (actor === undefined || actor === "ended") throw new Error("The benchmark's session has ended.");
    };
    const theirs = async (token: string) => {
      if (read.get(hashSecret(token)) === undefined) throw new Error("The benchmark's row is gone.");
    };
    const times = { ours: [] as number[], theirs: [] as number[] };
    for (let round = 0; round < ROUNDS; round += 1) {
      times.ours.push(await oneRound(tokens, ours));
      times.theirs.push(await oneRound(tokens, theirs));
    }
    const beside = { name: "bare prepared read", median: spread(times.theirs).median };
    return [{ name: "session check", unit: "µs", ...spread(times.ours), beside, aim: { of: "median", atMost: 100 } }];
  } finally {
    await bare.close();
    await world.close();
  }
}

/** Microseconds a check. */
async function oneRound(tokens: readonly string[], check: (token: string) => Promise<void>): Promise<number> {
  const start = performance.now();
  for (let n = 0; n < CHECKS_A_ROUND; n += 1) await check(tokens[n % tokens.length] ?? "");
  return ((performance.now() - start) * 1_000) / CHECKS_A_ROUND;
}
