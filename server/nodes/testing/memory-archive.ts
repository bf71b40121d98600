/** Keeps what phones stored apart from every node, in the place of the bucket. */
import type { ProfileArchive } from "../../phones/profile-archive.ts";
import type { FakeDriver } from "../../phones/testing/fake-driver.ts";

export function memoryArchive(stored: FakeDriver["stored"], kept: FakeDriver["stored"]): ProfileArchive {
  return {
    async archive(id) {
      const phone = stored.get(id);
      if (phone !== undefined) kept.set(id, phone);
    },
    async restore(id) {
      const phone = kept.get(id);
      if (phone === undefined) throw new Error("Nothing was kept.");
      stored.set(id, phone);
      return true;
    },
    has: async (id) => kept.has(id),
    remove: async (id) => ({ files: kept.delete(id) ? 1 : 0 }),
  };
}
