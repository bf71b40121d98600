/** What stands between a node and its PostgreSQL: passes bytes on, cuts every connection, or holds all bytes back. */
import { connect, createServer, type Socket } from "node:net";

export type ProxyState = "passing" | "cut" | "held";

export interface CuttingProxy {
  readonly port: number;
  /** `cut`: connections end and none is taken. `held`: connections stay, and nothing comes through, as with a lost route. */
  become(state: ProxyState): void;
  close(): void;
}

export async function openCuttingProxy(target: { host: string; port: number }): Promise<CuttingProxy> {
  let state: ProxyState = "passing";
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((from) => {
    if (state === "cut") {
      from.resetAndDestroy();
      return;
    }
    const to = connect(target.port, target.host);
    const pair = [from, to] as const;
    pairs.add(pair);
    const over = () => {
      pairs.delete(pair);
      from.destroy();
      to.destroy();
    };
    for (const [one, other] of [pair, [to, from]] as const) {
      one.setNoDelay();
      one.on("data", (bytes) => {
        if (!other.write(bytes)) one.pause();
      });
      other.on("drain", () => state !== "held" && one.resume());
      one.on("error", over);
      one.on("close", over);
    }
    if (state === "held") hold(pair);
  });
  const hold = (pair: readonly [Socket, Socket]) => {
    for (const one of pair) one.pause();
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const at = server.address();
  if (at === null || typeof at === "string") throw new Error("The proxy has no port.");
  const cutAll = () => {
    for (const pair of [...pairs]) for (const one of pair) one.resetAndDestroy();
  };
  return {
    port: at.port,
    become(next) {
      state = next;
      if (next === "cut") cutAll();
      for (const pair of pairs) {
        if (next === "held") hold(pair);
        else for (const one of pair) one.resume();
      }
    },
    close() {
      server.close();
      cutAll();
    },
  };
}
