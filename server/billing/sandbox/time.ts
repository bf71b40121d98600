/** Lets time pass: does what falls due in its order, and tells the endpoint on the way. */
import type { Clock } from "../../clock.ts";
import { type Alone, NOBODY } from "./alone.ts";
import type { Deliveries } from "./deliveries.ts";
import { type Due, dueThings } from "./due.ts";
import { changeSettings, settingsOf } from "./settings.ts";
import type { Delivery, View } from "./view.ts";

const SECOND = 1_000;
const HOUR = 3_600;
const DAY = 24 * HOUR;
const EVENTS_KEPT = 30 * DAY;
const ANSWERS_KEPT = DAY;
/** More than a long move of the clock needs; past it something goes round in circles. */
const MAX_STEPS = 20_000;

/** What other processes wrote is seen after at most this long. */
const LOOK_AGAIN_MS = 10_000;

export interface Time {
  /** Something was written: what is due may be sooner than thought. */
  changed(): void;
  now(): Promise<number>;
  /** Does what is due by now. */
  catchUp(): Promise<void>;
  move(ms: number): Promise<void>;
  /** Brings every test clock that was told to advance to where it was told to. */
  advanceTestClocks(): Promise<void>;
}

export function createTime(options: {
  readonly alone: Alone;
  readonly clock: Clock;
  readonly deliveries: Deliveries;
  readonly pages: string;
  readonly settled: () => Promise<void>;
}): Time {
  const { alone, clock, deliveries, pages, settled } = options;
  const now = () => alone(NOBODY, async (view) => clock.now() + (await settingsOf(view)).aheadMs);

  async function tell(moves: boolean): Promise<void> {
    if ((await deliveries.send(await now())) > 0 && moves) await settled();
  }

  /** Does everything of the next moment until `target`, or resolves with false. Milliseconds of that moment otherwise. */
  async function step(target: number, moves: boolean): Promise<boolean> {
    const next = await alone(NOBODY, async (view) => {
      const { doneUntil } = await settingsOf(view);
      const due = await dueThings(view, null, doneUntil, true, pages);
      const at = earliest(due, Math.floor(target / SECOND));
      const retry = moves ? await earliestRetry(view, target) : undefined;
      return retry !== undefined && (at === undefined || retry < at * SECOND)
        ? { at: retry, due: false }
        : at && { at: at * SECOND, due: true };
    });
    if (!next) return false;
    if (moves) await alone(NOBODY, async (view) => setAhead(view, clock, next.at));
    if (!next.due) return true;
    await alone(
      NOBODY,
      async (view) => {
        const { doneUntil } = await settingsOf(view);
        const at = next.at / SECOND;
        for (const one of await dueThings(view, null, doneUntil, true, pages)) if (one.at <= at) await one.run(view);
        await changeSettings(view, { doneUntil: Math.max(doneUntil, at) });
      },
      Math.max(next.at, 0),
    );
    return true;
  }

  async function through(target: number, moves: boolean): Promise<void> {
    for (let steps = 0; await step(target, moves); steps++) {
      if (steps > MAX_STEPS) throw new Error("The billing sandbox's time goes round in circles.");
      if (moves) await tell(true);
    }
    await alone(NOBODY, async (view) => {
      if (moves) await setAhead(view, clock, target);
      const { doneUntil } = await settingsOf(view);
      const now = Math.floor(target / SECOND);
      // Not at every tick: a row would be written each time for nothing.
      if (!moves && now < doneUntil + HOUR) return;
      await changeSettings(view, { doneUntil: Math.max(doneUntil, now) });
      await forget(view);
    });
    await tell(moves);
  }

  async function advance(id: string): Promise<void> {
    for (let steps = 0; steps < MAX_STEPS; steps++) {
      const goesOn = await alone(NOBODY, async (view) => {
        const test = await view.need("test_helpers.test_clock", id);
        const target = test.status_details.advancing?.target_frozen_time ?? test.frozen_time;
        const due = await dueThings(view, id, test.frozen_time, false, pages);
        const at = earliest(due, target);
        await view.put({ ...test, frozen_time: Math.max(test.frozen_time, at ?? target) });
        for (const one of due) if (at !== undefined && one.at <= at) await one.run(view);
        if (at !== undefined) return true;
        const ready = { ...(await view.need("test_helpers.test_clock", id)), status: "ready", status_details: {} };
        await view.save(ready, "test_helpers.test_clock.ready");
        return false;
      });
      await tell(true);
      if (!goesOn) return;
    }
  }

  /** Until when nothing is due, as far as this process knows. */
  let quietUntil = 0;

  async function catchUp(): Promise<void> {
    const start = await now();
    if (start < quietUntil) return;
    // A change from here on means another look.
    quietUntil = Infinity;
    let next = 0;
    try {
      await through(start, false);
      next = await lookAhead(start);
    } finally {
      quietUntil = Math.min(quietUntil, next);
    }
  }

  function lookAhead(start: number): Promise<number> {
    return alone(NOBODY, async (view) => {
      const { doneUntil } = await settingsOf(view);
      const due = (await dueThings(view, null, doneUntil, true, pages)).map(({ at }) => at * SECOND);
      const waiting = (await view.listInner<Delivery>("delivery")).map(({ object }) => object.dueAt);
      return Math.min(start + LOOK_AGAIN_MS, ...due, ...waiting);
    });
  }

  return {
    now,
    changed: () => {
      quietUntil = 0;
    },
    catchUp,
    move: async (ms) => through((await now()) + ms, true),
    async advanceTestClocks() {
      const clocks = await alone(NOBODY, (view) => view.list("test_helpers.test_clock"));
      for (const { id, status } of clocks) if (status === "advancing") await advance(id);
    },
  };
}

function earliest(due: readonly Due[], until: number): number | undefined {
  const moments = due.map(({ at }) => at).filter((at) => at <= until);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

/** Retries of webhooks are moments too when the clock is moved: drafts wait for them. */
async function earliestRetry(view: View, until: number): Promise<number | undefined> {
  const moments = (await view.listInner<Delivery>("delivery"))
    .map(({ object }) => object.dueAt)
    .filter((at) => at > view.now * SECOND && at <= until);
  return moments.length === 0 ? undefined : Math.min(...moments);
}

async function setAhead(view: View, clock: Clock, now: number): Promise<void> {
  const { aheadMs } = await settingsOf(view);
  await changeSettings(view, { aheadMs: Math.max(aheadMs, now - clock.now()) });
}

/** What Stripe would not know any more either. */
async function forget(view: View): Promise<void> {
  for (const event of await view.list("event")) {
    if (event.created < view.now - EVENTS_KEPT) await view.remove("event", event.id);
  }
  // A session of nobody's may hold an address; no team takes it along.
  for (const session of await view.list("checkout.session")) {
    if (session.customer !== null || session.status === "open" || session.created > view.now - EVENTS_KEPT) continue;
    await view.remove("checkout.session", session.id);
  }
  for (const { id, object } of await view.listInner<{ at: number }>("idempotency")) {
    if (object.at < view.now - ANSWERS_KEPT) await view.remove("idempotency", id);
  }
}
