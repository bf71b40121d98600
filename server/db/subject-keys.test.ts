import { join } from "node:path";
import { eq, getTableColumns, getTableName, sql } from "drizzle-orm";
import type { SQLiteTable } from "drizzle-orm/sqlite-core";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { newId, type UserId } from "../../shared/ids.ts";
import { createAccountsRepo } from "../accounts/accounts.repo.ts";
import { addUser } from "../accounts/testing/people.ts";
import { ManualClock } from "../clock.ts";
import { CHROME_ON_LINUX, QUICK_PASSWORDS, requestInfo, startPages } from "../http/pages/testing.ts";
import { teamScope } from "../teams/team-scope.ts";
import { type Database, isUniqueViolation } from "./database.ts";
import { columnPrivacy, fingerprintOf, sealedPlace } from "./dialect.ts";
import { sealEarlierRows } from "./seal-earlier.repo.ts";
import { createKeyring, ERASED } from "./sealed-fields.ts";
import { bringingKeys } from "./subject-keys.postgres.ts";
import { tablesFor } from "./tables.ts";
import { EVERY_ENGINE, MIGRATIONS, type TestDatabase } from "./testing.ts";

const at = new Date(Date.UTC(2026, 0, 1));

/** Every value of every row as the engine keeps it, beside the name of its table: what a dump of the data holds. */
async function dump(db: Database): Promise<string> {
  const lines: string[] = [];
  for (const table of Object.values<SQLiteTable>(db.t)) {
    const columns = Object.entries(getTableColumns(table));
    const raw = Object.fromEntries(columns.map(([name, column]) => [name, sql<unknown>`${column}`]));
    for (const row of await db.read.select(raw).from(table)) {
      const values = Object.values(row).map((value) =>
        value instanceof Uint8Array ? Buffer.from(value).toString("latin1") : JSON.stringify(value),
      );
      lines.push(`${getTableName(table)}\t${values.join("\t")}`);
    }
  }
  return lines.join("\n");
}

