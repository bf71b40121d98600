import { describe, expect, it } from "vitest";
import { createReadiness, type Finding } from "./readiness.ts";

const monotonic = { time: 0, now: () => monotonic.time };
const never = () => new Promise<Finding>(() => {});

describe("readiness", () => {
  it("asks every check, and only a failed one refuses traffic", async () => {
    const readiness = createReadiness({
      monotonic,
      checks: { database: () => ["ok", "It takes writes."], mail: () => ["warn", "Mail is late."] },
    });
    expect(await readiness()).toEqual({
      ready: true,
      checks: [
        { name: "database", state: "ok", says: "It takes writes.", ms: 0 },
        { name: "mail", state: "warn", says: "Mail is late.", ms: 0 },
      ],
    });
    const failing = createReadiness({
      monotonic,
      checks: {
        ok: () => ["ok", ""],
        thrown: () => {
          throw new Error("connect ECONNREFUSED 10.1.2.3 for Anna");
        },
      },
    });
    const { ready, checks } = await failing();
    expect(ready).toBe(false);
    expect(checks[1]).toMatchObject({ state: "fail", says: expect.not.stringContaining("Anna") });
  });

  it("does not wait for what hangs, and starts it once", async () => {
    let started = 0;
    const readiness = createReadiness({
      ...{ monotonic, limitMs: 20, freshMs: 0 },
      checks: {
        hangs() {
          started += 1;
          return never();
        },
      },
    });
    for (let times = 0; times < 3; times += 1) {
      expect(await readiness()).toMatchObject({ ready: false, checks: [{ says: "No answer within 0.02 seconds." }] });
    }
    expect(started).toBe(1);
  });

  it("looks at most once a second, however many ask", async () => {
    let looked = 0;
    const readiness = createReadiness({
      monotonic,
      checks: {
        one() {
          looked += 1;
          return ["ok", ""];
        },
      },
    });
    await Promise.all([readiness(), readiness(), readiness()]);
    expect(looked).toBe(1);
    monotonic.time += 999;
    await readiness();
    expect(looked).toBe(1);
    monotonic.time += 1;
    await readiness();
    expect(looked).toBe(2);
  });
});
