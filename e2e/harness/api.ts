/** A person's program: an account and token made with the admin commands, calls over HTTP, screens over a WebSocket. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import type { Phone } from "../../shared/phones.ts";
import { decodeFrame, type ViewerMessage } from "../../shared/screen-protocol.ts";
import { COMPILED, type PerchServer } from "./server.ts";
import { until } from "./until.ts";

/** Runs an admin command beside the running server; gives what it printed. */
export async function admin(server: PerchServer, args: readonly string[], stdin = ""): Promise<string> {
  const child = spawn(process.execPath, ["server/admin/main.ts", ...args], {
    env: { PATH: process.env["PATH"] ?? "", PORT: String(server.port), DATA_DIR: server.dataDir, ...COMPILED },
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.end(stdin);
  const [out, problem] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]);
  if (child.exitCode !== 0) throw new Error(problem);
  return out.trim();
}

/** What a refused call said. */
export class Refused extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

export class ApiClient {
  readonly #server: PerchServer;
  readonly #token: string;

  constructor(server: PerchServer, token: string) {
    this.#server = server;
    this.#token = token;
  }

  /** A new account with a token of its own. */
  static async create(server: PerchServer, email: string): Promise<ApiClient> {
    await admin(server, ["user", "create", "--email", email, "--password-stdin"], "violet harbour tangles nine moons");
    return new ApiClient(server, await admin(server, ["token", "create", "--email", email, "--name", "e2e"]));
  }

  async query<T>(path: string, input?: unknown): Promise<T> {
    const query = input === undefined ? "" : `?input=${encodeURIComponent(JSON.stringify(input))}`;
    return this.#answer<T>(await fetch(`${this.#server.url}/trpc/${path}${query}`, { headers: this.#headers }));
  }

  async mutate<T>(path: string, input: unknown): Promise<T> {
    const body = JSON.stringify(input);
    return this.#answer<T>(
      await fetch(`${this.#server.url}/trpc/${path}`, { method: "POST", headers: this.#headers, body }),
    );
  }

  async launch(url: string): Promise<Phone> {
    return this.mutate<Phone>("phones.launch", { url, idempotencyKey: crypto.randomUUID() });
  }

  async phone(id: string): Promise<Phone> {
    return this.query<Phone>("phones.get", { phoneId: id });
  }

  async ticket(phoneId: string): Promise<{ url: string; protocol: string; ticket: string }> {
    return this.mutate("screen.ticket", { phoneId, mode: "control" });
  }

  /** An open screen that acknowledges every frame at once. */
  async watch(phoneId: string): Promise<Screen> {
    const { url, protocol, ticket } = await this.ticket(phoneId);
    return Screen.open(url, protocol, ticket);
  }

  get #headers(): Record<string, string> {
    return { authorization: `Bearer ${this.#token}`, "content-type": "application/json" };
  }

  async #answer<T>(response: Response): Promise<T> {
    const { result, error } = (await response.json()) as {
      result?: { data: T };
      error?: { message: string; data: { perch: { code: string } } };
    };
    if (result === undefined) throw new Refused(error?.data.perch.code ?? "", error?.message ?? "");
    return result.data;
  }
}

export class Screen {
  readonly #socket: WebSocket;
  frames = 0;
  /** Number of the newest frame. */
  seq = 0;
  closedWith: number | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    socket.addEventListener("message", ({ data }: MessageEvent<unknown>) => {
      if (!(data instanceof ArrayBuffer)) return;
      const frame = decodeFrame(data);
      if (frame === undefined) return;
      this.frames += 1;
      this.seq = frame.header.seq;
      this.send({ type: "ack", seq: frame.header.seq });
    });
    socket.addEventListener("close", ({ code }) => {
      this.closedWith = code;
    });
  }

  static async open(url: string, protocol: string, ticket: string): Promise<Screen> {
    const screen = new Screen(new WebSocket(url, [protocol, `ticket.${ticket}`]));
    await until("the screen to open or be refused", () => screen.opened || screen.closedWith !== undefined);
    return screen;
  }

  get opened(): boolean {
    return this.#socket.readyState === WebSocket.OPEN;
  }

  send(message: ViewerMessage): void {
    if (this.opened) this.#socket.send(JSON.stringify(message));
  }

  /** Waits until the phone's picture is there. */
  async firstFrame(): Promise<void> {
    await until("the first frame", () => this.frames > 0);
  }

  close(): void {
    this.#socket.close();
  }
}
