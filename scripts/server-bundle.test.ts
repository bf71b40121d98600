import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { expect, it } from "vitest";
import { bundleServer, THREADS } from "./server-bundle.ts";

it("finds its threads and their WebAssembly from the bundle", async () => {
  mkdirSync("dist", { recursive: true });
  const dir = mkdtempSync("dist/bundle-test-");
  try {
    await bundleServer(dir, { program: "scripts/server-bundle.fixture.ts", ...THREADS });
    const said = execFileSync(process.execPath, [`${dir}/program.js`], { encoding: "utf8" });
    expect(JSON.parse(said)).toEqual({
      script: { ok: true, value: "42" },
      picture: { kind: "unreadable", which: "actual" },
      isLogWrittenBack: true,
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
});
