/** Files of runs, one folder a run, each encrypted and bound to its place (AES-256-GCM). */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { idPattern, type RunId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";

export interface ArtifactStore {
  /** Keeps bytes; gives the file's name in the run's folder. */
  write(run: RunId, bytes: Uint8Array): Promise<string>;
  /** @throws PerchError `not_found` */
  read(run: RunId, file: string): Promise<Buffer>;
  remove(runs: readonly RunId[]): Promise<void>;
  /** Runs that have a folder. */
  runs(): Promise<RunId[]>;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;

export function createArtifactStore(options: { folder: string; key: Buffer }): ArtifactStore {
  const { folder, key } = options;
  const place = (run: RunId, file: string) => Buffer.from(`${run}/${file}`);
  return {
    async write(run, bytes) {
      const file = randomBytes(12).toString("hex");
      const iv = randomBytes(IV_BYTES);
      const cipher = createCipheriv("aes-256-gcm", key, iv).setAAD(place(run, file));
      const sealed = Buffer.concat([iv, cipher.update(bytes), cipher.final()]);
      await mkdir(join(folder, run), { recursive: true, mode: 0o700 });
      await writeFile(join(folder, run, file), Buffer.concat([sealed, cipher.getAuthTag()]), { mode: 0o600 });
      return file;
    },
    async read(run, file) {
      try {
        const sealed = await readFile(join(folder, run, file));
        const decipher = createDecipheriv("aes-256-gcm", key, sealed.subarray(0, IV_BYTES))
          .setAAD(place(run, file))
          .setAuthTag(sealed.subarray(-TAG_BYTES));
        return Buffer.concat([decipher.update(sealed.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
      } catch (cause) {
        throw new PerchError("not_found", "There is no such file of this run.", { cause });
      }
    },
    async remove(runs) {
      for (const run of runs) await rm(join(folder, run), { recursive: true, force: true });
    },
    async runs() {
      const names: string[] = await readdir(folder).catch(() => []);
      return names.filter(isRunId);
    },
  };
}

function isRunId(name: string): name is RunId {
  return idPattern("run").test(name);
}
