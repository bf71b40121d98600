/**
 * Sockets by name inside the phone (`localabstract:`), and the addresses on it that lead to the host (`reverse:`), AOSP
 * packages/modules/adb/{SERVICES.TXT,adb_listeners.cpp}. Ports of the phone are numbers here: `tcp:6790` is a name as well.
 */
import type { AdbConnection } from "./adb-connection.ts";
import type { AdbStream } from "./adb-stream.ts";

const FIRST_PORT = 40_000;

export class LocalSockets {
  readonly #listeners = new Map<string, (stream: AdbStream) => void>();
  readonly #reverse = new Map<string, { readonly connection: AdbConnection; readonly host: string }>();
  #nextPort = FIRST_PORT;

  /** Takes who connects to the name, until the returned function is called. @throws Error when the name is taken */
  listen(name: string, accept: (stream: AdbStream) => void): () => void {
    if (this.#listeners.has(name)) throw new Error("Address already in use");
    this.#listeners.set(name, accept);
    return () => {
      if (this.#listeners.get(name) === accept) this.#listeners.delete(name);
    };
  }

  /** What serves who opens `localabstract:NAME` from the host; undefined: refused. */
  accepting(name: string): ((stream: AdbStream) => void) | undefined {
    return this.#listeners.get(name);
  }

  /** Connects to the host behind an address of the phone. */
  connect(address: string): Promise<AdbStream | undefined> {
    const found = this.#reverse.get(address);
    return found === undefined ? Promise.resolve(undefined) : found.connection.connect(found.host);
  }

  forget(connection: AdbConnection): void {
    for (const [address, { connection: whose }] of this.#reverse)
      if (whose === connection) this.#reverse.delete(address);
  }

  /** One `reverse:` request and its answer. */
  serve(stream: AdbStream, request: string, connection: AdbConnection): void {
    void stream.write(Buffer.from(this.#answer(request, connection)));
    stream.end();
  }

  #answer(request: string, connection: AdbConnection): string {
    const text = (words: string) => `${words.length.toString(16).padStart(4, "0")}${words}`;
    const fail = (words: string) => `FAIL${text(words)}`;
    if (request === "list-forward")
      return text([...this.#reverse].map(([address, { host }]) => `host-19 ${address} ${host}\n`).join(""));
    if (request === "killforward-all") {
      this.#reverse.clear();
      return "OKAY";
    }
    const kill = /^killforward:(.+)$/.exec(request)?.[1];
    if (kill !== undefined) return this.#reverse.delete(kill) ? "OKAY" : fail(`listener '${kill}' not found`);
    const forward = /^forward:(norebind:)?([^;]+);(.+)$/.exec(request);
    if (forward === null) return fail("unknown reverse request");
    const [, norebind, address = "", host = ""] = forward;
    if (norebind !== undefined && this.#reverse.has(address)) return fail("cannot rebind existing socket");
    if (!/^(?:localabstract:.|tcp:\d)/.test(address)) return fail(`cannot listen on ${address}`);
    if (!address.startsWith("tcp:")) {
      this.#reverse.set(address, { connection, host });
      return "OKAY";
    }
    const port = address === "tcp:0" ? this.#nextPort++ : Number(address.slice(4));
    this.#reverse.set(`tcp:${port}`, { connection, host });
    return `OKAY${text(String(port))}`;
  }
}
