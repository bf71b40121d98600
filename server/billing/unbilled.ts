/** Where no bills are sent: nobody is kept from anything by a plan; only whose midnight days begin at is the team's own. */
import type { EntitlementsOf } from "./ports.ts";

const NO_LIMIT = Number.MAX_SAFE_INTEGER;

export function withoutBills(inner: EntitlementsOf): EntitlementsOf {
  return {
    async of(reader, teamId, at) {
      const may = await inner.of(reader, teamId, at);
      return {
        ...{ ...may, plan: "free", cycle: undefined, addOns: { slot: 0, dedicated: 0, seat: 0, storage: 0 } },
        ...{ phonesAtOnce: NO_LIMIT, seats: NO_LIMIT, storageMb: NO_LIMIT, includedMs: 0 },
        ...{ standing: "good", stopsAt: undefined, walletFrozen: false, overageCap: 0 },
      };
    },
  };
}
