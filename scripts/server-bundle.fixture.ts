// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a template of a flow.
/** A program that needs the threads; bundled and run by `server-bundle.test.ts`. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Sqlite from "better-sqlite3";
import { checkPicture } from "../server/automations/engine/picture-check.ts";
import { openScriptEngine } from "../server/automations/script/engine.ts";
import { createCheckpoints, type LogState } from "../server/db/checkpoints.ts";

const engine = openScriptEngine({ platform: "web", seed: "run", http: async () => ({ ok: false, message: "none" }) });
const script = await engine.renderTemplate("${[1, 2].map((n) => n * 21)[1]}");
await engine.dispose();
const question = { expected: undefined, actual: new Uint8Array(), bounds: undefined, threshold: 95 };
const picture = await checkPicture(question, new AbortController().signal);
const folder = mkdtempSync(join(tmpdir(), "perch-bundle-"));
const key = new Uint8Array(32);
const db = new Sqlite(join(folder, "a.db"));
db.pragma(`key = "x'${Buffer.from(key).toString("hex")}'"`);
db.pragma("journal_mode = WAL");
const checkpoints = createCheckpoints(db, { file: db.name, key });
db.exec("create table t as select zeroblob(4000000)");
checkpoints.committed();
await checkpoints.rest();
const { log, checkpointed } = db.prepare<[], LogState>("pragma wal_checkpoint(NOOP)").get() ?? {};
await checkpoints.close();
db.close();
rmSync(folder, { recursive: true });
console.log(JSON.stringify({ script, picture, isLogWrittenBack: log === checkpointed }));
