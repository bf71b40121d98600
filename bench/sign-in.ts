/** Signing in through the page, beside the one password check it cannot do without. */
import { hash, verify } from "@node-rs/argon2";
import { ARGON2 } from "../server/accounts/passwords.ts";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";
import { startWorld, type World } from "./world.ts";

const PEOPLE = 20;
/** One person may sign in ten times at once; then they wait. */
const EACH = 9;
const AT_ONCE = 4;
const PASSWORD = "four quiet herons wade";

export const signIn: Benchmark = {
  name: "sign-in",
  title: "Sign-in",
  about:
    `The form of \`/sign-in\` posted by ${PEOPLE} people, ${EACH} times each, one after the other over kept connections, beside the bare ` +
    "argon2id check (19 MiB, two passes) of the same password, interleaved. An answer is a session: limits, the check, a transaction " +
    "with session and audit entry flushed to disk, the cookie. Wrong password: the same form, refused, counted and written down. " +
    `At once: ${AT_ONCE} of them together, for each.`,
  run: benchSignIn,
};

async function benchSignIn(): Promise<readonly Figure[]> {
  const world = await startWorld({
    env: { WARM_PHONES: "0", CHROME_PATH: process.execPath, TRUSTED_PROXIES: "127.0.0.1" },
  });
  try {
    const people = [];
    for (let n = 0; n < PEOPLE; n += 1) {
      const email = `someone${n}@example.com`;
      await world.server.accounts.accounts.create({ email, password: PASSWORD }, "server");
      people.push({ email, ip: `198.51.100.${n + 1}` });
    }
    const phc = await hash(PASSWORD, { ...ARGON2, outputLen: 32 });
    const bare = async () => void (await verify(phc, PASSWORD));
    const times = { right: [] as number[], wrong: [] as number[], together: [] as number[], bare: [] as number[] };
    for (let round = 0; round < EACH; round += 1) {
      for (let first = 0; first < PEOPLE; first += AT_ONCE) {
        const group = people.slice(first, first + AT_ONCE);
        if (round === EACH - 1) {
          const start = performance.now();
          await Promise.all(group.map((person) => post(world, person, PASSWORD, 303)));
          times.together.push((performance.now() - start) / AT_ONCE);
          continue;
        }
        for (const person of group) {
          times.bare.push(await timed(bare));
          const isWrong = round === EACH - 2;
          const took = await timed(() =>
            isWrong ? post(world, person, `${PASSWORD}s`, 401) : post(world, person, PASSWORD, 303),
          );
          // The first round is the first time each is seen; it warms up too.
          if (round > 0) (isWrong ? times.wrong : times.right).push(took);
        }
      }
    }
    const beside = { name: "bare argon2id check", median: median(times.bare) };
    return [
      { name: "signing in", unit: "ms", ...spread(times.right), beside, aim: { of: "p95", atMost: 40 } },
      { name: "signing in", unit: "ms", ...spread(times.right), beside, aim: { of: "ratio", atMost: 2 } },
      { name: "a wrong password", unit: "ms", ...spread(times.wrong), beside },
      { name: `signing in, ${AT_ONCE} at once, for each`, unit: "ms", ...spread(times.together), beside },
    ];
  } finally {
    await world.close();
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function post(
  world: World,
  person: { email: string; ip: string },
  password: string,
  expected: number,
): Promise<void> {
  const response = await fetch(`${world.server.url}/sign-in`, {
    method: "POST",
    redirect: "manual",
    headers: {
      Origin: world.server.url,
      "Content-Type": "application/x-www-form-urlencoded",
      "X-Forwarded-For": person.ip,
      "User-Agent":
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
    },
    body: new URLSearchParams({ email: person.email, password }),
  });
  await response.arrayBuffer();
  if (response.status !== expected) throw new Error(`Signing in answered ${response.status} instead of ${expected}.`);
}
