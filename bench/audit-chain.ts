/** How long a chain of a million audit entries takes to verify, beside SHA-256 over the same rows. */
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { createAudit } from "../server/audit/audit.repo.ts";
import { ALL_CHAINS, commit, GENESIS, link, sealOf, WHOLE } from "../server/audit/chain.repo.ts";
import { systemClock } from "../server/clock.ts";
import { openSqlite } from "../server/db/sqlite.ts";
import { MIGRATIONS } from "../server/db/testing.ts";
import type { Benchmark, Figure } from "./benchmark.ts";

const ENTRIES = 1_000_000;
const CHAIN = "tem_0000000000000000000000";

export const auditChain: Benchmark = {
  name: "audit-chain",
  title: "Verifying an audit chain",
  about:
    `\`audit verify\` of one chain of ${ENTRIES.toLocaleString("en")} entries in the encrypted SQLite file: every link, every commitment to a personal part, ` +
    "the sealed head. Beside it the naive way, one SHA-256 over the same rows in their order, which notices a change and cannot tell where.",
  run: benchAuditChain,
};

async function benchAuditChain(): Promise<readonly Figure[]> {
  const folder = await mkdtemp(join(tmpdir(), "perch-bench-audit-"));
  const file = join(folder, "perch.db");
  const [key, seal] = [randomBytes(32), randomBytes(32)];
  const open = () => openSqlite({ file, key, migrationsFolder: join(MIGRATIONS, "sqlite") });
  try {
    await (await open()).close();
    seed(file, key, seal);
    const naive = sha256OfRows(file, key);
    const db = await open();
    try {
      const start = performance.now();
      const state = await createAudit(db, systemClock, seal).verify(CHAIN);
      const ours = performance.now() - start;
      if (state.entries !== ENTRIES || state.brokenAt !== undefined) throw new Error(JSON.stringify(state));
      return [
        {
          ...{ name: "1,000,000 entries", unit: "ms", median: ours },
          beside: { name: "one SHA-256 over the rows", median: naive },
          aim: { of: "median", atMost: 20_000 },
        },
        { name: "entries", unit: "1/s", median: ENTRIES / (ours / 1_000) },
      ];
    } finally {
      await db.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function connect(file: string, key: Buffer): Sqlite.Database {
  const db = new Sqlite(file);
  db.pragma(`key = "x'${key.toString("hex")}'"`);
  return db;
}

/** Straight into the file; linked by the functions that link them in a server. */
function seed(file: string, key: Buffer, seal: Buffer): void {
  const db = connect(file, key);
  db.pragma("synchronous = OFF");
  const insert = db.prepare(
    `insert into audit_log (chain, seq, action, at, actor, object, detail, salt, commitment, prev, hash)
     values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const action = "phone.renamed";
  let prev = GENESIS;
  const add = (seq: number) => {
    const at = new Date(1_767_225_600_000 + seq * 1_000);
    const [actor, object] = [`usr_${String(seq % 50).padStart(22, "0")}`, `pho_${String(seq % 900).padStart(22, "0")}`];
    const detail = { kind: "name" };
    const salt = Buffer.from(String(seq).padStart(16, "s")).toString("base64url");
    const commitment = commit({ at, actor, object, detail, salt });
    const hash = link(prev, seq, action, commitment);
    insert.run(CHAIN, seq, action, at.getTime(), actor, object, JSON.stringify(detail), salt, commitment, prev, hash);
    prev = hash;
  };
  const head = db.prepare(
    "insert into audit_heads (chain, entries, hash, start, start_hash, mac) values (?, ?, ?, 0, null, ?)",
  );
  db.transaction(() => {
    for (let seq = 1; seq <= ENTRIES; seq += 1) add(seq);
    for (const one of [
      { chain: CHAIN, entries: ENTRIES, hash: prev, ...WHOLE },
      { chain: ALL_CHAINS, entries: 1, hash: GENESIS, ...WHOLE },
    ]) {
      head.run(one.chain, one.entries, one.hash, sealOf(seal, one));
    }
  })();
  db.pragma("wal_checkpoint(TRUNCATE)");
  db.close();
}

function sha256OfRows(file: string, key: Buffer): number {
  const db = connect(file, key);
  const start = performance.now();
  const hash = createHash("sha256");
  for (const row of db.prepare("select * from audit_log where chain = ? order by seq").raw().iterate(CHAIN)) {
    hash.update(JSON.stringify(row));
  }
  hash.digest();
  const took = performance.now() - start;
  db.close();
  return took;
}
