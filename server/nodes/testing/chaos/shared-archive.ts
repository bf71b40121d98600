/** Where phones are kept outside every node: a folder all of them reach, in the place of the bucket. */
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { ProfileArchive } from "../../../phones/profile-archive.ts";
import type { ChaosDriver } from "./chaos-driver.ts";

export function sharedArchive(folder: string, local: string, driver: () => ChaosDriver): ProfileArchive {
  mkdirSync(folder, { recursive: true });
  const kept = (id: PhoneId) => join(folder, `${id}.json`);
  const here = (id: PhoneId) => join(local, `${id}.json`);
  return {
    async archive(id) {
      if (driver().running.has(id) || !existsSync(here(id))) return;
      copyFileSync(here(id), `${kept(id)}.new`);
      renameSync(`${kept(id)}.new`, kept(id));
    },
    async restore(id) {
      if (!existsSync(kept(id))) return false;
      if (!driver().stored.has(id)) {
        copyFileSync(kept(id), here(id));
        driver().take(id);
      }
      return true;
    },
    has: async (id) => existsSync(kept(id)),
    async remove(id) {
      const was = existsSync(kept(id));
      rmSync(kept(id), { force: true });
      return { files: was ? 1 : 0 };
    },
  };
}
