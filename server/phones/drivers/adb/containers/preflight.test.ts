import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type Engine, openEngine } from "./engine.ts";
import { preflight } from "./preflight.ts";
import { FakeEngine } from "./testing/engine.ts";
import { IMAGE } from "./testing/fixture.ts";

describe("the check of a host", () => {
  let folder: string;
  let fake: FakeEngine;
  let engine: Engine;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "preflight-"));
    const path = join(folder, "docker.sock");
    fake = await FakeEngine.start(path);
    engine = await openEngine(`unix://${path}`, undefined);
  });
  afterAll(async () => {
    engine.close();
    await fake.close();
    rmSync(folder, { recursive: true, force: true });
  });
  beforeEach(() => {
    fake.images.clear();
    fake.images.add(IMAGE.image);
    fake.freeDiskKb = 100_000_000;
  });
  const check = async (capacity = 5) => {
    const findings = await preflight({
      engine,
      images: [IMAGE],
      capacity,
      instance: "x",
      servers: [],
      serverPort: 8787,
    });
    return {
      bad: findings.filter(({ ok }) => !ok).map(({ what }) => what),
      words: (what: string) => findings.find((finding) => finding.what === what)?.words ?? "",
    };
  };

  it("finds nothing wrong with one that can run phones, and leaves nothing behind", async () => {
    const { bad, words } = await check();
    expect(bad).toEqual([]);
    expect(words("engine")).toBe("version 20.10.24, API 1.41.");
    expect(words("memory")).toBe("31 GB and 16 CPUs for 5 phones.");
    expect(fake.containers.size).toBe(0);
  });
  it("tells what to do where the kernel has no binder, few inotify instances, or the disk is full", async () => {
    const filesystems = fake.kernelFiles.get("/proc/filesystems") ?? [];
    fake.kernelFiles.set("/proc/filesystems", ["nodev\tsysfs"]);
    fake.kernelFiles.set("/proc/sys/fs/inotify/max_user_instances", ["128"]);
    fake.freeDiskKb = 2_000_000;
    const { bad, words } = await check(60);
    expect(bad).toEqual(["binder", "inotify", "disk", "memory"]);
    expect(words("binder")).toContain("modprobe binder_linux");
    expect(words("inotify")).toContain("sysctl -w fs.inotify.max_user_instances=1024");
    expect(words("memory")).toContain("Register it with a capacity of 9");
    expect(words("disk")).toMatch(/^1 GB free/);
    // Older kernels have the devices and no binderfs.
    fake.kernelFiles.set("/proc/misc", ["58 binder"]);
    expect((await check(60)).bad).not.toContain("binder");
    fake.kernelFiles.set("/proc/filesystems", filesystems);
  });
  it("looks from the phones' network whether they are kept in", async () => {
    fake.reachable.set("172.30.0.1:22", "refused");
    const { bad, words } = await check();
    expect(bad).toEqual(["egress guard"]);
    expect(words("egress guard")).toContain("the host itself (172.30.0.1:22)");
    fake.reachable.clear();
    fake.withoutToybox = true;
    expect((await check()).bad).toContain("egress guard");
    fake.withoutToybox = false;
  });
  it("tells which image is missing and how to get it, and that nothing else could be looked at", async () => {
    fake.images.clear();
    const { bad, words } = await check();
    expect(bad).toEqual(expect.arrayContaining(["images", "kernel"]));
    expect(words("images")).toContain("hosts pull --name <host> --image android-14");
  });
  it("says so when nobody answers", async () => {
    fake.vanish();
    const { bad, words } = await check();
    expect(bad).toEqual(["engine"]);
    expect(words("engine")).toContain("does not answer");
    fake.comeBack();
  });
  it("pulls an image with its progress, and says why one did not come", async () => {
    const said: string[] = [];
    await engine.pull("redroid/redroid:13.0.0-latest", (line) => said.push(line));
    expect(await engine.hasImage("redroid/redroid:13.0.0-latest")).toBe(true);
    expect(said).toContain("a3ed95caeb02 Downloading [=>  ] 1B/2B");
    await expect(engine.pull("redroid/missing:1", () => {})).rejects.toThrow("manifest unknown");
  });
});
