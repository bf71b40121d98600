/** WebDriver BiDi over one WebSocket (https://w3c.github.io/webdriver-bidi): commands out, answers and events in. */

const COMMAND_TIMEOUT_MS = 30_000;

export interface BidiEvent {
  readonly method: string;
  readonly params: Readonly<Record<string, unknown>>;
}

interface Waiting {
  resolve(result: Readonly<Record<string, unknown>>): void;
  reject(error: Error): void;
}

export class BidiSession {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, Waiting>();
  #lastId = 0;

  private constructor(socket: WebSocket, onEvent: (event: BidiEvent) => void) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const message = record(JSON.parse(String(data)));
      const { id, method } = message as { id?: unknown; method?: unknown };
      if (typeof method === "string") onEvent({ method, params: record(message["params"]) });
      if (typeof id !== "number") return;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (message["type"] === "success") waiting?.resolve(record(message["result"]));
      else waiting?.reject(new Error(`${String(message["error"])}: ${String(message["message"])}`));
    });
    socket.addEventListener("close", () => {
      for (const { reject } of this.#waiting.values()) reject(new Error("The browser ended the connection."));
      this.#waiting.clear();
    });
  }

  /** Connects to `url` and starts the session. `onEvent` hears what `events` name. */
  static async open(url: string, events: readonly string[], onEvent: (event: BidiEvent) => void): Promise<BidiSession> {
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener("open", () => resolve(), { once: true });
      socket.addEventListener("error", () => reject(new Error(`Nothing answers at ${url}.`)), { once: true });
    });
    const session = new BidiSession(socket, onEvent);
    await session.send("session.new", { capabilities: {} });
    await session.send("session.subscribe", { events });
    return session;
  }

  /** @throws an Error with the browser's code and words when it refuses, or says nothing for half a minute. */
  async send(method: string, params: object): Promise<Readonly<Record<string, unknown>>> {
    this.#lastId += 1;
    const id = this.#lastId;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve, reject) => {
        this.#waiting.set(id, { resolve, reject });
        timer = setTimeout(() => reject(new Error(`${method} had no answer.`)), COMMAND_TIMEOUT_MS);
        this.#socket.send(JSON.stringify({ id, method, params }));
      });
    } catch (error) {
      throw new Error(`${method}: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(id);
    }
  }

  close(): void {
    this.#socket.close();
  }
}

/** A JSON object as it came; anything else is an empty one. */
export function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
