/**
 * Connections that come back to their pool. drizzle-orm 0.45 sends `begin` before the `try` that releases (node-postgres/
 * session.js), so every transaction that cannot begin, as on a connection that was cut, would keep its connection for
 * good: ten of them, and nothing reached the database any more, nor did the server end.
 */
import type pg from "pg";

export function comingBack(pool: pg.Pool): pg.Pool {
  // node-postgres emits `error` on a lent connection that is cut between two queries; unheard, it ends the process.
  pool.on("connect", (client) => client.on("error", () => {}));
  return new Proxy(pool, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (typeof member !== "function") return member;
      if (property === "connect") return async () => lent(await target.connect());
      return member.bind(target);
    },
  });
}

/** Goes back by itself when the first thing it is asked fails; releasing it once more then does nothing. */
function lent(client: pg.PoolClient): pg.PoolClient {
  let isFirst = true;
  let isBack = false;
  const giveBack = (error?: Error | boolean) => {
    if (isBack) return;
    isBack = true;
    client.release(error);
  };
  return new Proxy(client, {
    get(target, property) {
      const member: unknown = Reflect.get(target, property, target);
      if (property === "release") return giveBack;
      if (typeof member !== "function") return member;
      if (property !== "query" || !isFirst) return member.bind(target);
      return async (...given: unknown[]) => {
        isFirst = false;
        try {
          return await Reflect.apply(member, target, given);
        } catch (error) {
          giveBack(true);
          throw error;
        }
      };
    },
  });
}
