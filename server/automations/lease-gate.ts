/**
 * Who of this process may touch a phone. A lease counts until the moment it was last renewed to, and only as long as no
 * newer one of the same phone was opened: a worker that was away too long finds the door shut (fencing).
 */
import type { PhoneId } from "../../shared/ids.ts";
import type { Clock } from "../clock.ts";
import type { Lease } from "./runs.repo.ts";

export interface LeaseGate {
  open(lease: Lease, until: Date): void;
  holds(lease: Lease): boolean;
  close(lease: Lease): void;
}

/** `mayAct`: whether leases of this process count at all. */
export function createLeaseGate(clock: Clock, mayAct: () => boolean = () => true): LeaseGate {
  const newest = new Map<PhoneId, { readonly fence: number; readonly until: number }>();
  return {
    open({ phoneId, fence }, until) {
      const known = newest.get(phoneId);
      if (known === undefined || known.fence <= fence) newest.set(phoneId, { fence, until: until.getTime() });
    },
    holds({ phoneId, fence }) {
      const known = newest.get(phoneId);
      return known !== undefined && known.fence === fence && clock.now() < known.until && mayAct();
    },
    close({ phoneId, fence }) {
      if (newest.get(phoneId)?.fence === fence) newest.delete(phoneId);
    },
  };
}
