/**
 * The promise of clauses P4.2 and P5.3, held to every byte: two people with a marker in every column and every store of a
 * whole server; one is erased while others go on writing about her, an old backup comes back, thirty days pass. Then
 * nothing of her is in any byte of what the server keeps, in any form, and the other person has lost nothing.
 */
import { randomBytes } from "node:crypto";
import { cpSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { newId, type TeamId } from "../../shared/ids.ts";
import type { DeletionView, ExportView } from "../../shared/privacy.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { makeBackup, removeOldBackups } from "../backup/backup.ts";
import { restoreBackup } from "../backup/restore.ts";
import { ManualClock } from "../clock.ts";
import { type Config, parseConfig } from "../config.ts";
import { isSealedJson, sealedPlace } from "../db/dialect.ts";
import { openMasterKey } from "../db/master-key.repo.ts";
import { ERASED } from "../db/sealed-fields.ts";
import { keysFileKey } from "../db/subject-keys.sqlite.ts";
import { dataFolder } from "../db/testing-run.ts";
import { deriveKey, readFileKey } from "../keys.ts";
import { openDatabase } from "../open-database.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { columnNamed, dataMap, linksOf, type MappedTable, tableNamed } from "./map/data-map.ts";
import { rowsOf } from "./map/rows-of.repo.ts";
import { anyRow, insertRow } from "./testing/any-row.ts";
import { type Marker, type MarkerFinder, markerFinder, markersBelow } from "./testing/find-markers.ts";
import { type PostgresPlace, pagesOfFile, postgresPlace } from "./testing/gate-stores.ts";
import { canaryToken, type Planted, plant } from "./testing/plant.repo.ts";

const DAY = 24 * 3_600_000;
const BASE = process.env["TEST_DATABASE_URL"];
const ENGINES = [{ name: "SQLite" }, ...(BASE === undefined ? [] : [{ name: "PostgreSQL", base: BASE }])];

/** Rows that stay, with why; what is in them is about nobody any more. Whoever adds one says here why. */
const STAYS: Readonly<Record<string, string>> = {
  billingRecords: "The law asks for it, up to 7 years; in the markers' case, for a week.",
  dataRequests: "That there was a request, when and how it ended, for 24 months.",
  erasures: "That an account was erased, with a certificate that names nobody.",
  incidents: "What happened to the server; whom it met is in another table.",
  ledgerEntries: "The law asks for it, up to 7 years: amounts that lead to nobody, cut from team, phone and interval.",
  stripeCalls: "What had still to be asked of Stripe, for 90 days: Stripe's ids and amounts.",
};
/** Columns of rows that stay which must be empty all the same. */
const CUT = ["ledgerEntries.phoneId", "ledgerEntries.intervalId"];
/** Where random ids of who was erased stand until the last backup and its ledger are gone. */
const KNOWN_IDS = {
  files: ["data.key.erasures", "data/erasures.ledger"],
  /** Of a closed team, as the name of a chain of hashes; of a person and her teams, so that nobody writes about them and every node learns of it. */
  rows: ["audit_heads: her team", "audit_log: her team", "erasure_fence: her id", "erasure_fence: her team"],
};

interface Person extends TestPerson {
  readonly email: string;
}

describe.each(ENGINES)("nothing is left of who was erased on $name", ({ base }: { name: string; base?: string }) => {
  let folder: string;
  let config: Config;
  let env: Record<string, string>;
  let place: PostgresPlace | undefined;
  let kept: { folder: string; driver: FakeDriver; clock: ManualClock };
  let server: TestServer;
  const lines: string[] = [];
  let map: readonly MappedTable[];
  let anna: Person;
  let ben: Person;
  let hers: readonly Planted[];
  let his: readonly Planted[];
  /** Of the team that goes on without her. */
  let shared: TeamId;
  let finder: MarkerFinder;
  let markers: readonly Marker[];
  /** What came out on the way. */
  const seen = {
    notFound: [] as string[],
    sealedFound: [] as string[],
    stores: [] as string[],
    opened: [] as string[],
    tries: 0,
    refusals: new Set<string>(),
    hisBefore: [] as string[],
    hisAfter: [] as string[],
    teamBefore: {} as Record<string, number>,
    teamAfter: {} as Record<string, number>,
    erased: [] as string[],
    restored: [] as string[],
    month: [] as string[],
    stays: new Set<string>(),
    idRows: [] as string[],
    idFiles: [] as string[],
    later: [] as string[],
    skipped: "",
  };

  async function start(): Promise<void> {
    server = await startTestServer(env, kept);
    map = dataMap(server.db.t);
  }
  async function stop(): Promise<void> {
    await server.close();
    lines.push(...server.lines.splice(0));
  }
  async function ask<T>(person: TestPerson, type: "query" | "mutation", path: string, input?: unknown): Promise<T> {
    const answer = await call(server, type, path, input, person.token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.code} ${answer.error.message}`);
    return answer.data as T;
  }
  const databaseKey = () => deriveKey(readFileKey({ keyFile: config.keyFile, databaseExists: true }), "database");

  /** The database in clear: its pages, those of its main file without the log, and those of the keys. */
  async function database(rowsOnly = false): Promise<Buffer> {
    if (place !== undefined && rowsOnly) return place.dump();
    if (place !== undefined) {
      const files = await place.files();
      if (typeof files === "string") seen.skipped = files;
      return Buffer.concat([await place.dump(), typeof files === "string" ? Buffer.alloc(0) : files]);
    }
    const pages = await server.db.pages();
    if (pages === undefined) throw new Error("There are no pages to look at.");
    const main = pagesOfFile(join(config.DATA_DIR, "perch.db"), databaseKey());
    return Buffer.concat([pages, main, pagesOfFile(join(config.DATA_DIR, "keys.db"), keysFileKey(databaseKey()))]);
  }
  function backups(): Buffer {
    const found = readdirSync(config.backupDir, { recursive: true, withFileTypes: true });
    const pages = found.flatMap(({ name, parentPath }) => {
      if (name === "perch.db") return [pagesOfFile(join(parentPath, name), databaseKey())];
      return name === "keys.db" ? [pagesOfFile(join(parentPath, name), keysFileKey(databaseKey()))] : [];
    });
    return Buffer.concat(pages);
  }
  const phonesStore = () =>
    Buffer.from(
      [...kept.driver.stored]
        .map(([id, { spec, files, url, clipboard }]) =>
          [
            id,
            JSON.stringify(spec),
            url,
            clipboard,
            ...[...files].map(([n, b]) => n + Buffer.from(b).toString()),
          ].join(),
        )
        .join("\n"),
    );
  /** Where a finder's markers stand, in everything there is. */
  async function everywhere(looking: MarkerFinder, rowsOnly = false): Promise<string[]> {
    const named = (what: string, bytes: Buffer) => [...looking.find(bytes)].map((name) => `${what}: ${name}`);
    return [
      ...named("database", await database(rowsOnly)),
      ...markersBelow(folder, looking),
      ...named("log", Buffer.from([...lines, ...server.lines].join(""))),
      ...named("phones", phonesStore()),
    ];
  }

  const isSealed = ({ table, column }: Planted) => {
    const found = columnNamed(tableNamed(map, table), column).column;
    return isSealedJson(found) || sealedPlace(found) !== undefined;
  };
  const nameOf = ({ table, column }: Planted) => `${table}.${column}`;
  /** Without what stays, which is noted. */
  const leftOf = (found: readonly string[]) =>
    found.filter((one) => {
      const [, name = "", table = ""] = /^(?:database|backups in clear): ((\w+)\.\w+)/.exec(one) ?? [];
      if (STAYS[table] !== undefined) seen.stays.add(table);
      return STAYS[table] === undefined || CUT.includes(name);
    });

  async function everyRowOf(person: Person): Promise<string[]> {
    const found: string[] = [];
    for (const table of map) {
      const mine = rowsOf(server.db.read, map, table, person);
      if (mine === undefined) continue;
      const rows = await server.db.read.select().from(table.table).where(mine);
      found.push(...rows.map((row) => `${table.name} ${JSON.stringify(row)}`));
    }
    return found.sort();
  }
  async function countsOf(teamId: TeamId): Promise<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const table of map) {
      const [link] = linksOf(table, "team");
      if (link === undefined || table.property === "teamMembers") continue;
      const rows = await server.db.read.select({ one: link.column }).from(table.table).where(eq(link.column, teamId));
      if (rows.length > 0) counts[table.name] = rows.length;
    }
    return counts;
  }

  async function person(): Promise<Person> {
    return { ...(await signIn(server)), email: `${canaryToken()}@canary.example` };
  }

  /** A row about her in a table, as a late worker writes it: in the team that goes on, sealed with a key that is there. */
  const write = (table: MappedTable, teamId: TeamId) =>
    server.db.tx(async (tx) => {
      const given: Record<string, unknown> = {};
      for (const { property } of linksOf(table, "user")) given[property] = anna.userId;
      for (const { property } of linksOf(table, "team")) given[property] = teamId;
      if (table.property === "phones") given["state"] = "parked";
      await insertRow(server.db, tx, table, anyRow(table, given), ben.userId);
    });
  const fenced = () =>
    map.filter(
      (table) => table.property !== "users" && linksOf(table, "user").some(({ tag }) => tag.erase !== "legal"),
    );
  const codeOf = (error: unknown) =>
    error instanceof Error && "code" in error ? String(error.code) : String(error).slice(0, 80);

  /** People, workers and webhooks that go on with her until they are told to stop. */
  function liveWriters(): { stop(): Promise<void> } {
    let going = true;
    const kinds = fenced().filter(({ property }) => !["auditLog", "runs", "recordings", "phones"].includes(property));
    const loop = async (work: (turn: number) => Promise<unknown>) => {
      for (let turn = 0; going; turn += 1) {
        seen.tries += 1;
        await work(turn).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    };
    const loops = [
      loop((turn) => call(server, "mutation", "phones.launch", { idempotencyKey: `late-phone-${turn}` }, anna.token)),
      loop(() => call(server, "query", "privacy.overview", undefined, anna.token)),
      loop((turn) => write(kinds[turn % kinds.length] as MappedTable, shared)),
      loop((turn) => write(kinds[turn % kinds.length] as MappedTable, anna.teamId)),
    ];
    return {
      async stop() {
        going = false;
        await Promise.all(loops);
      },
    };
  }

  /** What stopped the way; every test says it. */
  let stopped: unknown;
  beforeAll(async () => {
    await goAllTheWay().catch((error: unknown) => {
      stopped = error;
    });
  }, 120_000);
  beforeEach(() => {
    if (stopped !== undefined) throw stopped;
  });
  async function goAllTheWay(): Promise<void> {
    folder = dataFolder("perch-gate-");
    if (base !== undefined) place = await postgresPlace(base, `perch_gate_${randomBytes(4).toString("hex")}`);
    env = place === undefined ? {} : { DATABASE_URL: place.url };
    config = parseConfig({ DATA_DIR: join(folder, "data"), ...env });
    kept = { folder, driver: new FakeDriver(), clock: new ManualClock() };
    await start();
    const at = new Date(kept.clock.now());
    [anna, ben] = [await person(), await person()];
    hers = await plant(server.db, map, anna, { at, without: ["auditLog", "auditHeads"] });
    his = await plant(server.db, map, ben, { at, without: ["auditLog", "auditHeads"] });
    await shareTeam(at);
    await fillStores();
    await eraseUnderWriters();
    await restoreOldBackup();
    await passDays();
  }
  afterAll(async () => {
    await server?.close();
    await place?.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Ben's other team, with a row of hers in each table that a team keeps. */
  async function shareTeam(at: Date): Promise<void> {
    shared = newId("team");
    const { teams, teamMembers } = server.db.t;
    await server.db.tx(async (tx) => {
      await tx.insert(teams).values({ id: shared, name: "Shared team", createdAt: at });
      await tx.insert(teamMembers).values({ teamId: shared, userId: ben.userId, role: "owner", joinedAt: at });
      await tx.insert(teamMembers).values({ teamId: shared, userId: anna.userId, role: "operator", joinedAt: at });
      for (const { topic } of await tx.select().from(server.db.t.topics))
        await tx.update(server.db.t.topics).set({ seq: 10_000 }).where(eq(server.db.t.topics.topic, topic));
    });
    for (const table of fenced().filter(({ about }) => about.owner === "team")) {
      if (table.property !== "auditLog") await write(table, shared).catch(() => {});
    }
    const fileKey = readFileKey({ keyFile: config.keyFile, databaseExists: true });
    const master = await openMasterKey(server.db, fileKey, undefined);
    const audit = createAudit(server.db, kept.clock, deriveKey(master, "audit heads"));
    await server.db.tx(async (tx) => {
      for (const who of [anna, ben]) {
        for (const chain of [who.teamId, shared, "server"])
          await audit.record(tx, { chain, actor: who.userId, action: "account.signed_in", object: who.userId });
      }
    });
  }

  /** Every store outside the database, and a backup of it all. */
  async function fillStores(): Promise<void> {
    const plantedIn = (planted: readonly Planted[], table: string, column: string) =>
      String(planted.find((one) => one.table === table && one.column === column)?.value);
    const files: Marker[] = [];
    /** Files of runs lie in folders named by a real id, so there is one more run like the planted one. */
    const runOf = async (planted: readonly Planted[]) => {
      const id = newId("run");
      const values = planted.flatMap(({ table, column, value }) => (table === "runs" ? [[column, value]] : []));
      const table = tableNamed(map, "runs");
      const owner = planted === hers ? anna.userId : ben.userId;
      await server.db.tx((tx) =>
        insertRow(server.db, tx, table, { ...Object.fromEntries(values), id, idempotencyKey: id }, owner),
      );
      return id;
    };
    for (const [who, planted] of [
      ["hers", hers],
      ["his", his],
    ] as const) {
      const [inRun, onPhone] = [canaryToken(), canaryToken()];
      const run = join(config.DATA_DIR, "runs", await runOf(planted));
      mkdirSync(run, { recursive: true });
      writeFileSync(join(run, "0a"), inRun);
      const id = plantedIn(planted, "phones", "id") as never;
      kept.driver.stored.set(id, { spec: {}, url: onPhone, clipboard: "", files: new Map(), apps: [] } as never);
      kept.driver.save(id, "letter.txt", onPhone);
      if (who === "hers") files.push({ name: "run file", value: inRun }, { name: "file on a phone", value: onPhone });
    }
    for (const who of [anna, ben]) {
      kept.clock.advance(10_000);
      const { id } = await ask<ExportView>(who, "mutation", "privacy.export", { idempotencyKey: "export-of-it-all" });
      await vi.waitFor(
        async () => {
          const views = await ask<ExportView[]>(who, "query", "privacy.exports");
          expect(views.find((view) => view.id === id)?.state).toBe("ready");
        },
        { timeout: 20_000, interval: 25 },
      );
    }
    const named = hers.flatMap((one): Marker[] =>
      one.token === undefined || !one.token.startsWith("zq7k") ? [] : [{ name: nameOf(one), value: one.token }],
    );
    markers = [
      ...named,
      ...files,
      { name: "her address", value: anna.email, hashed: true },
      { name: "her name", value: plantedIn(hers, "users", "fullName"), hashed: true },
    ];
    finder = markerFinder(markers);
    await stop();
    await place?.keep();
    await makeBackup(config, kept.clock, config.backupDir);
    seen.opened.push(await addressInBackup());
    await start();

    const inDatabase = finder.find(await database());
    const everything = new Set((await everywhere(finder)).map((one) => one.split(": ").at(-1) ?? ""));
    const sealed = new Set(hers.filter(isSealed).map(nameOf));
    for (const { name } of markers) {
      const isHidden = sealed.has(name) || name === "her address" || name === "her name";
      if (!isHidden && !everything.has(name)) seen.notFound.push(name);
      if (isHidden && (inDatabase.has(name) || everything.has(name))) seen.sealedFound.push(name);
    }
    seen.stores = [...new Set((await everywhere(finder)).map((one) => one.split(/[:/]/)[0] ?? ""))];
  }

  /** Her address as the day-0 backup of the database shows it, with the keys that are there now. */
  async function addressInBackup(): Promise<string> {
    if (place !== undefined) return "";
    const opened = join(folder, "opened");
    mkdirSync(opened, { recursive: true });
    const [made] = readdirSync(config.backupDir)
      .filter((name) => name.startsWith("perch-"))
      .sort();
    for (const file of ["perch.db", "perch.db.keyid"])
      cpSync(join(config.backupDir, made ?? "", file), join(opened, file));
    for (const file of ["keys.db", "keys.db.keyid"]) cpSync(join(config.DATA_DIR, file), join(opened, file));
    const { db } = await openDatabase(parseConfig({ DATA_DIR: opened, KEY_FILE: config.keyFile }));
    const { users } = db.t;
    const [row] = await db.read.select({ email: users.email }).from(users).where(eq(users.id, anna.userId));
    await db.close();
    rmSync(opened, { recursive: true });
    return row?.email ?? "";
  }

  async function eraseUnderWriters(): Promise<void> {
    seen.teamBefore = await countsOf(shared);
    seen.hisBefore = await everyRowOf(ben);
    const writers = liveWriters();
    const input = { idempotencyKey: "delete-account", confirmation: anna.email, now: true };
    const { id } = await ask<DeletionView>(anna, "mutation", "privacy.delete", input);
    const { erasures } = server.db.t;
    await vi
      .waitFor(
        async () => {
          // What a conflict with the others put off is due again.
          kept.clock.advance(100);
          const [row] = await server.db.read.select().from(erasures).where(eq(erasures.id, id));
          expect(row?.state).toBe("done");
        },
        { timeout: 40_000, interval: 25 },
      )
      .finally(() => writers.stop());
    for (const table of fenced()) {
      seen.refusals.add(
        await write(table, shared).then(
          () => `${table.name} was written`,
          (error: unknown) =>
            codeOf(error) === "account_closing" ? "account_closing" : `${table.name}: ${codeOf(error)}`,
        ),
      );
    }
    const answer = await call(server, "query", "phones.list", undefined, anna.token);
    seen.refusals.add(answer.ok ? "her token works" : answer.error.code);
    seen.hisAfter = await everyRowOf(ben);
    seen.teamAfter = await countsOf(shared);
    const ids = markerFinder([
      { name: "her id", value: anna.userId, hashed: true },
      { name: "her team", value: anna.teamId },
    ]);
    for (const table of map) {
      const rows = JSON.stringify(await server.db.read.select().from(table.table));
      for (const name of ids.find(Buffer.from(rows))) seen.idRows.push(`${table.name}: ${name}`);
    }
    const stored = markersBelow(folder, ids).flatMap((one) => one.split(": ")[0] ?? []);
    seen.idFiles = [...new Set(stored.filter((path) => !path.startsWith("data.backups/")))];
    seen.opened.push(await addressInBackup());
    seen.erased = leftOf(await everywhere(finder)).filter((one) => !one.startsWith("data.backups/"));
  }

  async function restoreOldBackup(): Promise<void> {
    await stop();
    kept.clock.advance(DAY);
    const [made] = readdirSync(config.backupDir).filter((name) => name.startsWith("perch-"));
    await restoreBackup(config, kept.clock, join(config.backupDir, made ?? ""));
    await place?.putBack();
    await start();
    seen.restored = leftOf(await everywhere(finder)).filter((one) => !one.startsWith("data.backups/"));
  }

  async function passDays(): Promise<void> {
    const begin = kept.clock.now() - DAY;
    const daysTo = async (day: number) => {
      await stop();
      kept.clock.advance(begin + day * DAY - kept.clock.now());
      await start();
      await removeOldBackups(config, kept.clock, config.backupDir);
      await makeBackup(config, kept.clock, config.backupDir);
    };
    for (const day of [8, 15, 23, 30]) await daysTo(day);
    const inBackups = [...finder.find(backups())].map((name) => `backups in clear: ${name}`);
    seen.month = leftOf([...(await everywhere(finder)), ...inBackups]);
    await daysTo(46);
    const { erasureFence } = server.db.t;
    await vi.waitFor(async () => expect(await server.db.read.select().from(erasureFence)).toEqual([]), {
      ...{ timeout: 10_000, interval: 25 },
    });
    await daysTo(61);
    const andId = markerFinder([...markers, { name: "her id", value: anna.userId, hashed: true }]);
    seen.later = leftOf([
      ...(await everywhere(finder)),
      // PostgreSQL's files may keep the random id that stood in the fence until its place is used again.
      ...(await everywhere(andId, true)),
      ...[...andId.find(backups())].map((name) => `backups in clear: ${name}`),
    ]);
  }

  it("stands on markers in every table that leads to people, each found before, and none where it is sealed", () => {
    const leading = map.filter(
      (table) =>
        !("none" in table.about.subject) || linksOf(table, "user", "email", "team", "scope", "mention").length > 0,
    );
    const without = leading.filter(({ property }) => !hers.some(({ table }) => table === property));
    // The log writes its own.
    expect(without.map(({ property }) => property)).toEqual(["auditLog"]);
    expect(hers.filter(({ token }) => token !== undefined).length).toBeGreaterThan(150);
    expect({ notFound: seen.notFound, sealedFound: seen.sealedFound }).toEqual({ notFound: [], sealedFound: [] });
    expect(seen.stores.sort()).toEqual(["data", "data.backups", "database", "phones"]);
  });

  it("lets nobody write about her any more, whatever the table, and goes on for all others", () => {
    expect(seen.tries).toBeGreaterThan(10);
    expect([...seen.refusals].sort()).toEqual(["account_closing", "unauthenticated"]);
    expect(seen.hisBefore.length).toBeGreaterThan(40);
    expect(seen.hisAfter).toEqual(seen.hisBefore);
    // What a team keeps stays, and what was written for it until the fence; her own tokens, invitations and budget go.
    const { api_tokens: _tokens, team_invitations: _invitations, budgets: _, ...keptByTeam } = seen.teamBefore;
    expect(Object.keys(keptByTeam).length).toBeGreaterThan(5);
    for (const [table, rows] of Object.entries(keptByTeam)) {
      expect([table, seen.teamAfter[table]]).toEqual([table, expect.any(Number)]);
      expect(seen.teamAfter[table]).toBeGreaterThanOrEqual(rows);
    }
  });

  it("leaves no byte of her when the erasure is done, and her address opens in no older backup", () => {
    expect(seen.erased).toEqual([]);
    expect([seen.idRows.sort(), seen.idFiles.sort()]).toEqual([KNOWN_IDS.rows, KNOWN_IDS.files]);
    expect([...seen.stays].sort()).toEqual(Object.keys(STAYS));
    if (place === undefined) expect(seen.opened).toEqual([anna.email, ERASED]);
    else expect(seen.skipped).toBe("");
  });

  it("does not come back with an old backup: it is gone again before anybody is served", () => {
    expect(seen.restored).toEqual([]);
  });

  it("is gone after thirty days from the backups, too, and then even from the ledger", () => {
    expect(seen.month).toEqual([]);
    expect(seen.later).toEqual([]);
  });
});
