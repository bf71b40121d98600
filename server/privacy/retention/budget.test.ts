import { describe, expect, it } from "vitest";
import { ManualClock } from "../../clock.ts";
import { parseConfig } from "../../config.ts";
import { createLog } from "../../log.ts";
import { startServer } from "../../server.ts";
import { processorsOf } from "../processors/processors.ts";
import { assertBudget, GRACE_DAYS, LONGEST_COPY_DAYS, PROMISED_DAYS, PURGE_DAYS, SLACK_DAYS } from "./budget.ts";

describe("the 30 days of the policy", () => {
  it("are the sum of their parts", () => {
    expect(GRACE_DAYS + PURGE_DAYS + LONGEST_COPY_DAYS + SLACK_DAYS).toBe(PROMISED_DAYS);
  });

  it("hold for every processor of every configuration", () => {
    const config = parseConfig({ SMTP_URL: "smtps://a:b@mail.example", DATABASE_URL: "postgres://a:b@db.example/x" });
    assertBudget({ backupDays: config.BACKUP_DAYS, processors: processorsOf(config) });
  });

  it.each([
    [
      "BACKUP_DAYS",
      { backupDays: 15, processors: [] },
      /^BACKUP_DAYS keeps deleted data for 15 days.*Set BACKUP_DAYS to 14/,
    ],
    [
      "a processor",
      { backupDays: 14, processors: [{ name: "Mail server m.example", retentionDays: 45 }] },
      /^Mail server m\.example keeps .* 45 days/,
    ],
  ])("stop at %s that takes more than its share", (_what, kept, sentence) => {
    expect(() => assertBudget(kept)).toThrow(sentence);
  });

  it("stop the start of a server", async () => {
    const clock = new ManualClock();
    const starting = startServer({
      config: { ...parseConfig({ PORT: "0" }), BACKUP_DAYS: 30 },
      clock,
      log: createLog({ clock, write() {} }),
    });
    await expect(starting).rejects.toThrow("the privacy policy promises 30");
  });
});
