import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ManualClock } from "../clock.ts";
import { MIGRATIONS } from "../db/testing.ts";
import { type ServerChecksOptions, type ServingState, serverChecks } from "./checks.ts";

const folder = mkdtempSync(join(tmpdir(), "perch-checks-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const { signal } = new AbortController();
const options: ServerChecksOptions = {
  repo: { write: async () => {}, migrations: async () => 0 },
  clock: new ManualClock(),
  who: "here 1",
  migrationsFolder: join(MIGRATIONS, "sqlite"),
  dataDir: folder,
  state: () => "serving",
  drivers: () => [{ kind: "web", running: 2 }],
  mailLagMs: undefined,
  backups: async () => ["ok", "The first one is due soon."],
};
const look = async (name: string, changed: Partial<ServerChecksOptions> = {}) =>
  serverChecks({ ...options, ...changed })[name]?.(signal);

describe("a server is not ready", () => {
  it.each([
    ["draining", "being drained"],
    ["stopping", "stopping"],
  ] satisfies [ServingState, string][])("while it is %s", async (state, words) => {
    expect(await look("serving", { state: () => state })).toEqual(["fail", expect.stringContaining(words)]);
  });
  it("on tables that are behind, and is warned of those that are ahead", async () => {
    const at = (n: number) => ({ repo: { ...options.repo, migrations: async () => n } });
    expect(await look("migrations", at(1))).toEqual(["fail", expect.stringContaining("behind this version")]);
    expect(await look("migrations", at(10_000))).toEqual(["warn", expect.stringContaining("newer version")]);
  });
  it("without a data folder that can be written", async () => {
    expect(await look("disk", { dataDir: join(folder, "gone") })).toEqual(["fail", expect.stringContaining("written")]);
    // A file system no process writes to, root included.
    expect(await look("disk", { dataDir: "/sys" })).toEqual(["fail", expect.stringContaining("written")]);
  });
});

describe("a server is ready", () => {
  it("and warned, while mail is late and where there are no phones", async () => {
    expect(await look("mail", { mailLagMs: async () => 16 * 60_000 })).toEqual([
      "warn",
      "Mail has been waiting for 16 minutes. Look at the mail server.",
    ]);
    expect(await look("mail", { mailLagMs: async () => 60_000 })).toEqual(["ok", expect.any(String)]);
    expect(await look("phones", { drivers: () => [] })).toEqual(["warn", expect.any(String)]);
  });
});
