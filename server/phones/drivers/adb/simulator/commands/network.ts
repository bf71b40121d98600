/** `nc HOST PORT`, toybox's, as far as the phone has a network: to its own ports that lead to the host (`adb reverse`). */
import type { LocalSockets } from "../local-sockets.ts";
import type { Command } from "../shell-stub.ts";
import { parse } from "./context.ts";

export function netcat(sockets: LocalSockets): Command {
  return async (io) => {
    const [host = "", port = ""] = parse(io.args, ["-w", "-q", "-p", "-s"]).rest;
    const here = host === "127.0.0.1" || host === "localhost";
    const stream = here ? await sockets.connect(`tcp:${port}`) : undefined;
    if (stream === undefined) {
      io.err(`nc: connect: ${here ? "Connection refused" : "Network is unreachable"}\n`);
      return 1;
    }
    stream.onData((bytes) => io.out(bytes));
    io.killed.addEventListener("abort", () => stream.close(), { once: true });
    void (async () => {
      for await (const chunk of io.stdin()) await stream.write(chunk);
    })();
    await stream.closed;
    return 0;
  };
}
