/** The real server as a process of its own, on a fresh data folder, to be killed and started again. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "../../shared/testing/free-port.ts";
import { killAll, phoneBrowsers, processesUnder } from "./processes.ts";
import { until } from "./until.ts";

const READY_TIMEOUT_MS = 90_000;
/** For each process that runs the sources: they are compiled once, not at each of a hundred starts. */
export const COMPILED = { NODE_COMPILE_CACHE: resolve("node_modules/.cache/perch-e2e-compiled") };

export interface ServerOptions {
  /** More settings, e.g. `EGRESS_ALLOW`. */
  readonly env?: Readonly<Record<string, string>>;
  readonly port?: number;
  /** What to run; the sources by default. */
  readonly program?: readonly string[];
}

export class PerchServer {
  readonly port: number;
  readonly url: string;
  readonly dataDir: string;
  readonly #root: string;
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #output = "";

  private constructor(port: number, options: ServerOptions) {
    this.port = port;
    this.url = `http://localhost:${port}`;
    this.#root = mkdtempSync(join(tmpdir(), "perch-e2e-"));
    // Phones run as another user and pass through this folder.
    chmodSync(this.#root, 0o711);
    this.dataDir = join(this.#root, "data");
    this.#options = options;
  }

  static async start(options: ServerOptions = {}): Promise<PerchServer> {
    const server = new PerchServer(options.port ?? (await freePort()), options);
    await server.#spawn();
    return server;
  }

  /** What the server said so far, both streams. */
  get output(): string {
    return this.#output;
  }

  /** The one-time link of the first start. */
  get setupUrl(): string {
    const found = /http\S+\/setup\?token=\S+/.exec(this.#output)?.[0];
    if (found === undefined) throw new Error("The server printed no setup link.");
    return found;
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Process id of the server itself. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error("The server does not run.");
    return pid;
  }

  /** Process ids of the phones' browsers. */
  phonePids(): readonly number[] {
    return phoneBrowsers(this.dataDir).map(({ pid }) => pid);
  }

  /** Ends the server as a power cut does; phones are left as they are. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Starts it again on the same port and data. */
  async restart(): Promise<void> {
    await this.#spawn();
  }

  /** Ends everything and removes the data. */
  async stop(): Promise<void> {
    if (this.running) await this.#end("SIGTERM");
    killAll(processesUnder(this.dataDir));
    await until("phones' processes to end", () => processesUnder(this.dataDir).length === 0);
    rmSync(this.#root, { recursive: true, force: true, maxRetries: 5 });
  }

  /** The newest mail to `recipient` on the local preview page, as its page shows it. */
  async mail(recipient: string): Promise<string> {
    return until(`mail to ${recipient}`, async () => {
      const page = await (await fetch(`${this.url}/mail`)).text();
      return page.split("<article").find((article) => article.includes(`To ${recipient}`));
    });
  }

  async #spawn(): Promise<void> {
    const [program = process.execPath, ...args] = this.#options.program ?? [process.execPath, "server/main.ts"];
    const child = spawn(program, args, {
      env: {
        PATH: process.env["PATH"] ?? "",
        HOME: process.env["HOME"] ?? "/",
        PORT: String(this.port),
        DATA_DIR: this.dataDir,
        // What is not about billing is not billed.
        BILLING: "off",
        // An ADB server that runs here is somebody else's.
        ADB_SERVER: "off",
        ...COMPILED,
        ...this.#options.env,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const from = this.#output.length;
    const listen = (text: string) => {
      this.#output += text;
    };
    child.stdout?.setEncoding("utf8").on("data", listen);
    child.stderr?.setEncoding("utf8").on("data", listen);
    const said = () => this.#output.slice(from);
    const outcome = await until(
      "the server to be ready",
      () => (child.exitCode === null ? said().includes("Perch is ready at ") && "ready" : "ended"),
      { timeout: READY_TIMEOUT_MS },
    );
    if (outcome === "ended") throw new Error(`The server did not start: ${said()}`);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    if (child === undefined || !this.running) return;
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}
