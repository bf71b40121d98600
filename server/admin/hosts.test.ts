import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { FakeEngine } from "../phones/drivers/adb/containers/testing/engine.ts";
import { runAdmin } from "./commands.ts";

describe("hosts of phones, as the operator keeps them", () => {
  let folder: string;
  let engine: FakeEngine;
  let env: Record<string, string>;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "admin-hosts-"));
    engine = await FakeEngine.start(join(folder, "docker.sock"));
    const images = [{ id: "android-14", label: "Android 14", image: "redroid/redroid:14.0.0-latest", android: "14" }];
    writeFileSync(join(folder, "images.json"), JSON.stringify({ images }));
    env = { DATA_DIR: join(folder, "data"), ANDROID_IMAGES: join(folder, "images.json") };
  });
  afterAll(async () => {
    await engine.close();
    rmSync(folder, { recursive: true, force: true });
  });

  async function admin(...args: string[]) {
    const out: string[] = [];
    const process = { config: () => parseConfig(env), clock: systemClock, readStdin: async () => "" };
    const say = (line: string) => void out.push(line);
    const status = await runAdmin(args, { ...process, out: say, error: say });
    return { status, out: out.join("\n") };
  }
  const reason = ["--reason", "rack 4"] as const;

  it("are added with what they lack, get an image, are checked, drained and removed", async () => {
    const address = `unix://${join(folder, "docker.sock")}`;
    const added = await admin("hosts", "add", "--name", "rack-4", "--address", address, "--phones", "3", ...reason);
    expect(added.out).toMatch(/^host_[\w-]{22}\track-4\n/);
    expect(added.out).toContain("rack-4\tto do\timages\tredroid/redroid:14.0.0-latest is not there.");
    await expect(admin("hosts", "check")).rejects.toThrow("Not every host can run phones yet.");

    const pulled = await admin("hosts", "pull", "--name", "rack-4", "--image", "android-14", ...reason);
    expect(pulled.out).toContain("a3ed95caeb02 Downloading [=>  ] 1B/2B");
    expect((await admin("hosts", "check", "--name", "rack-4")).out).toContain("rack-4\tok\tbinder\t");

    await admin("hosts", "drain", "--name", "rack-4", ...reason);
    expect((await admin("hosts", "list")).out).toBe(`rack-4\t${address}\tlocal\t0 of 3 phones\tdraining`);
    await admin("hosts", "undrain", "--name", "rack-4", ...reason);
    expect((await admin("hosts", "list")).out).toContain("\topen");
    await admin("hosts", "remove", "--name", "rack-4", ...reason);
    expect((await admin("hosts", "list")).out).toBe("");
    await expect(admin("hosts", "check")).rejects.toThrow("No host is registered");
  });

  it("refuse what they cannot be", async () => {
    const add = (name: string, address: string, phones: string) =>
      admin("hosts", "add", "--name", name, "--address", address, "--phones", phones, ...reason);
    await expect(add("a", "http://10.0.0.9:2375", "3")).rejects.toThrow("Without TLS");
    await expect(add("A b", "unix:///run/x.sock", "3")).rejects.toThrow("--name");
    await expect(add("a", "unix:///run/x.sock", "0")).rejects.toThrow("--phones");
    await expect(admin("hosts", "pull", "--name", "none", "--image", "x", ...reason)).rejects.toThrow("no host “none”");
  });

  it("get their packet filter rules in one piece", async () => {
    const { out } = await admin("hosts", "firewall");
    expect(out).toMatch(/^#!\/usr\/sbin\/nft -f\n/);
    expect(out).toContain('iifname != "perch-phones" accept');
  });
});