describe.each(EVERY_ENGINE)("keys of people on $name", (engine) => {
  let test: TestDatabase;
  let db: Database;
  let anna: UserId;
  let bert: UserId;
  let count = 0;
  beforeAll(async () => {
    test = await engine.open();
    db = test.db;
  });
  afterAll(() => test.dispose());
  beforeEach(async () => {
    [anna, bert] = [newId("user"), newId("user")];
    count += 1;
    await db.tx(async (tx) => {
      await addUser(db, tx, { id: anna, email: `änna${count}@x.example`, createdAt: at });
      await addUser(db, tx, { id: bert, email: `bert${count}@x.example`, createdAt: at });
    });
  });
  const shown = async (id: UserId) => {
    const [row] = await db.read.select({ email: db.t.users.email }).from(db.t.users).where(eq(db.t.users.id, id));
    return row?.email;
  };
  const stored = async (id: UserId) => {
    const { users } = db.t;
    const [row] = await db.read
      .select({ email: sql<string>`${users.email}`, shown: sql<string>`${users.emailShown}` })
      .from(users)
      .where(eq(users.id, id));
    return row ?? { email: "", shown: "" };
  };
  /** Writes past the columns, as somebody with a database client does. */
  const overwrite = (id: UserId, value: string) => {
    const { users } = db.t;
    return db.tx((tx) =>
      tx
        .update(users)
        .set({ email: sql`${value}` })
        .where(eq(users.id, id)),
    );
  };

  it("show fields as they were written, and a dump only as sealed", async () => {
    expect(await shown(anna)).toBe(`änna${count}@x.example`);
    const { email } = await stored(anna);
    expect(email).toMatch(new RegExp(`^v1\\.${anna}\\.[\\w-]+$`));
    expect(email).not.toBe((await stored(bert)).email);
  });

  it("find a person by address, whatever its case, and no two living ones", async () => {
    const repo = createAccountsRepo(db, new ManualClock());
    const email = `ÄNNA${count}@X.example`;
    expect((await db.tx((tx) => repo.findByEmail(tx, email)))?.id).toBe(anna);
    await expect(db.tx((tx) => repo.insert(tx, { email, emailShown: email }))).rejects.toSatisfy(isUniqueViolation);
    await db.tx((tx) => repo.setEmail(tx, anna, { email: "new@x.example", emailShown: "New@x.example" }));
    expect(await db.tx((tx) => repo.findByEmail(tx, email))).toBeUndefined();
    expect((await db.tx((tx) => repo.findByEmail(tx, "new@x.example")))?.emailShown).toBe("New@x.example");
  });

  it("refuse plain text, a value of another column, and comparisons", async () => {
    const { users } = db.t;
    const set = (email: string) => db.tx(async (tx) => tx.update(users).set({ email }).where(eq(users.id, anna)));
    await expect(set("plain@x.example")).rejects.toThrow("takes only what was sealed");
    await expect(set((await stored(anna)).shown)).rejects.toThrow("takes only what was sealed");
    await expect(async () => {
      await db.read.select().from(users).where(eq(users.email, "a@x.example"));
    }).rejects.toThrow("cannot be compared");
    await expect(db.tx((tx) => db.keys.row(tx, users, { email: "a" }, newId("user")))).rejects.toThrow("no key");
    expect(await shown(anna)).toBe(`änna${count}@x.example`);
  });

  it("do not open what was moved from another person or column, or was never sealed", async () => {
    const sealed = (await stored(anna)).email;
    for (const moved of [(await stored(anna)).shown, sealed.replace(anna, bert), "plain@x.example", `${sealed}A`]) {
      await overwrite(anna, moved);
      await expect(shown(anna), moved).rejects.toThrow("was changed outside Perch");
    }
    await overwrite(anna, sealed);
    expect(await shown(anna)).toBe(`änna${count}@x.example`);
    // A row of another person that holds this person's value shows whose it is sealed for: it reads as theirs, in this
    // column only; who may write rows may also write ids.
    await overwrite(bert, sealed);
    expect(await shown(bert)).toBe(`änna${count}@x.example`);
  });

  it("make every copy unreadable once destroyed, and leave others alone", async () => {
    const { users } = db.t;
    const copy = await stored(anna);
    expect(await db.keys.exists(anna)).toBe(true);
    await db.keys.destroy(anna);
    await db.keys.destroy(anna);
    expect(await db.keys.exists(anna)).toBe(false);
    expect(await shown(anna)).toBe(ERASED);
    await overwrite(anna, copy.email);
    expect(await shown(anna)).toBe(ERASED);
    await expect(db.tx((tx) => db.keys.row(tx, users, { email: "again" }, anna))).rejects.toThrow("no key");
    expect(await shown(bert)).toBe(`bert${count}@x.example`);
  });

  it("come along with answers and stay right in a transaction that is taken back", async () => {
    const id = newId("user");
    const user = { id, email: `carl${count}@x.example`, createdAt: at };
    await expect(
      db.tx(async (tx) => {
        await addUser(db, tx, user);
        throw new Error("taken back");
      }),
    ).rejects.toThrow("taken back");
    await db.tx((tx) => addUser(db, tx, user));
    expect(await shown(id)).toBe(user.email);
  });

  it("seal rows of before, go on after a kill, and do it once", async () => {
    const { users, sessions, serverKeys, supportRequests } = db.t;
    const agents = ["Firefox", "v1.looks.sealed", null];
    const ids = Array.from({ length: 520 }, () => newId("session"));
    await db.tx(async (tx) => {
      await tx.delete(sessions);
      await tx.delete(serverKeys);
      await tx
        .update(users)
        .set({ email: sql`${"Plain@x.example"}`, emailShown: sql`${"PLAIN@x.example"}`, emailIndex: null })
        .where(eq(users.id, anna));
      for (let from = 0; from < ids.length; from += 65) {
        await tx.insert(sessions).values(
          ids.slice(from, from + 65).map((id, n) => ({
            ...{
              id,
              tokenHash: id,
              userId: n % 2 === 0 ? anna : bert,
              kind: "web" as const,
              ip: sql`${`10.1.1.${n}`}`,
            },
            ...{ userAgent: sql`${agents[n % 3] ?? null}`, createdAt: at, authenticatedAt: at, seenAt: at },
            ...{ idleExpiresAt: at, absoluteExpiresAt: at },
          })),
        );
      }
      await tx.insert(supportRequests).values({
        ...{ id: `sup${count}`, kind: "question", email: sql`${"Plain@x.example"}`, emailIndex: null },
        ...{ message: sql`${"plain words"}`, receivedAt: at, dueAt: at },
      });
    });
    let batches = 0;
    const dying: Database = {
      ...db,
      tx: (work) => {
        batches += 1;
        if (batches === 4) throw new Error("killed");
        return db.tx(work);
      },
    };
    await expect(sealEarlierRows(dying)).rejects.toThrow("killed");
    expect(await sealEarlierRows(db)).toBeGreaterThan(0);
    expect(await sealEarlierRows(db)).toBe(0);
    const rows = await db.read.select().from(sessions);
    expect(rows).toHaveLength(520);
    expect(rows.map(({ ip }) => ip?.slice(0, 7))).toEqual(rows.map(() => "10.1.1."));
    expect(new Set(rows.map(({ userAgent }) => userAgent))).toEqual(new Set(agents));
    const found = await db.read
      .select({ shown: users.emailShown })
      .from(users)
      .where(eq(users.emailIndex, "plain@x.example"));
    expect(found).toEqual([{ shown: "PLAIN@x.example" }]);
    const asked = await db.read.select().from(supportRequests).where(eq(supportRequests.emailIndex, "plain@x.example"));
    expect(asked).toMatchObject([{ email: "Plain@x.example", message: "plain words" }]);
    const text = await dump(db);
    for (const plain of ["lain@x.example", "LAIN@x.example", "10.1.1.", "Firefox", "plain words"]) {
      expect(text.includes(plain), plain).toBe(false);
    }
  });

  it("leave nobody's address, name or IP in a dump of a server in use", async () => {
    const world = startPages(db, { passwords: QUICK_PASSWORDS });
    const password = "blaue gurken tanzen";
    const ip = "203.0.113.77";
    const browser = world.browser({ ip, timeZone: "Pacific/Chatham" });
    await browser.post("/sign-up", { email: "Canary@x.example", password, fullName: "Canary Name" });
    const [link = ""] = await world.linksTo("Canary@x.example");
    const token = new URL(link).searchParams.get("token") ?? "";
    await browser.post("/confirm", { token, password });
    await world.browser({ ip }).post("/support", {
      ...{ kind: "question", email: "canary@x.example", message: "Canary words about me" },
    });
    const about = requestInfo({ ip, timeZone: "Pacific/Chatham" });
    const { token: session } = await world.signedIn("canary@x.example", password, { ip, timeZone: "Pacific/Chatham" });
    const actor = await world.sessions.find(session, about);
    if (actor === undefined || actor === "ended") throw new Error("The session is there.");
    await world.credentials.updateProfile(actor, { fullName: "Canary Name the second" });
    await world.emailChange.ask(actor, { email: "canary@x.example.org" });
    await world.browser({ ip }).post("/sign-up", { email: "canary@x.waits", password, fullName: "Canary Name" });
    const scope = teamScope(actor, "team:manage");
    if (scope === undefined) throw new Error("An owner invites.");
    await world.invitations.invite(scope, { email: "canary@x.invited", role: "viewer", days: 3 });
    await db.tx((tx) => tx.insert(db.t.topics).values({ topic: "plain canary anchor", seq: 1 }));

    const text = await dump(db);
    expect(text).toContain("plain canary anchor");
    const lines = text.split("\n");
    for (const plain of ["canary@x", "canary name", "canary words", ip, "chatham", CHROME_ON_LINUX.toLowerCase()]) {
      expect(
        lines.filter((line) => line.toLowerCase().includes(plain)),
        plain,
      ).toEqual([]);
    }
    const [me] = (await db.read.select().from(db.t.users)).filter(
      ({ emailShown }) => emailShown === "Canary@x.example",
    );
    expect(me?.fullName).toBe("Canary Name the second");
  });
});

