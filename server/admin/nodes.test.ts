import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { systemClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { startTestServer, type TestServer } from "../testing.ts";
import { runAdmin } from "./commands.ts";

describe("nodes, as the operator keeps them", () => {
  let folder: string;
  let server: TestServer;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "admin-nodes-"));
    const kept = { folder, driver: new FakeDriver(), clock: systemClock as never };
    server = await startTestServer({ NODE_NAME: "rack-4", RUNNING_PHONES: "3" }, kept);
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  async function admin(...args: string[]) {
    const out: string[] = [];
    const say = (line: string) => void out.push(line);
    const process = { config: () => parseConfig({ DATA_DIR: join(folder, "data") }), clock: systemClock };
    await runAdmin(args, { ...process, readStdin: async () => "", out: say, error: say });
    return out.join("\n");
  }

  it("are listed, drained, and forgotten once they are over", async () => {
    const named = ["--name", "rack-4", "--reason", "moves"] as const;
    expect(await admin("nodes", "list")).toMatch(/^rack-4\tall\topen\tlocal\tno address\t[\d.]+\t0 of 3 web phones$/);
    await admin("nodes", "drain", ...named);
    expect(await admin("nodes", "list")).toContain("\tdraining\t");
    await admin("nodes", "undrain", ...named);
    await expect(admin("nodes", "forget", ...named)).rejects.toThrow("is running");
    await server.dispose();
    expect(await admin("nodes", "list")).toContain("\tstopped\t");
    await admin("nodes", "forget", ...named, "--destroyed");
    expect(await admin("nodes", "list")).toBe("");
    await expect(admin("nodes", "drain", "--name", "A b", "--reason", "x")).rejects.toThrow("--name");
  });
});
