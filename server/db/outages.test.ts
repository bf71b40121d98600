/** A server that stops, comes back, turns read-only and runs full; a pooler that keeps no sessions. Real ones, of Debian. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { eq, sql } from "drizzle-orm";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { addUser } from "../accounts/testing/people.ts";
import { PerchError } from "../errors.ts";
import { troubleInWords } from "../trouble.ts";
import type { Database, Writer } from "./database.ts";
import { openPostgres, type PostgresOptions } from "./postgres-open.ts";
import { type Cluster, HAS_POOLER, HAS_POSTGRES, openCluster, openPooler, type Pooler } from "./testing/cluster.ts";
import { MIGRATIONS } from "./testing.ts";

const at = new Date(Date.UTC(2026, 0, 1));
const migrationsFolder = join(MIGRATIONS, "postgres");
const messageOf = (work: Promise<unknown>) =>
  work.then(
    () => "served",
    (error: unknown) => {
      const said = troubleInWords(error);
      return said instanceof PerchError ? said.message : `not in words: ${String(error)}`;
    },
  );

describe.skipIf(!HAS_POSTGRES)("a PostgreSQL server in trouble", () => {
  let cluster: Cluster;
  let db: Database;
  const open = async (more: Partial<PostgresOptions> = {}) => {
    const opened = await openPostgres({ url: cluster.url, migrationsFolder, ...more });
    opened.keys.unlock(Buffer.alloc(32, 1));
    return opened;
  };
  const ask = async <T>(work: (client: pg.Client) => Promise<T>): Promise<T> => {
    const client = new pg.Client({ connectionString: cluster.url });
    await client.connect();
    try {
      return await work(client);
    } finally {
      await client.end();
    }
  };
  const addTeam = (tx: Writer, name: string) =>
    tx.insert(db.t.teams).values({ id: newId("team"), name, createdAt: at });
  const teams = async () => (await db.read.select({ name: db.t.teams.name }).from(db.t.teams)).map(({ name }) => name);
  const setting = (text: string) =>
    ask(async (client) => {
      await client.query(text);
      await client.query("select pg_reload_conf()");
    });

  beforeAll(async () => {
    cluster = await openCluster(["max_connections = 30"]);
    db = await open({ pool: 5 });
    await db.tx((tx) => addUser(db, tx, { id: newId("user"), email: "anna@x.example", createdAt: at }));
  });
  afterAll(async () => {
    await db.close();
    cluster.dispose();
  });

  it("that restarts is waited for, by what reads, what begins, and what was in the middle", async () => {
    const begun = Promise.withResolvers<void>();
    const restarted = Promise.withResolvers<void>();
    let tries = 0;
    const inTheMiddle = db.tx(async (tx) => {
      tries += 1;
      await addTeam(tx, "in the middle");
      begun.resolve();
      await restarted.promise;
      await tx.select().from(db.t.teams);
    });
    await begun.promise;
    cluster.stop("immediate");
    const reading = teams();
    const writing = db.tx((tx) => addTeam(tx, "begun without a server"));
    cluster.start();
    restarted.resolve();
    await Promise.all([inTheMiddle, writing, reading]);
    expect(tries).toBe(2);
    expect((await teams()).sort()).toEqual(["begun without a server", "in the middle"]);
    // Sealed fields are read again, on new connections.
    expect((await db.read.select().from(db.t.users))[0]?.email).toBe("anna@x.example");
  });

  it("that cuts connections costs nothing: the pool makes others, and no connection is lost", async () => {
    const outcomes: string[] = [];
    await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        if (n % 4 === 0) {
          await ask((client) =>
            client.query("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'perch'"),
          );
        }
        outcomes.push(await messageOf(db.tx((tx) => tx.select().from(db.t.users))));
      }),
    );
    // A commit that is cut cannot be known; everything before it is done again.
    expect(outcomes.filter((one) => one !== "served" && !one.includes("Look whether it is there"))).toEqual([]);
    await Promise.all(Array.from({ length: 12 }, () => teams()));
  });

  it("that cuts a connection in the moment it is made costs one more try, and ends nothing", async () => {
    // Its last words come in one piece with those that say the connection may be used, before anybody can take it.
    const fields = "SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0";
    const lastWords = Buffer.from(`E    ${fields}`);
    lastWords.writeInt32BE(lastWords.length - 1, 1);
    let cuts = 0;
    const made = new Set<Socket>();
    const proxy = createServer((near) => {
      const far = connect(Number(new URL(cluster.url).port), "127.0.0.1");
      made.add(near);
      near.on("error", () => {}).on("close", () => far.destroy());
      far.on("error", () => {}).on("close", () => near.end());
      near.pipe(far);
      far.on("data", (chunk: Buffer) => {
        const isReady = chunk.at(-6) === "Z".charCodeAt(0);
        if (cuts === 0 || !isReady) return near.write(chunk);
        cuts -= 1;
        return near.end(Buffer.concat([chunk, lastWords]));
      });
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    const target = new URL(cluster.url);
    target.port = String((proxy.address() as AddressInfo).port);
    const through = await open({ url: target.href, directUrl: cluster.url });
    for (const socket of made) socket.destroy();
    cuts = 2;
    expect(await messageOf(through.tx((tx) => addTeam(tx, "cut at once")))).toBe("served");
    expect([cuts, (await teams()).filter((name) => name === "cut at once").length]).toEqual([0, 1]);
    await through.close();
    proxy.close();
  });

  it("is listened to again after the cut", async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const stop = db.onAnnounced((topic) => topic === "anew" && resolve(topic));
    const announcing = setInterval(() => void db.tx((tx) => db.announce(tx, "anew")).catch(() => {}), 50);
    expect(await promise).toBe("anew");
    clearInterval(announcing);
    stop();
  });

  it("never saves twice what was cut while it was saved, and says that it does not know", async () => {
    // Lets everything through until a commit comes; that one reaches the server, its answer nobody.
    const target = new URL(cluster.url);
    const port = Number(target.port);
    let cut = false;
    const proxy = createServer((near) => {
      const far = connect(port, "127.0.0.1");
      near.on("error", () => far.destroy());
      far.on("error", () => near.destroy());
      near.on("close", () => far.end());
      near.on("data", (chunk: Buffer) => {
        if (cut && chunk.includes("commit")) {
          cut = false;
          far.removeAllListeners("data");
          far.once("data", () => {
            near.destroy();
            far.destroy();
          });
        }
        far.write(chunk);
      });
      far.on("data", (chunk: Buffer) => near.write(chunk));
    }).listen(0, "127.0.0.1");
    await once(proxy, "listening");
    target.port = String((proxy.address() as AddressInfo).port);
    const through = await openPostgres({ url: target.href, directUrl: cluster.url, migrationsFolder });
    cut = true;
    expect(await messageOf(through.tx((tx) => addTeam(tx, "once")))).toContain("Look whether it is there");
    expect((await teams()).filter((name) => name === "once")).toHaveLength(1);
    await through.close();
    proxy.close();
  });

  it("that turned read-only goes on reading, says so, and recovers by itself", async () => {
    await setting("alter system set default_transaction_read_only = on");
    await expect.poll(() => messageOf(db.tx((tx) => addTeam(tx, "no")))).toContain("takes no changes at present");
    expect(await teams()).toContain("once");
    expect(await messageOf(open())).toContain("takes no changes (default_transaction_read_only is on)");
    await ask(async (client) => {
      await client.query("set default_transaction_read_only = off");
      await client.query("alter system reset default_transaction_read_only");
      await client.query("select pg_reload_conf()");
    });
    await expect.poll(() => messageOf(db.tx((tx) => addTeam(tx, "again")))).toBe("served");
  });

  it("with a full disk, no room, or somebody who holds a row says which, and keeps nothing", async () => {
    // What the server raises itself: SQLSTATE 53100, ERRCODE_DISK_FULL (PostgreSQL, storage/smgr/md.c).
    await ask((client) =>
      client.query(`create function perch.full() returns trigger language plpgsql as $$ begin
        raise exception 'could not extend file' using errcode = '53100'; end $$;
        create trigger full_disk before insert on perch.teams for each row execute function perch.full()`),
    );
    expect(await messageOf(db.tx((tx) => addTeam(tx, "no")))).toBe(
      "The server's disk is full. Nothing was saved; tell whoever runs this server.",
    );
    await ask((client) => client.query("drop function perch.full() cascade"));
    expect(await teams()).not.toContain("no");

    const held = Promise.withResolvers<void>();
    const letGo = Promise.withResolvers<void>();
    const holding = ask(async (client) => {
      await client.query("begin; update perch.teams set name = name");
      held.resolve();
      await letGo.promise;
      await client.query("rollback");
    });
    await held.promise;
    const stuck = db.tx(async (tx) => {
      await tx.select({ set: sql`set_config('lock_timeout', '50ms', true)` }).from(sql`(select 1) as one`);
      await tx.update(db.t.teams).set({ name: "stuck" });
    });
    expect(await messageOf(stuck)).toContain("Something else holds what this needs");
    letGo.resolve();
    await holding;

    const crowd = await Promise.allSettled(
      Array.from({ length: 30 }, async () => {
        const client = new pg.Client({ connectionString: cluster.url });
        client.on("error", () => {});
        await client.connect();
        return client;
      }),
    );
    expect(await messageOf(open())).toMatch(/no room for more work|refuses the connection/);
    await Promise.all(crowd.map((one) => (one.status === "fulfilled" ? one.value.end() : undefined)));
  });

  it("sets time-outs in each transaction, and retries what only conflicted", async () => {
    const names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_isolation"];
    const values = await db.tx((tx) =>
      tx
        .select({
          values: sql<string>`concat_ws(' ', ${sql.join(
            names.map((name) => sql`current_setting(${name})`),
            sql`, `,
          )})`,
        })
        .from(sql`(select 1) as one`),
    );
    expect(values[0]?.values).toBe("1min 15s 1min serializable");
  });

  it("that is not there at the start, or has no such user, is told by the setting's name", async () => {
    const nobody = new URL(cluster.url);
    nobody.username = "nobody";
    expect(await messageOf(open({ url: nobody.href }))).toContain("in DATABASE_URL does not answer or refuses");
    expect(await messageOf(open({ directUrl: nobody.href }))).toContain("in DATABASE_DIRECT_URL does not answer");
    await ask((client) => client.query("create role other login superuser"));
    const other = new URL(cluster.url);
    other.username = "other";
    expect(await messageOf(open({ directUrl: other.href }))).toContain("the same database as the same user");
  });

  it("that stays away is told in words when its time is over, and is there again when it is", async () => {
    const impatient = await open({ awayMs: 300 });
    cluster.stop();
    const away = "The database does not answer at present. Try again in a moment.";
    expect(await messageOf(impatient.tx((tx) => addTeam(tx, "no")))).toBe(away);
    expect(await messageOf(Promise.resolve(impatient.read.select().from(impatient.t.teams)))).toBe(away);
    cluster.start();
    expect(await messageOf(impatient.tx((tx) => addTeam(tx, "yes")))).toBe("served");
    await impatient.close();
  });

  describe.skipIf(!HAS_POOLER)("behind a transaction pooler", () => {
    let pooler: Pooler;
    beforeAll(async () => {
      pooler = await openPooler(cluster.url);
    });
    afterAll(() => pooler.close());

    it("is refused alone, in words, because it carries no announcements", async () => {
      const message = await messageOf(open({ url: pooler.url, hearWithinMs: 300 }));
      expect(message).toContain("DATABASE_URL goes through a transaction pooler");
      expect(message).toContain("port 5432");
      expect(await messageOf(open({ url: pooler.url, directUrl: pooler.url, hearWithinMs: 300 }))).toContain(
        "is not heard through DATABASE_DIRECT_URL",
      );
    });

    it("serves reads, writes, conflicts, keys and announcements, and leaves nothing in its sessions", async () => {
      const [here, there] = await Promise.all([
        open({ url: pooler.url, directUrl: cluster.url }),
        open({ url: pooler.url, directUrl: cluster.url }),
      ]);
      const { topics } = here.t;
      await here.tx((tx) => tx.insert(topics).values({ topic: "pooled", seq: 0 }));
      const byTopic = there.read
        .select()
        .from(topics)
        .where(eq(topics.topic, sql.placeholder("topic")))
        .prepare();
      await Promise.all(
        Array.from({ length: 16 }, async (_, n) => {
          const node = n % 2 === 0 ? here : there;
          await node.tx(async (tx) => {
            const [row] = await tx.select().from(topics).where(eq(topics.topic, "pooled"));
            await tx
              .update(topics)
              .set({ seq: (row?.seq ?? 0) + 1 })
              .where(eq(topics.topic, "pooled"));
          });
          await byTopic.execute({ topic: "pooled" });
        }),
      );
      expect((await byTopic.execute({ topic: "pooled" }))[0]?.seq).toBe(16);
      const id = newId("user");
      await here.tx((tx) => addUser(here, tx, { id, email: "pooled@x.example", createdAt: at }));
      const email = async () =>
        (await there.read.select().from(there.t.users).where(eq(there.t.users.id, id)))[0]?.email;
      expect(await email()).toBe("pooled@x.example");
      await here.keys.destroy(id);
      await expect.poll(email, { interval: 10 }).toBe("erased");
      expect(await here.settle(["teams"])).toBe(true);
      await Promise.all([here.close(), there.close()]);

      const left = new pg.Client({ connectionString: pooler.url });
      await left.connect();
      for (const [name, value] of [
        ["search_path", '"$user", public'],
        ["statement_timeout", "0"],
        ["lock_timeout", "0"],
      ] as const) {
        expect((await left.query(`show ${name}`)).rows[0]).toEqual({ [name]: value });
      }
      expect((await left.query("select name from pg_prepared_statements")).rows).toEqual([]);
      await left.end();
    });
  });
});
