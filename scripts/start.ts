/** `npm start`: builds what is missing or older than its sources, then runs the bundled server in this terminal. */
import { spawn } from "node:child_process";
import { existsSync, globSync, statSync } from "node:fs";
import { run } from "./run.ts";

/** True when the output is missing or any source is newer. */
function isStale(output: string, sources: readonly string[]): boolean {
  if (!existsSync(output)) return true;
  const built = statSync(output).mtimeMs;
  return globSync([...sources]).some((file) => statSync(file).mtimeMs > built);
}

if (isStale("dist/server/main.js", ["server/**/*.ts", "shared/**/*.ts", "package.json"])) {
  console.log("Building the server …");
  run("node", ["scripts/build-server.ts"]);
}
if (
  isStale("dist/extension/chrome-mv3/manifest.json", [
    "extension/**/*.{ts,tsx,css,html}",
    "shared/**/*.ts",
    "wxt.config.ts",
  ])
) {
  console.log("Building the extension …");
  run("node", ["scripts/build-extension.ts"]);
}
const server = spawn(process.execPath, ["--enable-source-maps", "dist/server/main.js"], { stdio: "inherit" });
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => server.kill(signal));
server.on("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
