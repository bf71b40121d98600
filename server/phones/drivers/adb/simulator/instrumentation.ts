/**
 * `am instrument` of `appium-uiautomator2-server`, as far as a screen is read through it: its `server/AppiumServlet.java`,
 * `server/ServerConfig.java`, `http/AppiumResponse.java`, `model/settings/`, and AOSP `Instrument.java`. Runs when both of
 * its apps are installed; what is in them is not looked at.
 */
import { createServer, type IncomingMessage } from "node:http";
import { text } from "node:stream/consumers";
import { wait } from "./commands/context.ts";
import { pageSource } from "./hierarchy.ts";
import type { LocalSockets } from "./local-sockets.ts";
import type { Phone } from "./phone.ts";
import type { CommandIo } from "./shell-stub.ts";
import { duplexOf } from "./stream-duplex.ts";

const SERVER = "io.appium.uiautomator2.server";
const COMPONENT = `${SERVER}.test/androidx.test.runner.AndroidJUnitRunner`;
const PORT = 6790;
const IDLE_MS = 10_000;

export class Instrumentation {
  readonly #phone: Phone;
  readonly #sockets: LocalSockets;
  /** Android's one place for who reads and drives its screen is taken. */
  #connected = false;
  /** Settings as they were sent last. */
  readonly settings = new Map<string, unknown>();
  /** Its answers are none. */
  broken = false;

  constructor(phone: Phone, sockets: LocalSockets) {
    this.#phone = phone;
    this.#sockets = sockets;
  }

  get connected(): boolean {
    return this.#connected;
  }
  /** Its port is open. */
  get listening(): boolean {
    return this.#phone.processes.has(SERVER);
  }

  /** Until its app is stopped or the program is killed. */
  async run(io: CommandIo, component: string): Promise<number> {
    const phone = this.#phone;
    if (component !== COMPONENT || !phone.installed(SERVER) || !phone.installed(`${SERVER}.test`)) {
      io.out(
        `INSTRUMENTATION_STATUS: id=ActivityManagerService\nINSTRUMENTATION_STATUS: Error=Unable to find instrumentation info for: ComponentInfo{${component}}\nINSTRUMENTATION_STATUS_CODE: -1\n`,
      );
      return 1;
    }
    if (this.#connected) {
      io.out("INSTRUMENTATION_RESULT: shortMsg=Process crashed.\nINSTRUMENTATION_CODE: 0\n");
      return 0;
    }
    phone.stop(SERVER);
    this.#connected = true;
    this.settings.clear();
    let sessions = 0;
    const http = createServer((request, response) => {
      const body = (value: unknown, status = 200) => {
        response.writeHead(status, { "content-type": "application/json; charset=UTF-8", "cache-control": "no-store" });
        response.end(JSON.stringify({ sessionId: `session-${sessions}`, value }));
      };
      if (request.method === "POST" && request.url === "/session") sessions += 1;
      this.#answer(request, `/session/session-${sessions}`).then(body, (error: unknown) =>
        body({ error: "unknown error", message: String(error), stacktrace: "" }, 500),
      );
    });
    const close = this.#sockets.listen(`tcp:${PORT}`, (stream) => http.emit("connection", duplexOf(stream)));
    const over = Promise.withResolvers<void>();
    phone.processes.set(SERVER, () => {
      this.#connected = false;
      phone.processes.delete(SERVER);
      close();
      http.closeAllConnections();
      over.resolve();
    });
    // The server goes on without who started it, and can read nothing any more: `UiAutomationConnection` was there.
    io.killed.addEventListener("abort", () => {
      this.#connected = false;
      over.resolve();
    });
    await over.promise;
    io.out("INSTRUMENTATION_RESULT: shortMsg=Process crashed.\nINSTRUMENTATION_CODE: 0\n");
    return 0;
  }

  async #answer(request: IncomingMessage, session: string): Promise<unknown> {
    const { method, url } = request;
    const phone = this.#phone;
    if (method === "GET" && url === "/status") return { ready: true, message: "UiAutomator2 Server is ready" };
    if (method === "POST" && url === "/session") return JSON.parse(await text(request));
    if (method === "POST" && url === `${session}/appium/settings`) {
      for (const [name, value] of Object.entries(JSON.parse(await text(request)).settings))
        this.settings.set(name, value);
      return null;
    }
    if (method !== "GET" || url !== `${session}/source`) throw new Error("UnknownCommandException");
    if (!this.#connected) throw new Error("UiAutomation not connected");
    if (this.broken) return "<hierarchy>";
    const idleMs = Number(this.settings.get("waitForIdleTimeout") ?? IDLE_MS);
    if (phone.neverIdle || phone.moving) await wait(idleMs, new AbortController().signal);
    return pageSource(phone.tree(), phone);
  }
}
