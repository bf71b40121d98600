import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type TestDatabase, testSqlite } from "../../../../../db/testing.ts";
import { preflight } from "../preflight.ts";
import { type Containers, IMAGE, openContainers, specOf, until } from "../testing/fixture.ts";
import { openClusterEngine } from "./cluster-engine.ts";
import { exitCodeOf } from "./pod-exec.ts";
import { fromLabels, objectName, toLabels } from "./pod-plans.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";

const MINUTE = 60_000;
const always = new AbortController().signal;
const SETTINGS = { namespace: "perch-phones", nodes: { "perch.phones": "yes" }, storageClass: "encrypted", diskGb: 16 };

describe("phones as pods", () => {
  let database: TestDatabase;
  let folder: string;
  let cluster: FakeCluster;
  let under: Containers;
  beforeAll(async () => {
    database = await testSqlite.open();
    folder = mkdtempSync(join(tmpdir(), "cluster-"));
  });
  afterAll(async () => {
    await database.dispose();
    rmSync(folder, { recursive: true, force: true });
  });
  const open = (removeMs = 5_000) =>
    openClusterEngine({ ...SETTINGS, config: join(folder, "config"), lookEachMs: 2, removeMs });
  beforeEach(async () => {
    cluster = await FakeCluster.start(async () => ({ port: 1, close() {} }));
    writeFileSync(join(folder, "config"), cluster.kubeconfig);
    under = await openContainers(database, { open: () => open() });
    const place = { address: "kubernetes:perch-phones", certFolder: undefined, capacity: 3, region: "here" };
    await under.hosts.add({ name: "cluster", ...place }, "test");
  });
  afterEach(async () => {
    await under.close();
    await cluster.close();
    const { phoneContainers, phoneHosts, phones } = database.db.t;
    await database.db.tx(async (tx) => {
      for (const table of [phoneContainers, phoneHosts, phones]) await tx.delete(table);
    });
  });

  async function made() {
    const { source, events } = under.startSource();
    await source.recover();
    const id = await under.addPhone();
    await source.create(specOf(id));
    return { source, events, id };
  }
  async function running() {
    const { source, events, id } = await made();
    await source.start(specOf(id), always);
    await under.setState(id, "running");
    return { source, events, id };
  }

  it("are made, started, parked with their claim, started again, and wiped with their volume", async () => {
    const { source, id } = await running();
    expect(await source.state(id)).toBe("running");
    const pod = cluster.phone(id);
    expect(fromLabels(pod.body.metadata?.labels)).toMatchObject({
      ...{ "perch.phone": id, "perch.server": "0123456789abcdef", "perch.part": "phone" },
    });
    expect(pod.body.spec).toMatchObject({
      ...{ restartPolicy: "Never", automountServiceAccountToken: false, enableServiceLinks: false },
      nodeSelector: { "perch.phones": "yes" },
      containers: [
        {
          ...{ image: IMAGE.image, securityContext: { privileged: true }, volumeMounts: [{ mountPath: "/data" }] },
          resources: {
            limits: { memory: "3221225472", cpu: "2000m" },
            requests: { memory: "3221225472", cpu: "2000m" },
          },
        },
      ],
    });
    const [[name, claim] = ["", undefined]] = cluster.claims;
    expect(claim?.body.spec).toMatchObject({
      ...{
        accessModes: ["ReadWriteOnce"],
        storageClassName: "encrypted",
        resources: { requests: { storage: "16Gi" } },
      },
    });
    claim?.files.set("data/app.db", 700).set("media/0/a.jpg", 300);

    await source.park(id);
    await source.park(id);
    expect([cluster.pods.size, cluster.claims.size]).toEqual([0, 1]);
    expect(await source.state(id)).toBe("parked");
    await source.start(specOf(id), always);
    expect(cluster.phone(id).id).not.toBe(pod.id);
    expect([...cluster.claims.keys()]).toEqual([name]);

    expect(await source.remove(id, undefined)).toMatchObject({ files: 2, bytes: 1_000, verifiedAbsent: true });
    expect([cluster.pods.size, cluster.claims.size, cluster.persistent.size]).toEqual([0, 0, 0]);
    expect(await source.state(id)).toBe("absent");
  });

  it("are taken over by a server that starts anew, and made anew where they were made otherwise", async () => {
    const { source, id } = await running();
    const first = cluster.phone(id).id;
    await source.close();
    const again = under.startSource();
    expect(await again.source.recover()).toEqual([{ id, state: "running" }]);
    await again.source.start(specOf(id), always);
    expect(cluster.phone(id).id).toBe(first);
    Object.assign(cluster.phone(id).body.metadata?.labels ?? {}, { "perch.plan": "another" });
    await again.source.start(specOf(id), always);
    expect(cluster.phone(id).id).not.toBe(first);
  });

  it("are not wiped while their volume is there, as one that its class retains", async () => {
    const { source, id } = await running();
    await source.park(id);
    cluster.reclaimPolicy = "Retain";
    const engine = await open(30);
    const [volume] = await engine.volumes("perch.server=0123456789abcdef");
    expect(volume).toMatchObject({ name: `perch-${id}`, labels: { "perch.phone": id } });
    // The claim goes at once; that the volume stayed is found out however often it is asked.
    for (const _ of [1, 2]) {
      await expect(engine.removeVolume(`perch-${id}`)).rejects.toThrow("reclaimPolicy Delete");
      expect(cluster.claims.has(objectName(`perch-${id}`))).toBe(false);
      expect(await engine.hasVolume(`perch-${id}`)).toBe(true);
    }
    cluster.persistent.clear();
    await engine.removeVolume(`perch-${id}`);
    expect(await source.remove(id, undefined)).toMatchObject({ verifiedAbsent: true });
    engine.close();
  });

  it("stay, with their claim, where their node does not let go of them", async () => {
    const { id } = await running();
    cluster.silentNode = true;
    const engine = await open(30);
    const facts = await engine.inspect(`perch-${id}`);
    await expect(engine.remove(facts?.id ?? "")).rejects.toMatchObject({ kind: "refused" });
    expect([cluster.pods.size, cluster.claims.size]).toEqual([1, 1]);
    engine.close();
  });

  it("have ended when they are evicted, also where nobody told, and begin elsewhere with their claim", async () => {
    const { source, events, id } = await running();
    await until(() => cluster.watching === 1);
    await cluster.evict(cluster.phone(id));
    await until(() => events.length > 0);
    expect(events).toEqual([{ type: "ended", phoneId: id, reason: "host_gone" }]);
    await source.start(specOf(id), always);
    await cluster.evict(cluster.phone(id), { silent: true });
    under.clock.advance(20_000);
    await source.tick();
    expect(events.at(-1)).toEqual({ type: "ended", phoneId: id, reason: "host_gone" });
    expect(cluster.claims.size).toBe(1);
  });

  it("have ended when memory ran out", async () => {
    const { events, id } = await running();
    await until(() => cluster.watching === 1);
    await cluster.outOfMemory(cluster.phone(id));
    await until(() => events.length > 0);
    expect(events).toEqual([{ type: "ended", phoneId: id, reason: "out_of_memory" }]);
  });

  it("are unknown while their node is silent, found when it is back, and fail when it stays away", async () => {
    const { source, events, id } = await running();
    await until(() => cluster.watching === 1);
    cluster.node(cluster.phone(id), false);
    await until(() => events.length === 1);
    expect(await source.state(id)).toBe("unknown");
    cluster.node(cluster.phone(id), true);
    await until(() => events.length === 2);
    expect(await source.state(id)).toBe("running");
    expect(events).toEqual([1, 2].map(() => ({ type: "hint", phoneId: id })));
    cluster.node(cluster.phone(id), false);
    await until(() => events.length === 3);
    under.clock.advance(14 * MINUTE);
    await source.tick();
    expect(events).toHaveLength(3);
    under.clock.advance(2 * MINUTE);
    await source.tick();
    expect(events.at(-1)).toEqual({ type: "ended", phoneId: id, reason: "host_gone" });
  });

  it("are heard of again after the API server forgot what was watched, and after it was away", async () => {
    const { source, events, id } = await running();
    await until(() => cluster.watching === 1);
    const pod = cluster.phone(id);
    await cluster.evict(pod, { silent: true });
    cluster.compact();
    await until(() => events.length > 0);
    expect(events).toEqual([{ type: "ended", phoneId: id, reason: "host_gone" }]);
    cluster.vanish();
    for (const _ of [1, 2]) {
      under.clock.advance(20_000);
      await source.tick();
    }
    expect(await source.state(id)).toBe("unknown");
    cluster.comeBack();
    under.clock.advance(2 * MINUTE);
    await source.tick();
    expect(await source.state(id)).toBe("parked");
  });

  it("wait for a busy API server as long as it says, and for a node that is being added", async () => {
    const { source, id } = await made();
    cluster.looksUntilRunning = 5;
    const busy = { status: 429, json: { message: "Too many requests" }, headers: { "Retry-After": "0" } };
    for (const _ of [1, 2, 3]) cluster.next.push({ pattern: /^POST .*pods$/, reply: busy });
    await source.start(specOf(id), always);
    expect(cluster.calls.filter((call) => call === "POST /api/v1/namespaces/perch-phones/pods")).toHaveLength(4);
    expect(await source.state(id)).toBe("running");
  });

  it("are given up at once where their image cannot be had, and when the person goes", async () => {
    const { source, id } = await made();
    cluster.waiting = { reason: "ImagePullBackOff", message: "Back-off pulling image" };
    await expect(source.start(specOf(id), always)).rejects.toThrow("could not do that");
    expect(under.logged.at(-1)?.fields).toMatchObject({ kind: "cluster" });
    expect([cluster.pods.size, cluster.claims.size]).toEqual([0, 1]);
    cluster.waiting = undefined;
    cluster.looksUntilRunning = Number.POSITIVE_INFINITY;
    const person = new AbortController();
    const start = source.start(specOf(id), person.signal);
    await until(() => cluster.pods.size === 1);
    person.abort(new Error("The person went away."));
    await expect(start).rejects.toThrow("The person went away.");
    expect(cluster.pods.size).toBe(0);
  });

  it.each([
    ["the machine it stands on", "10.0.0.11:10250", "open"],
    ["this server", "198.51.100.7:8787", "refused"],
    ["the cloud's metadata", "169.254.169.254:80", "open"],
  ] as const)("ABUSE-32 are stopped where they reach %s", async (_what, target, how) => {
    const { source, id } = await made();
    cluster.reachable.set(target, how);
    await expect(source.start(specOf(id), always)).rejects.toThrow("The phone was stopped");
    expect(cluster.pods.size).toBe(0);
  });

  it("ABUSE-32 are none in a namespace without the network policy", async () => {
    cluster.policies.clear();
    const { source } = under.startSource();
    await source.recover();
    expect((await source.models())[0]?.unavailable).toContain("answers now");
    await expect(source.create(specOf(await under.addPhone()))).rejects.toThrow("No machine has room");
  });

  it("keep to the number the cluster may have, and what is nobody's goes after a while", async () => {
    const { source } = await made();
    for (const _ of [1, 2]) await source.create(specOf(await under.addPhone()));
    await expect(source.create(specOf(await under.addPhone()))).rejects.toThrow("No machine has room");
    const engine = await open();
    await engine.createVolume("perch-stray", { "perch.server": "0123456789abcdef", "perch.phone": "ph_gone" });
    await engine.createVolume("perch-foreign", { "perch.server": "another", "perch.phone": "ph_other" });
    for (const _ of [1, 2]) {
      under.clock.advance(3 * MINUTE);
      await source.tick();
    }
    expect([...cluster.claims.keys()]).toHaveLength(4);
    expect(cluster.claims.has("perch-foreign")).toBe(true);
    engine.close();
  });

  it("are preceded by a look at the cluster, with what to do", async () => {
    const engine = await open();
    const { images } = under;
    const looked = () =>
      preflight({
        engine,
        images,
        capacity: 3,
        instance: "0123456789abcdef",
        servers: ["198.51.100.7"],
        serverPort: 8787,
      });
    cluster.kernelFiles.set("/proc/filesystems", ["nodev\tbinder"]);
    const words = async () =>
      Object.fromEntries((await looked()).map(({ what, ok, words: said }) => [what, { ok, said }]));
    expect(await words()).toMatchObject({
      engine: { ok: true, said: "Kubernetes v1.34.3." },
      ...{ architecture: { ok: true }, images: { ok: true }, binder: { ok: true }, "egress guard": { ok: true } },
    });
    cluster.reachable.set("198.51.100.7:8787", "open");
    expect((await words())["egress guard"]).toMatchObject({ ok: false, said: expect.stringContaining("phones.yaml") });
    expect(cluster.pods.size).toBe(0);
    engine.close();
  });

  it("hand over stdin and stdout whole, and say how a program ended", async () => {
    const { id } = await running();
    const engine = await open();
    const facts = await engine.inspect(`perch-${id}`);
    const stream = await engine.execStream(facts?.id ?? "", ["/system/bin/toybox", "cat"], always);
    const sent = randomBytes(300_000);
    const got: Buffer[] = [];
    stream.on("data", (bytes: Buffer) => got.push(bytes));
    stream.end(sent);
    await until(() => stream.readableEnded || stream.destroyed);
    expect(Buffer.concat(got).equals(sent)).toBe(true);
    const words = ["/system/bin/toybox", "echo", "a b", `'; $(c) "d`];
    expect(await engine.exec(facts?.id ?? "", words)).toMatchObject({ exitCode: 0, stdout: `a b '; $(c) "d\n` });
    expect((await engine.exec(facts?.id ?? "", ["/system/bin/toybox", "false"])).exitCode).toBe(1);
    engine.close();
  });
});

