/** What a crash, a stop or a person in the middle of an export leaves: never half an archive that can be had. */
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { newId } from "../../../shared/ids.ts";
import { ManualClock } from "../../clock.ts";
import { dataFolder } from "../../db/testing-run.ts";
import { FakeDriver } from "../../phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestServer } from "../../testing.ts";
import { EXPORT_JOB } from "./exports.service.ts";

describe("an export that is interrupted", () => {
  let kept: { folder: string; driver: FakeDriver; clock: ManualClock };
  let server: TestServer | undefined;
  beforeEach(() => {
    kept = { folder: dataFolder("perch-crash-"), driver: new FakeDriver(), clock: new ManualClock() };
  });
  afterEach(async () => {
    await server?.dispose();
    rmSync(kept.folder, { recursive: true, force: true });
  });
  const files = () => readdirSync(join(kept.folder, "data", "exports"));
  const stateOf = async (running: TestServer) =>
    (await running.db.read.select().from(running.db.t.dataExports)).map(({ state }) => state);

  it("ABUSE-39 by a crash begins anew, and what was half made is gone", async () => {
    const first = await startTestServer({}, kept);
    const anna = await signIn(first);
    const { dataExports, jobs } = first.db.t;
    const [id, at] = [newId("dataExport"), new Date(kept.clock.now())];
    // As a process leaves it that dies while it writes.
    await first.db.tx(async (tx) => {
      await tx
        .insert(dataExports)
        .values({ id, userId: anna.userId, state: "running", askedAt: at, rows: 3, idempotencyKey: "the-only-key" });
      await tx.insert(jobs).values({
        ...{ id: newId("job"), kind: EXPORT_JOB, input: { exportId: id }, state: "running", runAt: at, attempt: 1 },
        ...{ maxAttempts: 5, lockKey: `export:${anna.userId}`, createdAt: at, node: "gone", leaseUntil: at },
      });
    });
    const folder = join(kept.folder, "data", "exports");
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, `${id}.part`), "half");
    const orphan = newId("dataExport");
    writeFileSync(join(folder, orphan), "nobody's");
    const refused = await call(first, "mutation", "privacy.downloadExport", { exportId: id }, anna.token);
    expect(refused).toMatchObject({ ok: false, error: { code: "conflict" } });
    await first.dispose();

    const second = await startTestServer({}, kept);
    server = second;
    await vi.waitUntil(async () => (await stateOf(second)).join() === "ready", 20_000);
    expect(await call(second, "mutation", "privacy.downloadExport", { exportId: id }, anna.token)).toMatchObject({
      ok: true,
    });
    kept.clock.advance(3_600_000);
    await vi.waitUntil(() => !files().includes(orphan), 10_000);
    expect(files()).toEqual([id]);
  });

  it("by a stop of the server waits for the next start, and one that is removed ends", async () => {
    const running = await startTestServer({}, kept);
    server = running;
    const anna = await signIn(running);
    const launched = await call(
      running,
      "mutation",
      "phones.launch",
      { idempotencyKey: "the-first-phone" },
      anna.token,
    );
    if (!launched.ok) throw new Error(launched.error.message);
    const [phone] = running.phones.stored.keys();
    if (phone !== undefined) running.phones.save(phone, "a.txt", "text");
    let release: () => void = () => {};
    const read = vi.spyOn(running.phones.files, "read").mockImplementation(async () => {
      const { promise, resolve } = Promise.withResolvers<void>();
      release = resolve;
      return new ReadableStream({
        async pull(controller) {
          await promise;
          controller.close();
        },
      });
    });
    const begin = async (idempotencyKey: string) => {
      const answer = await call(running, "mutation", "privacy.export", { idempotencyKey }, anna.token);
      if (!answer.ok) throw new Error(answer.error.message);
      await vi.waitUntil(() => read.mock.calls.length > 0, 10_000);
      read.mockClear();
      return (answer.data as { id: string }).id;
    };

    const removed = await begin("the-first-key");
    await call(running, "mutation", "privacy.revokeExport", { exportId: removed }, anna.token);
    release();
    await vi.waitUntil(() => files().length === 0, 10_000);
    expect(await stateOf(running)).toEqual(["revoked"]);

    const stopped = await begin("another-key");
    const closing = running.close();
    release();
    await closing;
    expect(files()).toEqual([]);
    read.mockRestore();

    const next = await startTestServer({}, kept);
    server = next;
    kept.clock.advance(60_000);
    await vi.waitUntil(async () => (await stateOf(next)).includes("ready"), 20_000);
    expect(files()).toEqual([stopped]);
  });
});
