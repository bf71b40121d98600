/** tapOn, doubleTapOn, longPressOn. */
import type { Selector, TapOptions } from "../../../../shared/flows/model.ts";
import type { UiElement, UiTree } from "../../../../shared/ui-tree.ts";
import type { Handlers, StepContext } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { press, tap } from "../gestures.ts";
import { poll, touchPlace } from "../lookup.ts";
import { selectorWords, wholeNumber } from "../words.ts";

const BETWEEN_TAPS_MS = 100;
const LONG_PRESS_MS = 3_000;
const MOST_REPEATS = 100;
const CHANGE_MS = 1_000;

async function tapAll(
  step: StepContext,
  selector: Selector,
  options: TapOptions,
  touch: (spot: { x: number; y: number }) => Promise<void>,
): Promise<string | undefined> {
  const times =
    options.repeat === undefined ? 1 : wholeNumber(await step.expand(options.repeat), "The number of repetitions");
  if (times > MOST_REPEATS) {
    throw new StepFailure("phone_cannot", `A tap repeats at most ${MOST_REPEATS} times, not ${times}.`);
  }
  // Repeated no times, Maestro taps once.
  for (let time = 1; time <= Math.max(times, 1); time += 1) {
    if (time > 1) await step.pace.sleep(options.delayMs ?? BETWEEN_TAPS_MS, step.signal);
    const place = await touchPlace(step, selector, options.waitToSettleTimeoutMs);
    if (place.element !== undefined && !place.element.enabled) {
      await step.log(`${selectorWords(selector)} is disabled; it was touched all the same, as Maestro does.`);
    }
    const before = options.retryTapIfNoChange === true ? picture(await step.phone.elements()) : undefined;
    await touch(place);
    if (before !== undefined && !(await changed(step, before))) await touch(await touchPlace(step, selector));
  }
  // `waitUntilVisible` asks for what `touchPlace` does anyway: nothing is touched that cannot be seen.
  return undefined;
}

const FIELDS: ReadonlySet<string> = new Set(["textbox", "searchbox", "spinbutton", "combobox"]);

/** What the screen shows. That a touch gave a button the focus is no answer to it; a field answers so. */
function picture({ root }: UiTree): string {
  return JSON.stringify(root, function (this: Partial<UiElement>, key: string, value: unknown) {
    return key === "focused" && !FIELDS.has(this.role ?? "") ? undefined : value;
  });
}

async function changed(step: StepContext, before: string): Promise<boolean> {
  const found = await poll(step, CHANGE_MS, async () =>
    picture(await step.phone.elements()) === before ? undefined : true,
  );
  return found === true;
}

export const touching: Handlers<"tapOn" | "doubleTapOn" | "longPressOn"> = {
  tapOn: (step, { selector, ...options }) => tapAll(step, selector, options, (spot) => tap(step, spot)),
  doubleTapOn: (step, { selector, ...options }) =>
    tapAll(step, selector, options, async (spot) => {
      await tap(step, spot);
      await step.pace.sleep(options.delayMs ?? BETWEEN_TAPS_MS, step.signal);
      await tap(step, spot);
    }),
  longPressOn: (step, { selector, ...options }) =>
    tapAll(step, selector, options, (spot) => press(step, spot, LONG_PRESS_MS)),
};
