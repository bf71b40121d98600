/** Pictures and reports of runs, asked for at a node that did not make them. */
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterEach, describe, expect, it, vi } from "vitest";
import { type PhoneId, phoneId, type RunId } from "../../shared/ids.ts";
import { systemClock } from "../clock.ts";
import { startFakeS3 } from "../files/testing/fake-s3.ts";
import { call, signIn, type TestPerson } from "../testing.ts";
import { type Cluster, openCluster, QUICK, type TestNode } from "./testing/cluster.ts";

const url = process.env["TEST_DATABASE_URL"];
const PICTURE = "url: https://a.example/\n---\n- takeScreenshot: done\n";

describe.skipIf(url === undefined)("files of runs of several nodes (need TEST_DATABASE_URL)", () => {
  let cluster: Cluster;
  afterEach(() => cluster.dispose());

  /** Two nodes, and a run that has ended at `b`. */
  async function ranAtB(env: Record<string, string> = {}) {
    cluster = await openCluster(url ?? "", QUICK);
    const b = await cluster.start("b", env);
    const person = await signIn(b);
    const id = phoneId.parse(
      (await asked<{ id: string }>(b, person, "phones.launch", { idempotencyKey: "the-phone" })).id,
    );
    const input = { source: PICTURE, phoneId: id, idempotencyKey: "the-only-run" };
    const { runId } = await asked<{ runId: RunId }>(b, person, "runs.start", input);
    const { runs } = b.db.t;
    await vi.waitFor(
      async () => {
        const [row] = await b.db.read.select().from(runs).where(eq(runs.id, runId));
        expect(row?.state).toBe("passed");
      },
      { timeout: 8_000, interval: 20 },
    );
    const a = await cluster.start("a", env);
    return { a, b, person, id, runId };
  }
  async function asked<T>(at: TestNode, person: TestPerson, path: string, input: unknown, type = "mutation" as const) {
    const answer = await call(at, type, path, input, person.token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.message}`);
    return answer.data as T;
  }
  const fileAt = async (at: TestNode, { token }: TestPerson, path: string) => {
    const answer = await fetch(`${at.url}${path}`, { headers: { authorization: `Bearer ${token}` } });
    return { status: answer.status, bytes: (await answer.arrayBuffer()).byteLength };
  };
  const moveTo = async (at: TestNode, id: PhoneId) => {
    const { phones } = at.db.t;
    await at.db.tx((tx) =>
      tx.update(phones).set({ nodeId: at.membership.id, state: "parked" }).where(eq(phones.id, id)),
    );
  };

  it("come from the node that made them, also when their phone has moved on, and not without it", async () => {
    const { a, b, person, id, runId } = await ranAtB();
    const picture = `/runs/${runId}/artifacts/done.png`;
    expect(await fileAt(a, person, picture)).toMatchObject({ status: 200 });
    expect(await fileAt(a, person, `/runs/${runId}/junit.xml`)).toMatchObject({ status: 200 });
    await moveTo(a, id);
    const there = await fileAt(a, person, picture);
    expect(there).toEqual(await fileAt(b, person, picture));
    expect(there.bytes).toBeGreaterThan(10);
    await b.close();
    cluster.nodes.splice(cluster.nodes.indexOf(b), 1);
    await a.membership.look();
    expect((await fileAt(a, person, picture)).status).toBe(503);
  });

  it("go from every node that lives when their owner is erased, whichever does it", async () => {
    const { a, person, runId } = await ranAtB();
    const copied = join(cluster.folder, "a", "runs", runId);
    const places = [copied, join(cluster.folder, "b", "runs", runId)];
    cpSync(places[1] ?? "", copied, { recursive: true });
    const confirmation = `${person.userId.toLowerCase()}@x.example`;
    await asked(a, person, "privacy.delete", { idempotencyKey: "delete-account", confirmation, now: true });
    const { erasures } = a.db.t;
    await vi.waitFor(async () => expect((await a.db.read.select().from(erasures))[0]?.state).toBe("done"), {
      timeout: 8_000,
      interval: 20,
    });
    expect(places.map((place) => existsSync(place))).toEqual([false, false]);
  });

  it("come from any node where they are in a bucket, without the node that made them", async () => {
    const s3 = await startFakeS3(systemClock);
    const { endpoint, region, bucket, accessKeyId, secretAccessKey } = s3.access;
    const { a, b, person, runId } = await ranAtB({
      ...{ S3_ENDPOINT: endpoint, S3_REGION: region, S3_BUCKET: bucket },
      ...{ S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey },
    });
    await b.close();
    cluster.nodes.splice(cluster.nodes.indexOf(b), 1);
    await a.membership.look();
    expect(await fileAt(a, person, `/runs/${runId}/artifacts/done.png`)).toMatchObject({ status: 200 });
    expect(await fileAt(a, person, `/runs/${runId}/junit.xml`)).toMatchObject({ status: 200 });
    await cluster.closeAll();
    await s3.close();
  });
});