describe("sealed columns", () => {
  const tables = Object.values<SQLiteTable>(tablesFor.sqlite);
  const all = tables.flatMap((table) =>
    Object.entries(getTableColumns(table)).map(([property, column]) => ({ table, property, column })),
  );

  it("are bound to their own name, tagged, and in tables that can be walked", () => {
    const sealed = all.filter(({ column }) => sealedPlace(column) !== undefined);
    expect(sealed.length).toBeGreaterThanOrEqual(15);
    for (const { table, property, column } of sealed) {
      expect(sealedPlace(column)).toBe(`${getTableName(table)}.${property}`);
      expect(columnPrivacy(column).sealed).toBeDefined();
      expect(Object.values(getTableColumns(table)).filter((one) => one.primary)).toHaveLength(1);
    }
    expect(all.filter(({ column }) => columnPrivacy(column).sealed !== undefined)).toHaveLength(sealed.length);
  });

  it("that lead to people do so by a fingerprint of a column that is there", () => {
    const links = all.filter(({ column }) => columnPrivacy(column).link === "email");
    expect(links.length).toBeGreaterThanOrEqual(5);
    for (const { table, column } of links) {
      expect(Object.keys(getTableColumns(table))).toContain(fingerprintOf(column));
    }
  });

  it("have no keys before the master key is open", () => {
    const ring = createKeyring();
    expect(() => ring.open("t.c", "v1.server.x")).toThrow();
    expect(() => ring.sealForServer("t.c", "x")).toThrow("before their keys");
    expect(() => ring.fingerprint("a@x.example")).toThrow("before their keys");
  });
});

