/**
 * End-to-end tests in real browsers against the real server: two files at a time, each with its own server and browser.
 * What holds a promise of seconds (Home within three, revoked within one) runs afterwards, alone, so that the time is Perch's.
 */
import { defineConfig } from "vitest/config";

export const TIMED = ["e2e/storms.e2e.ts", "e2e/security/strangers.e2e.ts", "e2e/rules/hostile-rules.e2e.ts"];

const common = {
  environment: "node",
  testTimeout: 90_000,
  hookTimeout: 120_000,
  globalSetup: ["e2e/harness/setup.ts"],
};

export default defineConfig({
  test: {
    teardownTimeout: 30_000,
    sequence: { concurrent: false },
    projects: [
      {
        test: {
          ...common,
          name: "e2e",
          include: ["e2e/**/*.e2e.ts"],
          exclude: TIMED,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: { ...common, name: "timed", include: TIMED, maxWorkers: 1, sequence: { groupOrder: 1 } },
      },
    ],
  },
});
