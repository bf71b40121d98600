/** Which host a new phone goes to. Pure, so that two servers asked the same choose the same. */
import type { PhoneHostId } from "../../../../../shared/ids.ts";

export interface PlaceCandidate {
  readonly id: PhoneHostId;
  readonly region: string;
  /** Phones it may keep, parked ones too. */
  readonly capacity: number;
  readonly taken: number;
  readonly draining: boolean;
}
export interface PlaceWish {
  /** Hosts that answer and have the image. */
  readonly usable: ReadonlySet<PhoneHostId>;
  /** Nothing but this region will do. */
  readonly region: string | undefined;
  /** Better there, all else aside. */
  readonly near: string;
}

/** Near first, then where most is free, then by id: never on a host that is full, drained or not usable. */
export function choosePlace(hosts: readonly PlaceCandidate[], wish: PlaceWish): PhoneHostId | undefined {
  const free = (host: PlaceCandidate) => host.capacity - host.taken;
  const far = (host: PlaceCandidate) => (host.region === wish.near ? 0 : 1);
  const [best] = hosts
    .filter((host) => wish.usable.has(host.id) && !host.draining && free(host) > 0)
    .filter((host) => wish.region === undefined || host.region === wish.region)
    .sort((a, b) => far(a) - far(b) || free(b) - free(a) || (a.id < b.id ? -1 : 1));
  return best?.id;
}
