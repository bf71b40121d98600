/** One connection of its own that listens, and comes back when it is cut; polling covers what it misses meanwhile. */
import pg from "pg";

const AGAIN_MS = 1_000;
/** A connection whose other end is gone says nothing by itself. */
const ALIVE_EVERY_MS = 30_000;
const ALIVE_WITHIN_MS = 10_000;

export interface Listening {
  /** Whether what `announce` announces comes here, once this listens. @throws what `announce` throws */
  hears(topic: string, announce: () => Promise<unknown>, withinMs: number): Promise<boolean>;
  stop(): Promise<void>;
}

/** `onListening` is called whenever listening begins, also anew. */
export function keepListening(
  config: pg.ClientConfig,
  channel: string,
  onTopic: (topic: string) => void,
  onListening: () => void,
): Listening {
  let stopped = false;
  let client: pg.Client | undefined;
  let retry: NodeJS.Timeout | undefined;
  let beat: NodeJS.Timeout | undefined;
  const awaited = new Map<string, () => void>();
  let listening = Promise.withResolvers<void>();

  const connect = async (): Promise<void> => {
    const mine = new pg.Client({ ...config, query_timeout: ALIVE_WITHIN_MS });
    client = mine;
    const again = () => {
      if (stopped || client !== mine) return;
      client = undefined;
      clearInterval(beat);
      listening = Promise.withResolvers<void>();
      void mine.end().catch(() => {});
      retry = setTimeout(() => void connect(), AGAIN_MS);
    };
    mine.on("error", again);
    mine.on("end", again);
    mine.on("notification", ({ payload = "" }) => {
      const waiting = awaited.get(payload);
      if (waiting === undefined) onTopic(payload);
      else waiting();
    });
    try {
      await mine.connect();
      await mine.query(`listen ${channel}`);
    } catch {
      again();
      return;
    }
    if (client !== mine) return;
    beat = setInterval(() => void mine.query("select 1").catch(again), ALIVE_EVERY_MS);
    beat.unref();
    onListening();
    listening.resolve();
  };
  void connect();

  return {
    async hears(topic, announce, withinMs) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const timer = setTimeout(() => resolve(false), withinMs);
      awaited.set(topic, () => resolve(true));
      try {
        await Promise.race([listening.promise, promise]);
        await announce();
        return await promise;
      } finally {
        clearTimeout(timer);
        awaited.delete(topic);
      }
    },
    async stop() {
      stopped = true;
      clearTimeout(retry);
      clearInterval(beat);
      await client?.end().catch(() => {});
    },
  };
}
