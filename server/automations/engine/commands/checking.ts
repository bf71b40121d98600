/** Assertions and waits: they only look. */
import type { Handlers, StepContext } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { conditionHolds, findElement, isGone, missed, poll, seconds, timeLeft } from "../lookup.ts";
import { isTruthy, quoted, selectorWords, wholeNumber } from "../words.ts";

const MOST_WAIT_MS = 60 * 60_000;

async function timeout(step: StepContext, template: string | undefined, fallback: number): Promise<number> {
  if (template === undefined) return fallback;
  const ms = wholeNumber(await step.expand(template), "The timeout");
  return Math.min(Math.max(ms, 0), MOST_WAIT_MS);
}

export const checking: Handlers<
  "assertVisible" | "assertNotVisible" | "assertTrue" | "extendedWaitUntil" | "waitForAnimationToEnd"
> = {
  async assertVisible(step, { selector }) {
    await findElement(step, selector);
    return undefined;
  },
  async assertNotVisible(step, { selector }) {
    const ms = timeLeft(step, step.lookupMs);
    const gone = await poll(step, ms, () => isGone(step, selector));
    if (gone === undefined) {
      const words = `${selectorWords(selector)} was still visible after ${seconds(ms)}.`;
      throw await missed(step, selector, "assertion", words, { wanted: "gone" });
    }
    return undefined;
  },
  async assertTrue(step, { condition }) {
    const value = await step.expand(condition);
    if (!isTruthy(value)) throw new StepFailure("assertion", `${condition} was "${quoted(value, 100)}", not true.`);
    return undefined;
  },
  async extendedWaitUntil(step, { condition, timeoutMs }) {
    const ms = await timeout(step, timeoutMs, step.lookupMs);
    if (await conditionHolds(step, condition, ms)) return undefined;
    const { visible, notVisible } = condition;
    if (visible !== undefined) {
      throw await missed(step, visible, "assertion", `${selectorWords(visible)} did not appear in ${seconds(ms)}.`);
    }
    if (notVisible === undefined) {
      throw new StepFailure("assertion", `The condition was still not met after ${seconds(ms)}.`);
    }
    const words = `${selectorWords(notVisible)} was still visible after ${seconds(ms)}.`;
    throw await missed(step, notVisible, "assertion", words, { wanted: "gone" });
  },
  async waitForAnimationToEnd(step, { timeoutMs }) {
    const ms = await timeout(step, timeoutMs, 15_000);
    return (await step.phone.still(ms)) ? undefined : `The picture still moved after ${seconds(ms)}.`;
  },
};
