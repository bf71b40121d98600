/** What phones ask of an Engine, told to the Engine of the tests and to what answers for Docker elsewhere. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Engine, type EngineEvent, openEngine } from "./engine.ts";
import { until } from "./testing/fixture.ts";

export interface EngineUnderTest {
  readonly address: string;
  /** An image that is there, with toybox and a shell under /system/bin, and an init that stays. */
  readonly image: string;
  /** One containers can be started in. */
  readonly network: string;
  /** False where the machine itself lacks what privileged containers get. */
  readonly privileged: boolean;
  close(): Promise<void>;
}

const TOYBOX = "/system/bin/toybox";
const always = new AbortController().signal;

export function engineContract(name: string, begin: () => Promise<EngineUnderTest>): void {
  describe(`the Engine API of ${name}`, () => {
    const run = randomBytes(6).toString("hex");
    const label = `perch.server=${run}`;
    const labels = { "perch.server": run, "perch.phone": "ph_one" };
    const [container, volume] = [`perch-c-${run}`, `perch-v-${run}`];
    let under: EngineUnderTest;
    let engine: Engine;
    let id = "";
    const heard: EngineEvent[] = [];
    const stop = new AbortController();
    let watched: Promise<void>;
    beforeAll(async () => {
      under = await begin();
      engine = await openEngine(under.address, undefined);
      watched = engine.watch(label, (event) => heard.push(event), stop.signal).catch(() => {});
    });
    afterAll(async () => {
      stop.abort();
      await watched;
      await engine.remove(container);
      await engine.removeVolume(volume);
      engine.close();
      await under.close();
    });

    it("answers, and says what it is", async () => {
      await engine.ping();
      const facts = await engine.facts();
      expect(facts.apiVersion).toMatch(/^1\.\d+$/);
      expect(facts.memoryBytes).toBeGreaterThan(0);
      expect(facts.kernel).toMatch(/^\d+\.\d+/);
    });
    it("knows the images it has", async () => {
      expect(await engine.hasImage(under.image)).toBe(true);
      expect(await engine.hasImage("perch/none:1")).toBe(false);
    });
    it("makes volumes, once and again, and finds them by label", async () => {
      expect(await engine.hasVolume(volume)).toBe(false);
      await engine.createVolume(volume, labels);
      expect(await engine.hasVolume(volume)).toBe(true);
      expect(await engine.volumes(label)).toEqual([{ name: volume, labels }]);
    });
    it("refuses an image it has not, by 404", async () => {
      const plan = { name: container, Image: "perch/none:1", Labels: labels, HostConfig: {} };
      await expect(engine.create(plan)).rejects.toMatchObject({ kind: "refused", status: 404 });
    });
    it("makes, starts and shows a container with limits, and starts it once", async () => {
      id = await engine.create({
        ...{ name: container, Image: under.image, Labels: labels, Tty: true, OpenStdin: true },
        HostConfig: {
          ...{
            Privileged: under.privileged,
            Binds: [`${volume}:/data`],
            NetworkMode: under.network,
            RestartPolicy: { Name: "no" },
          },
          ...{ Memory: 256 * 1024 * 1024, MemorySwap: 256 * 1024 * 1024, NanoCpus: 1e9, PidsLimit: 512 },
        },
      });
      expect(await engine.inspect(container)).toMatchObject({ id, running: false });
      await engine.start(id);
      await engine.start(id);
      expect(await engine.inspect(id)).toMatchObject({ id, running: true, labels, outOfMemory: false });
      expect(await engine.containers(label)).toMatchObject([{ id, running: true, labels }]);
    });
    it("refuses a second container of the name, by 409", async () => {
      const plan = { name: container, Image: under.image, Labels: labels, HostConfig: {} };
      // Docker says 409; podman 4 says 500 and the same in words.
      await expect(engine.create(plan)).rejects.toMatchObject({ kind: "refused" });
    });
    it("runs programs, tells what they wrote and how they ended", async () => {
      const said = await engine.exec(id, [TOYBOX, "echo", "a b", "'; $(c) \"d"]);
      expect(said).toMatchObject({ exitCode: 0, stdout: `a b '; $(c) "d\n` });
      expect((await engine.exec(id, [TOYBOX, "false"])).exitCode).toBe(1);
    });
    it("hands over the stdin and stdout of a program, whole and in order", async () => {
      const stream = await engine.execStream(id, [TOYBOX, "cat"], always);
      const sent = randomBytes(300_000);
      const got: Buffer[] = [];
      stream.on("data", (bytes: Buffer) => got.push(bytes));
      stream.end(sent);
      await until(() => Buffer.concat(got).length >= sent.length);
      expect(Buffer.concat(got).equals(sent)).toBe(true);
      await until(() => stream.destroyed || stream.readableEnded);
    });
    it("keeps a volume that a container uses", async () => {
      await expect(engine.removeVolume(volume)).rejects.toMatchObject({ kind: "refused", status: 409 });
    });
    it("runs a container to its end and takes it away", async () => {
      const plan = {
        name: `${container}-once`,
        Image: under.image,
        Labels: labels,
        HostConfig: { NetworkMode: "none" },
      };
      const done = await engine.runOnce({ ...plan, Entrypoint: [TOYBOX], Cmd: ["echo", "once"] }, 20_000);
      expect(done).toMatchObject({ exitCode: 0, stdout: "once\n" });
      expect(await engine.inspect(`${container}-once`)).toBeUndefined();
    });
    it("stops a container, and says so again and again", async () => {
      await engine.stop(id, 1);
      await engine.stop(id, 1);
      expect(await engine.inspect(id)).toMatchObject({ running: false });
      expect(await engine.containers(label)).toMatchObject([{ id, running: false }]);
    });
    it("removes container and volume, and then knows neither", async () => {
      await engine.remove(id);
      await engine.remove(id);
      expect(await engine.inspect(id)).toBeUndefined();
      await engine.removeVolume(volume);
      await engine.removeVolume(volume);
      expect(await engine.hasVolume(volume)).toBe(false);
      expect(await engine.volumes(label)).toEqual([]);
    });
    it("has told of all that by events with the labels", async () => {
      await until(() => heard.some(({ action }) => action === "die" || action === "died"));
      expect(heard.some(({ action, labels: has }) => action === "start" && has["perch.phone"] === "ph_one")).toBe(true);
    });
  });
}
