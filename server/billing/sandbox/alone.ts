/** One piece of work after the other, each on a view of its own, committed when it resolves. */
import type { Clock } from "../../clock.ts";
import type { MakeId } from "./ids.ts";
import { settingsOf } from "./settings.ts";
import type { SandboxStore } from "./store.ts";
import { type RequestMark, View } from "./view.ts";

/** `nowMs`: the sandbox's time for it, where that is not the present. */
export type Alone = <T>(mark: RequestMark, work: (view: View) => Promise<T>, nowMs?: number) => Promise<T>;

/** Work that no call asked for. */
export const NOBODY: RequestMark = { id: null, idempotencyKey: null };

export function createAlone(options: {
  readonly store: SandboxStore;
  readonly clock: Clock;
  readonly id: MakeId;
  /** Something was written. */
  readonly changed: () => void;
}): Alone {
  const { store, clock, id } = options;
  let last: Promise<unknown> = Promise.resolve();
  return (mark, work, at) => {
    const run = async () => {
      const { aheadMs } = await settingsOf(new View({ store, id, nowMs: 0 }));
      const nowMs = at ?? clock.now() + aheadMs;
      const view = new View({ store, id, nowMs, aheadMs, mark });
      const made = await work(view);
      if (await view.commit(nowMs)) options.changed();
      return made;
    };
    const mine = last.then(run, run);
    last = mine.catch(() => undefined);
    return mine;
  };
}
