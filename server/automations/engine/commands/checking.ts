/** Assertions and waits: they only look. */
import type { Handlers, StepContext } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { conditionHolds, findElement, lookOnce, poll, seconds, timeLeft } from "../lookup.ts";
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
    const gone = await poll(step, ms, async () => ((await lookOnce(step, selector)) === undefined ? true : undefined));
    if (gone === undefined) {
      throw new StepFailure("assertion", `${selectorWords(selector)} was still visible after ${seconds(ms)}.`);
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
      throw new StepFailure("assertion", `${selectorWords(visible)} did not appear in ${seconds(ms)}.`);
    }
    const words = notVisible === undefined ? "The condition" : selectorWords(notVisible);
    throw new StepFailure(
      "assertion",
      `${words} was still ${notVisible ? "visible" : "not met"} after ${seconds(ms)}.`,
    );
  },
  async waitForAnimationToEnd(step, { timeoutMs }) {
    const ms = await timeout(step, timeoutMs, 15_000);
    return (await step.phone.still(ms)) ? undefined : `The picture still moved after ${seconds(ms)}.`;
  },
};
