import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, onTestFinished } from "vitest";
import { openNeglected, seedNeglected, sweepNeglected, writeAlong, writeThrough } from "./neglected.fixture.ts";

/** `npm run prove -- sweep` does it with ten million. */
const ROWS = Number(process.env["SWEEP_ROWS"] ?? 3_000);

it("removes what is long due while others write, all of it and nothing else", { timeout: 900_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-sweep-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "perch.db");
  const world = { file, key: randomBytes(32), rows: ROWS, topics: 100, now: 1_800_000_000_000 };
  const due = await seedNeglected(world);
  const size = statSync(file).size;
  const db = await openNeglected(world);
  const write = writeThrough(db);
  let asked = 0;
  const writer = writeAlong((n) => {
    asked += 1;
    return write(n);
  });
  const started = performance.now();
  expect(await sweepNeglected(db, world.now)).toBe(due);
  const seconds = (performance.now() - started) / 1_000;
  const taken = [...(await writer.stop())].sort((a, b) => a - b);
  expect(taken).toHaveLength(asked);
  expect(await db.read.$count(db.t.rateLimits)).toBe(Math.min(asked, 1_000));
  expect(await db.read.$count(db.t.events)).toBe(ROWS - due);
  const log = statSync(`${file}-wal`).size;
  expect(log).toBeLessThan(64_000_000);
  await db.close();
  const part = (of: number) => `${(taken[Math.ceil(taken.length * of) - 1] ?? 0).toFixed(1)} ms`;
  const mb = (bytes: number) => `${Math.round(bytes / 1e6)} MB`;
  console.log(
    `${due} rows removed in ${seconds.toFixed(1)} s (file ${mb(size)}, log ${mb(log)}), ${asked} writes meanwhile: median ${part(0.5)}, 99th percentile ${part(0.99)}, longest ${part(1)}`,
  );
});
