/** How the server is bundled; used by the build and by the test that runs a part of the result. */
import { rolldown } from "rolldown";

/** What stays outside: native modules, and packages that read files of their own folder. */
const EXTERNAL = [
  /^node:/,
  "better-sqlite3",
  /^@node-rs\//,
  "@sparticuz/chromium",
  "pg",
  "pg-native",
  "nodemailer",
  "ws",
  "quickjs-emscripten-core",
  "@jitl/quickjs-wasmfile-release-sync",
  "disposable-email-domains-js",
  "dockerode",
  // Loaded where traces are collected, and nowhere else.
  /^@opentelemetry\//,
  "@kubernetes/client-node",
];

/** Threads are files of their own, found beside the file that starts them. */
export const THREADS = {
  "script-worker": "server/automations/script/worker.ts",
  "copy-worker": "server/backup/copy-worker.ts",
  "picture-worker": "server/automations/engine/picture-worker.ts",
} as const;

/** Writes one file for each name of `input`, with what they share, into the folder. */
export async function bundleServer(dir: string, input: Readonly<Record<string, string>>): Promise<void> {
  const bundle = await rolldown({
    input: { ...input },
    platform: "node",
    external: EXTERNAL,
    // React, which makes the mails, is bundled once and not as its development build too.
    transform: { define: { "process.env.NODE_ENV": JSON.stringify("production") } },
  });
  await bundle.write({ dir, format: "esm", sourcemap: true });
  await bundle.close();
}