describe("what a cluster is told", () => {
  it("has names and labels that are valid, and labels that are read back as they were", () => {
    for (const id of ["ph_AbC-_dEf0123456789-xyz_", "ph_0-", "ph_-"]) {
      expect(objectName(`perch-${id}`)).toMatch(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);
      const labels = toLabels({ "perch.phone": id });
      expect(labels["perch.phone"]).toMatch(/^[A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?$/);
      expect(fromLabels(labels)).toEqual({ "perch.phone": id });
    }
    expect(objectName("perch-ph_A")).not.toBe(objectName("perch-ph_a"));
  });
  it("says how a program ended only by a Status", () => {
    expect(exitCodeOf(`{"status":"Success"}`)).toBe(0);
    const causes = [{ reason: "ExitCode", message: "7" }];
    expect(exitCodeOf(JSON.stringify({ status: "Failure", details: { causes } }))).toBe(7);
    for (const said of ["", "{}", `{"status":"Failure","message":"no such container"}`, "[1]"]) {
      expect(exitCodeOf(said)).toBe(255);
    }
  });
  it("is spoken to by TLS alone, unless it is on this machine", async () => {
    const folder = mkdtempSync(join(tmpdir(), "kubeconfig-"));
    const config = join(folder, "config");
    const write = (cluster: object) =>
      writeFileSync(
        config,
        JSON.stringify({
          ...{ clusters: [{ name: "c", cluster }], users: [{ name: "u", user: {} }], "current-context": "x" },
          contexts: [{ name: "x", context: { cluster: "c", user: "u" } }],
        }),
      );
    const opened = () => openClusterEngine({ ...SETTINGS, config });
    write({ server: "http://198.51.100.7:8080" });
    await expect(opened()).rejects.toThrow("without TLS");
    write({ server: "https://198.51.100.7:6443", "insecure-skip-tls-verify": true });
    await expect(opened()).rejects.toThrow("without looking at its certificate");
    write({ server: "https://198.51.100.7:6443" });
    (await opened()).close();
    rmSync(folder, { recursive: true });
    await expect(opened()).rejects.toThrow("cannot be read");
  });
});
