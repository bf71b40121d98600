/** A team's files beside its flows, their contents, the files runs saw, and suites. Always within a team. */
import { createHash } from "node:crypto";
import { and, asc, eq, inArray, notExists, sql } from "drizzle-orm";
import type { RunId, SuiteId, TeamId } from "../../shared/ids.ts";
import type { Database, Reader, Writer } from "../db/database.ts";
import type { Tables } from "../db/tables.ts";
import type { TeamScope } from "../teams/team-scope.ts";
import type { RunRow } from "./runs.repo.ts";

export type FileRow = Tables["workspaceFiles"]["$inferSelect"];
export type SuiteRow = Tables["suites"]["$inferSelect"];

export interface FileBytes {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** The SHA-256 a content is kept under. */
export function contentHash(id: string): string {
  return id.slice(id.indexOf("/") + 1);
}

export interface WorkspacesRepo {
  /** In the order of their paths; read within `tx` where one is given. */
  list(scope: TeamScope, tx?: Writer): Promise<FileRow[]>;
  find(scope: TeamScope, path: string): Promise<{ row: FileRow; bytes: Uint8Array } | undefined>;
  put(tx: Writer, scope: TeamScope, file: FileBytes, at: Date): Promise<void>;
  /** False when there was none. Its content goes with the next `release`. */
  delete(tx: Writer, scope: TeamScope, path: string): Promise<boolean>;
  /** What a run may reach, as it is now. */
  keepForRun(tx: Writer, teamId: TeamId, run: RunId, files: readonly FileBytes[], at: Date): Promise<void>;
  ofRun(run: RunId): Promise<FileBytes[]>;
  /** Removes contents of the team that no file and no run holds any more. */
  release(tx: Writer, teamId: TeamId): Promise<void>;
  /** The same for any team, at most `limit` at once; gives how many. */
  releaseSome(limit: number): Promise<number>;
  insertSuite(tx: Writer, row: SuiteRow): Promise<void>;
  findSuite(scope: TeamScope, id: SuiteId): Promise<SuiteRow | undefined>;
  findSuiteAnywhere(id: SuiteId): Promise<SuiteRow | undefined>;
  findSuiteByKey(tx: Writer, teamId: TeamId, key: string): Promise<SuiteRow | undefined>;
  /** In their order. */
  runsOf(id: SuiteId): Promise<RunRow[]>;
}

export function createWorkspacesRepo(db: Database): WorkspacesRepo {
  const { workspaceFiles, fileContents, runFiles, suites, runs } = db.t;
  const held = sql`1`;
  const unheld = (reader: Reader) =>
    and(
      notExists(reader.select({ held }).from(workspaceFiles).where(eq(workspaceFiles.content, fileContents.id))),
      notExists(reader.select({ held }).from(runFiles).where(eq(runFiles.content, fileContents.id))),
    );
  const one = (scope: TeamScope, path: string) =>
    and(eq(workspaceFiles.teamId, scope.teamId), eq(workspaceFiles.path, path));

  async function keep(tx: Writer, teamId: TeamId, bytes: Uint8Array, at: Date): Promise<string> {
    const id = `${teamId}/${createHash("sha256").update(bytes).digest("base64url")}`;
    const row = { id, teamId, bytes: bytes.length, content: Buffer.from(bytes), createdAt: at };
    await tx.insert(fileContents).values(row).onConflictDoNothing();
    return id;
  }

  return {
    list: async (scope, tx) =>
      (tx ?? db.read)
        .select()
        .from(workspaceFiles)
        .where(eq(workspaceFiles.teamId, scope.teamId))
        .orderBy(asc(workspaceFiles.path)),
    async find(scope, path) {
      const [found] = await db.read
        .select({ row: workspaceFiles, bytes: fileContents.content })
        .from(workspaceFiles)
        .innerJoin(fileContents, eq(fileContents.id, workspaceFiles.content))
        .where(one(scope, path));
      return found;
    },
    async put(tx, scope, { path, bytes }, at) {
      const content = await keep(tx, scope.teamId, bytes, at);
      const value = { content, bytes: bytes.length, createdBy: scope.userId, updatedAt: at };
      await tx
        .insert(workspaceFiles)
        .values({ ...value, teamId: scope.teamId, path })
        .onConflictDoUpdate({ target: [workspaceFiles.teamId, workspaceFiles.path], set: value });
    },
    async delete(tx, scope, path) {
      const rows = await tx.delete(workspaceFiles).where(one(scope, path)).returning({ path: workspaceFiles.path });
      return rows.length === 1;
    },
    async keepForRun(tx, teamId, runId, files, at) {
      for (const { path, bytes } of files) {
        const content = await keep(tx, teamId, bytes, at);
        await tx.insert(runFiles).values({ runId, path, content, at });
      }
    },
    ofRun: async (run) =>
      db.read
        .select({ path: runFiles.path, bytes: fileContents.content })
        .from(runFiles)
        .innerJoin(fileContents, eq(fileContents.id, runFiles.content))
        .where(eq(runFiles.runId, run)),
    release: async (tx, teamId) =>
      void (await tx.delete(fileContents).where(and(eq(fileContents.teamId, teamId), unheld(tx)))),
    async releaseSome(limit) {
      // Looked for outside the transaction: nobody waits for the look.
      const { id } = fileContents;
      const found = await db.read.select({ id }).from(fileContents).where(unheld(db.read)).limit(limit);
      if (found.length === 0) return 0;
      const ids = found.map((row) => row.id);
      await db.tx((tx) => tx.delete(fileContents).where(and(inArray(id, ids), unheld(tx))));
      return found.length;
    },
    insertSuite: async (tx, row) => void (await tx.insert(suites).values(row)),
    async findSuite(scope, id) {
      const [row] = await db.read
        .select()
        .from(suites)
        .where(and(eq(suites.id, id), eq(suites.teamId, scope.teamId)));
      return row;
    },
    async findSuiteAnywhere(id) {
      const [row] = await db.read.select().from(suites).where(eq(suites.id, id));
      return row;
    },
    async findSuiteByKey(tx, teamId, key) {
      const [row] = await tx
        .select()
        .from(suites)
        .where(and(eq(suites.teamId, teamId), eq(suites.idempotencyKey, key)));
      return row;
    },
    runsOf: async (id) => db.read.select().from(runs).where(eq(runs.suiteId, id)).orderBy(asc(runs.turn)),
  };
}
