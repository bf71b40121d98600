/** `partner check`, as an operator runs it beside the server's database. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { openDatabase } from "../open-database.ts";
import { type GeelarkEmulator, startGeelarkEmulator } from "../phones/drivers/geelark/emulator/emulator.ts";
import { createGeelarkRepo } from "../phones/drivers/geelark/geelark.repo.ts";
import { runAdmin } from "./commands.ts";

const KEY = { appId: "eH6gQR4oHr3FsZpI36La01IW", apiKey: "YjmFIUuq0oJgSDJ42fxLEb6R1qjjqf" };
const clock = new ManualClock();
let folder: string;
let emulator: GeelarkEmulator;
let env: Record<string, string>;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-admin-partner-"));
  const access = { key: KEY, token: undefined };
  emulator = await startGeelarkEmulator({ clock, access, adb: async () => ({ host: "127.0.0.1", port: 1 }) });
  env = { DATA_DIR: join(folder, "data"), GEELARK_APP_ID: KEY.appId, GEELARK_API_KEY: KEY.apiKey, GEELARK_PROXY: "1" };
  env = { ...env, GEELARK_API_BASE: emulator.base };
});
afterAll(async () => {
  await emulator.close();
  rmSync(folder, { recursive: true, force: true });
});

async function admin(args: readonly string[], settings: Record<string, string> = env): Promise<string[]> {
  const lines: string[] = [];
  const out = (line: string) => lines.push(line);
  await runAdmin(args, { config: () => parseConfig(settings), clock, readStdin: async () => "", out, error: out });
  return lines;
}

describe("partner check", () => {
  it("says how the account stands, what is locked, and what does not fit", async () => {
    expect(await admin(["partner", "check", "--days", "3"])).toEqual([
      "Plan pro: 20 of 20 phones left. Balance 12.5, gift 0, time add-on 60 minutes.",
      "From 2025-12-29T00:00:00.000Z to 2026-01-01T00:00:00.000Z: 0 charges of 0 minutes, and 0 minutes counted here.",
      "Charges and usage fit together.",
    ]);
    const { db } = await openDatabase(parseConfig(env));
    const repo = createGeelarkRepo(db);
    const at = new Date(clock.now() - 60_000);
    await db.tx(async (tx) => {
      await repo.lock(tx, "/open/v1/phone/start", new Date(clock.now() + 3_600_000));
      await repo.addCharges(tx, [{ id: "1", vendorId: "900", chargeType: 2, amount: "0.7", usedMinutes: 100, at }]);
    });
    await db.close();
    emulator.faults.isDown = true;
    expect(await admin(["partner", "check"])).toEqual([
      expect.stringMatching(/^Plan and balance are not known: The cloud-phone partner does not answer\./),
      expect.stringMatching(/^\/open\/v1\/phone\/start: .* until 01:00 UTC/),
      expect.stringMatching(/: 1 charges of 100 minutes, and 0 minutes counted here\.$/),
      "The partner charged 100 minutes for its phone 900, which no phone here was: another server's, or made by hand.",
    ]);
  });

  it("says what to do where there is no partner, and what a number of days is", async () => {
    const none = { DATA_DIR: join(folder, "data") };
    await expect(admin(["partner", "check"], none)).rejects.toThrow("See docs/geelark.md");
    await expect(admin(["partner", "check", "--days", "365"])).rejects.toThrow("days from 1 to 90");
  });
});
