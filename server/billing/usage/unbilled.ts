/** Where no bills are sent: everything runs, nothing is written but when phones ran. */
import { PAY_AS_YOU_GO } from "../../../shared/billing/catalogue.ts";
import type { EntitlementsOf, Ledger } from "../ports.ts";

export const UNBILLED_LEDGER: Pick<Ledger, "funds" | "post"> = {
  funds: async () => ({
    ...{ unbilled: true, dedicated: new Set(), slots: 0, grants: [], wallet: 0, overage: 0 },
    ...{ rate: PAY_AS_YOU_GO, timeZone: "UTC", days: [] },
  }),
  post: async () => [],
};

/** Months of UTC, and limits nobody reaches. */
export const UNBILLED_ENTITLEMENTS: EntitlementsOf = {
  of: async (_reader, _teamId, at) => ({
    ...{ plan: "free", cycle: undefined, addOns: { slot: 0, dedicated: 0, seat: 0, storage: 0 } },
    ...{ phonesAtOnce: Number.MAX_SAFE_INTEGER, seats: Number.MAX_SAFE_INTEGER, storageMb: Number.MAX_SAFE_INTEGER },
    month: {
      from: new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth())),
      to: new Date(Date.UTC(at.getUTCFullYear(), at.getUTCMonth() + 1)),
    },
    ...{ includedMs: 0, standing: "good", stopsAt: undefined, walletFrozen: false, overageCap: 0, timeZone: "UTC" },
  }),
};
