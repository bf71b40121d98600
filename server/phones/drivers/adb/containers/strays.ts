/** What is on a host and should not be: containers and volumes without a row, and phones that run though nobody wants them to. */
import type { PhoneHostId, PhoneId } from "../../../../../shared/ids.ts";
import type { PhoneState } from "../../../../../shared/phones.ts";
import type { Clock } from "../../../../clock.ts";
import { errorFields, type Log } from "../../../../log.ts";
import type { Engine, ListedContainer } from "./engine.ts";
import { PHONE_LABEL, SERVER_LABEL } from "./plans.ts";

/** So long something may look wrong because its row or its container is just being made, or a server just began. */
const GRACE_MS = 2 * 60_000;
/** Of these the container may run, or will be taken over when the phone is started again. */
const WANTED: ReadonlySet<PhoneState> = new Set(["creating", "starting", "running", "parking"]);

export interface SweepOf {
  readonly host: PhoneHostId;
  readonly engine: Engine;
  readonly there: readonly ListedContainer[];
  readonly places: readonly { readonly phoneId: PhoneId; readonly volume: string; readonly state: PhoneState }[];
}

export function createStrays(options: { clock: Clock; log: Log; instance: string; label: string }) {
  const { clock, log, instance, label } = options;
  /** Since when each has looked wrong, by host and name. */
  const since = new Map<string, number>();

  return {
    /** Takes away what has looked wrong for the whole grace. */
    async sweep({ host, engine, there, places }: SweepOf): Promise<void> {
      const byPhone = new Map(places.map((place) => [String(place.phoneId), place]));
      const suspects = new Map<string, () => Promise<void>>();
      for (const container of there) {
        if (container.labels[SERVER_LABEL] !== instance) continue;
        const place = byPhone.get(container.labels[PHONE_LABEL] ?? "");
        const isWanted = place !== undefined && WANTED.has(place.state);
        if (!isWanted) suspects.set(`${host} container ${container.id}`, () => engine.remove(container.id));
      }
      const volumes = new Set(places.map(({ volume }) => volume));
      for (const { name, labels } of await engine.volumes(label)) {
        if (labels[SERVER_LABEL] !== instance || volumes.has(name)) continue;
        suspects.set(`${host} volume ${name}`, () => engine.removeVolume(name));
      }
      for (const key of since.keys()) if (key.startsWith(`${host} `) && !suspects.has(key)) since.delete(key);
      for (const [key, remove] of suspects) {
        const first = since.get(key) ?? clock.now();
        since.set(key, first);
        if (clock.now() - first < GRACE_MS) continue;
        try {
          await remove();
          since.delete(key);
          log.warn("Something without a phone was taken off a host", { kind: key.split(" ")[1] });
        } catch (error) {
          log.warn("Something without a phone is left on a host", { kind: key.split(" ")[1], ...errorFields(error) });
        }
      }
    },
  };
}
