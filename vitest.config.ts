import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { WxtVitest } from "wxt/testing/vitest-plugin";

/** Long proofs (`npm run prove`) take their time. */
const testTimeout = 60_000 * Number(process.env["PROVE_TIMES"] ?? 1);

/** How long a busy machine may take until what a test waits for holds. */
const waits = { setupFiles: ["shared/testing/patience.ts"], expect: { poll: { timeout: 20_000 } } };

/** Three projects: what both sides share, the server (Node), the extension (WXT's fake browser). Browser tests live in `e2e/`. */
export default defineConfig({
  test: {
    // One more than there are cores: tests with browsers, processes and databases wait more than they compute.
    maxWorkers: availableParallelism() + 1,
    projects: [
      {
        test: {
          name: "unit",
          include: ["shared/**/*.test.ts", "scripts/**/*.test.ts", "cli/**/*.test.ts", "bench/**/*.test.ts"],
          environment: "node",
          testTimeout,
          ...waits,
        },
      },
      {
        test: {
          name: "server",
          include: ["server/**/*.test.ts"],
          environment: "node",
          testTimeout,
          hookTimeout: 60_000,
          globalSetup: ["server/db/testing-run.ts"],
          // Nothing in the server is global, so files of one process share its modules.
          isolate: false,
          ...waits,
        },
      },
      {
        plugins: [WxtVitest()],
        test: {
          name: "extension",
          include: ["extension/**/*.test.{ts,tsx}"],
          environment: "node",
          testTimeout,
          ...waits,
        },
      },
    ],
  },
});
