/** How fast the server is there, bundled and from its sources, and what it weighs. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Benchmark, type Figure, median, spread } from "./benchmark.ts";

const STARTS = 7;

export const start: Benchmark = {
  name: "start",
  title: "Server start",
  about:
    "From starting the process to “Perch is ready”, on an existing database, the bundle that `npm start` runs beside " +
    `the sources, in turns, ${STARTS} times each; and the memory it holds a second later (resident set), without phones.`,
  run: benchStart,
};

async function benchStart(): Promise<readonly Figure[]> {
  const { status } = spawnSync(process.execPath, ["scripts/build-server.ts"], { stdio: "inherit" });
  if (status !== 0) throw new Error("The server did not build.");
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-"));
  const bundled: Started[] = [];
  const sources: Started[] = [];
  try {
    await startOnce("dist/server/main.js", folder);
    for (let count = 0; count < STARTS; count += 1) {
      bundled.push(await startOnce("dist/server/main.js", folder));
      sources.push(await startOnce("server/main.ts", folder));
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return [
    {
      name: "start → ready",
      unit: "ms",
      ...spread(bundled.map((one) => one.ms)),
      beside: { name: "from the sources", median: median(sources.map((one) => one.ms)) },
    },
    {
      name: "memory",
      unit: "MB",
      median: median(bundled.map((one) => one.residentMB)),
      beside: { name: "from the sources", median: median(sources.map((one) => one.residentMB)) },
    },
  ];
}

interface Started {
  readonly ms: number;
  readonly residentMB: number;
}

async function startOnce(program: string, folder: string): Promise<Started> {
  const startedAt = performance.now();
  const server = spawn(process.execPath, [program], {
    env: {
      PATH: process.env["PATH"],
      PORT: "0",
      DATA_DIR: join(folder, "data"),
      KEY_FILE: join(folder, "key"),
      WARM_PHONES: "0",
      // No phone is started: no browser is unpacked while the start is measured.
      CHROME_PATH: process.execPath,
    },
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    let output = "";
    await new Promise<void>((resolve, reject) => {
      // Read on after the line: a server that cannot write any more would end.
      server.stdout.on("data", (part: Buffer) => {
        output += part.toString();
        if (output.includes("Perch is ready")) resolve();
      });
      server.once("exit", () => reject(new Error(`${program} did not start.`)));
    });
    const ms = performance.now() - startedAt;
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    const status = await readFile(`/proc/${server.pid}/status`, "latin1");
    return { ms, residentMB: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) / 1024 };
  } finally {
    server.kill("SIGTERM");
    if (server.exitCode === null && server.signalCode === null) await once(server, "exit");
  }
}