describe("the keyring", () => {
  const made = (store?: Parameters<typeof createKeyring>[0]) => {
    const ring = createKeyring(store);
    ring.unlock(Buffer.alloc(32, 1));
    return ring;
  };

  it("opens any text in its own place for its own subject, and nowhere else", () => {
    const ring = made();
    ring.add("usr_a", Buffer.alloc(32, 2));
    ring.add("usr_b", Buffer.alloc(32, 3));
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(), (text, spot) => {
        const sealed = ring.sealFor("usr_a", "t.c", text);
        const other = made();
        other.add("usr_a", Buffer.alloc(32, 2));
        other.add("usr_b", Buffer.alloc(32, 3));
        expect(other.open("t.c", sealed)).toBe(text);
        expect(() => other.open("t.d", sealed)).toThrow("does not open");
        expect(() => other.open("t.c", sealed.replace("usr_a", "usr_b"))).toThrow("does not open");
        const body = sealed.slice("v1.usr_a.".length);
        const bytes = Buffer.from(body, "base64url");
        bytes[spot % bytes.length] = (bytes[spot % bytes.length] ?? 0) ^ 1;
        expect(() => other.open("t.c", `v1.usr_a.${bytes.toString("base64url")}`)).toThrow("does not open");
        expect(() => made().demandSealed("t.c", text)).toThrow("takes only");
      }),
      { numRuns: 50 },
    );
  });

  it("does not take a key that was on its way while it was destroyed", () => {
    const ring = made();
    const wrapped = ring.wrap("usr_a", Buffer.alloc(32, 2));
    ring.remember([["usr_a", wrapped]]);
    const sealed = ring.sealFor("usr_a", "t.c", "text");
    const { release } = ring.hold(["usr_a", "usr_b"]);
    ring.forget("usr_a");
    ring.remember([["usr_a", wrapped]]);
    release();
    expect(ring.open("t.c", sealed)).toBe(ERASED);
  });

  it("keeps what an answer needs through a full cache, and stays bounded", async () => {
    const ring = made();
    ring.add("usr_first", Buffer.alloc(32, 2));
    const { missing, release } = ring.hold(["usr_first", "usr_other"]);
    expect(missing).toEqual(["usr_other"]);
    for (let n = 0; n < 10_050; n += 1) ring.add(`usr_${n}`, Buffer.alloc(32, 4));
    await new Promise((resolve) => setImmediate(resolve));
    expect([ring.has("usr_first"), ring.has("usr_0"), ring.has("usr_10049")]).toEqual([false, false, true]);
    release();
    expect(ring.has("usr_first")).toBe(true);
  });
});

