/** A Chrome DevTools Protocol client over the NUL-separated pipe of `--remote-debugging-pipe`, with flat sessions. */
import type { Readable, Writable } from "node:stream";
import type { Commands, Events } from "./protocol.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/** A failed call: refused by the browser, timed out, or the browser is gone. Internal to this driver. */
export class CdpError extends Error {
  override readonly name = "CdpError";
  readonly kind: "refused" | "timeout" | "closed";
  constructor(kind: "refused" | "timeout" | "closed", message: string) {
    super(message);
    this.kind = kind;
  }
}

interface Pending {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: CdpError) => void;
  readonly method: string;
  readonly sessionId: string | undefined;
  readonly timer: NodeJS.Timeout;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: unknown;
  readonly result?: unknown;
  readonly error?: { readonly message: string };
  readonly sessionId?: string;
}

type Listener = (params: unknown) => void;

/** One session (or, without an id, the browser itself). */
export class CdpSession {
  readonly id: string | undefined;
  readonly #connection: CdpConnection;
  readonly #listeners = new Map<string, Set<Listener>>();

  constructor(connection: CdpConnection, id: string | undefined) {
    this.#connection = connection;
    this.id = id;
  }

  /** Sends at once, in call order. @throws CdpError (as a rejection) */
  send<M extends keyof Commands>(
    method: M,
    params: Commands[M][0],
    timeoutMs = DEFAULT_TIMEOUT_MS,
  ): Promise<Commands[M][1]> {
    return asResult<M>(this.#connection.call(method, params, this.id, timeoutMs));
  }

  /** For commands whose failure changes nothing: the page or the browser went away meanwhile. */
  tell<M extends keyof Commands>(method: M, params: Commands[M][0], timeoutMs = DEFAULT_TIMEOUT_MS): void {
    this.#connection.call(method, params, this.id, timeoutMs).catch(() => undefined);
  }

  on<E extends keyof Events>(event: E, listener: (params: Events[E]) => void): () => void {
    const set = this.#listeners.get(event) ?? new Set();
    this.#listeners.set(event, set);
    const untyped = asListener(listener);
    set.add(untyped);
    return () => set.delete(untyped);
  }

  /** Called by the connection. */
  emit(event: string, params: unknown): void {
    for (const listener of [...(this.#listeners.get(event) ?? [])]) listener(params);
  }
}

export class CdpConnection {
  /** Commands and events of the browser itself. */
  readonly browser: CdpSession;
  readonly #write: Writable;
  readonly #pending = new Map<number, Pending>();
  readonly #sessions = new Map<string, CdpSession>();
  #nextId = 1;
  #closed = false;
  #partial: Buffer[] = [];

  constructor(read: Readable, write: Writable) {
    this.#write = write;
    this.browser = new CdpSession(this, undefined);
    read.on("data", (chunk: Buffer) => this.#receive(chunk));
    read.on("close", () => this.close());
    read.on("error", () => this.close());
    write.on("error", () => this.close());
  }

  session(id: string): CdpSession {
    const known = this.#sessions.get(id);
    if (known !== undefined) return known;
    const session = new CdpSession(this, id);
    this.#sessions.set(id, session);
    return session;
  }

  /** Fails what is under way on a session whose target is gone. */
  forget(id: string): void {
    this.#sessions.delete(id);
    this.#rejectWhere((pending) => pending.sessionId === id);
  }

  call(method: string, params: unknown, sessionId: string | undefined, timeoutMs: number): Promise<unknown> {
    if (this.#closed) return Promise.reject(new CdpError("closed", `${method}: the browser is gone`));
    const id = this.#nextId++;
    const message = sessionId === undefined ? { id, method, params } : { id, method, params, sessionId };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#pending.delete(id);
        reject(new CdpError("timeout", `${method}: no answer in ${timeoutMs} ms`));
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, method, sessionId, timer });
      this.#write.write(`${JSON.stringify(message)}\0`);
    });
  }

  /** Fails everything under way. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#partial = [];
    this.#rejectWhere(() => true);
  }

  /** Closes it, and what it is written to. */
  end(): void {
    this.close();
    this.#write.destroy();
  }

  #rejectWhere(test: (pending: Pending) => boolean): void {
    for (const [id, pending] of [...this.#pending]) {
      if (!test(pending)) continue;
      this.#pending.delete(id);
      clearTimeout(pending.timer);
      pending.reject(new CdpError("closed", `${pending.method}: the page or browser is gone`));
    }
  }

  #receive(chunk: Buffer): void {
    let from = 0;
    for (let end = chunk.indexOf(0, from); end !== -1; end = chunk.indexOf(0, from)) {
      this.#partial.push(chunk.subarray(from, end));
      const text = Buffer.concat(this.#partial).toString("utf8");
      this.#partial = [];
      from = end + 1;
      this.#dispatch(asMessage(JSON.parse(text)));
    }
    if (from < chunk.length) this.#partial.push(chunk.subarray(from));
  }

  #dispatch(message: Message): void {
    if (message.id !== undefined) {
      const pending = this.#pending.get(message.id);
      if (pending === undefined) return;
      this.#pending.delete(message.id);
      clearTimeout(pending.timer);
      if (message.error === undefined) pending.resolve(message.result);
      else pending.reject(new CdpError("refused", `${pending.method}: ${message.error.message}`));
      return;
    }
    if (message.method === undefined) return;
    const session = message.sessionId === undefined ? this.browser : this.session(message.sessionId);
    session.emit(message.method, message.params);
  }
}

/** The browser answers a command with the result the protocol documents for it; `Commands` transcribes that. */
function asResult<M extends keyof Commands>(answer: Promise<unknown>): Promise<Commands[M][1]> {
  return answer as Promise<Commands[M][1]>;
}

/** Listeners are kept by event name, and the browser sends each event with the parameters `Events` transcribes. */
function asListener<E extends keyof Events>(listener: (params: Events[E]) => void): Listener {
  return listener as Listener;
}

/** Everything on the pipe is written by the browser process as protocol messages. */
function asMessage(parsed: unknown): Message {
  return parsed as Message;
}
