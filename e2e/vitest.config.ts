/** End-to-end tests in real browsers against the real server: two files at a time, each with its own server and browser. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    name: "e2e",
    include: ["e2e/**/*.e2e.ts"],
    environment: "node",
    maxWorkers: 2,
    sequence: { concurrent: false },
    testTimeout: 90_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
    globalSetup: ["e2e/harness/setup.ts"],
  },
});