describe("a PostgreSQL client", () => {
  it("has the keys of an answer before it gives it, once each, on the connection it came from", async () => {
    const [near, far] = [createKeyring(), createKeyring()];
    for (const ring of [near, far]) ring.unlock(Buffer.alloc(32, 1));
    far.add("usr_a", Buffer.alloc(32, 2));
    const row = [far.sealFor("usr_a", "t.c", "text"), null, 7, "v1.usr_b.tooshort", "v1.server.x"];
    const wrapped = far.wrap("usr_a", Buffer.alloc(32, 2));
    const asked: unknown[] = [];
    const connection = (name: string) => ({
      query: async (text: string, parameters?: unknown[]) => {
        asked.push([name, parameters]);
        return { rows: text.includes("perch_keys") ? [{ subject: "usr_a", sealed: wrapped }] : [row] };
      },
    });
    const client = bringingKeys(
      {
        ...connection("pool"),
        connect: async () => connection("its own"),
        transaction: async (work: (tx: { query(text: string): Promise<unknown> }) => Promise<void>) =>
          work(connection("transaction")),
      },
      near,
      "perch_keys",
    );
    const open = () => near.open("t.c", String(row[0]));
    expect(open()).toBe(ERASED);
    expect(await client.query("select")).toEqual({ rows: [row] });
    expect(open()).toBe("text");
    await client.query("select");
    near.forgetAll();
    await (await client.connect()).query("select");
    expect(open()).toBe("text");
    near.forgetAll();
    await client.transaction(async (tx) => {
      await tx.query("select");
      expect(open()).toBe("text");
    });
    expect(asked.map((one) => JSON.stringify(one))).toEqual([
      ...['["pool",null]', '["pool",[["usr_a"]]]', '["pool",null]'],
      ...['["its own",null]', '["its own",[["usr_a"]]]', '["transaction",null]', '["transaction",[["usr_a"]]]'],
    ]);
  });
});

const url = process.env["TEST_DATABASE_URL"];
describe.runIf(url)("keys of people on two nodes", () => {
  it("are forgotten where they were not destroyed", async () => {
    const { openPostgres } = await import("./postgres-open.ts");
    const target = new URL(url ?? "");
    target.pathname = `/perch_keys_${process.pid}`;
    const admin = new (await import("pg")).default.Client({ connectionString: url });
    await admin.connect();
    await admin.query(`create database ${target.pathname.slice(1)}`);
    const options = { url: target.href, migrationsFolder: join(MIGRATIONS, "postgres") };
    const [here, there] = await Promise.all([openPostgres(options), openPostgres(options)]);
    try {
      for (const db of [here, there]) db.keys.unlock(Buffer.alloc(32, 1));
      const id = newId("user");
      await here.tx((tx) => addUser(here, tx, { id, email: "anna@x.example", createdAt: at }));
      const seen = async () => (await there.read.select().from(there.t.users))[0]?.email;
      expect(await seen()).toBe("anna@x.example");
      await here.keys.destroy(id);
      await expect.poll(seen, { timeout: 5_000, interval: 10 }).toBe(ERASED);
    } finally {
      await Promise.all([here.close(), there.close()]);
      await admin.query(`drop database ${target.pathname.slice(1)} with (force)`);
      await admin.end();
    }
  });
});
