/** Reads a page for rules: what they need of it, once, and if an element is awaited, once more when it came. */
import { extractPage } from "../../shared/rules/extract-page.ts";
import type { PageFacts, PageNeeds } from "../../shared/rules/page-facts.ts";
import { readPageFacts } from "../../shared/rules/read-page-facts.ts";
import { type PageTarget, runInPage } from "../platform/scripting.ts";

/** All that is done in one document for rules, in ms of its thread. */
export const PAGE_BUDGET_MS = 20;
const WAIT_MS = 10_000;

/** Undefined: the browser lets us not, the document is gone, or its answer is none. */
export async function readPage(
  target: PageTarget,
  needs: PageNeeds,
  budgetMs: number = PAGE_BUDGET_MS,
): Promise<PageFacts | undefined> {
  const answer = await runInPage(target, extractPage, needs, budgetMs);
  return answer.ok ? readPageFacts(answer.value, needs) : undefined;
}

/** Waits until one of the counts grows, or time or budget is over; gives the ms of work, undefined when nothing came. */
export async function waitForElement(target: PageTarget, counted: PageFacts["dom"]): Promise<number | undefined> {
  const answer = await runInPage(target, awaitMore, [...counted], WAIT_MS, PAGE_BUDGET_MS / 2);
  return answer.ok && typeof answer.value === "number" ? answer.value : undefined;
}

/** Runs in the page and stands alone, as `extractPage` does. Resolves to the ms of work, or null when nothing came. */
function awaitMore(counted: PageFacts["dom"], waitMs: number, budgetMs: number): Promise<number | null> {
  const LOOK_EVERY_MS = 150;
  const MAX_VISIBLE_TRIED = 50;
  const countOf = ({ css, visible }: PageFacts["dom"][number]): number => {
    try {
      const found = Document.prototype.querySelectorAll.call(document, css);
      if (!visible) return found.length;
      const options = { checkOpacity: true, checkVisibilityCSS: true };
      return Array.from({ length: Math.min(found.length, MAX_VISIBLE_TRIED) }, (_, index) => found[index]).filter(
        (element) => element !== undefined && Element.prototype.checkVisibility.call(element, options),
      ).length;
    } catch {
      return 0;
    }
  };
  return new Promise((resolve) => {
    let spent = 0;
    let looking: ReturnType<typeof setTimeout> | undefined;
    const end = (value: number | null) => {
      observer.disconnect();
      clearTimeout(looking);
      clearTimeout(over);
      resolve(value);
    };
    const look = () => {
      looking = undefined;
      const started = performance.now();
      const came = counted.some((one) => one.count >= 0 && countOf(one) > one.count);
      spent += performance.now() - started;
      if (came) end(spent);
      else if (spent >= budgetMs) end(null);
    };
    const observer = new MutationObserver(() => {
      looking ??= setTimeout(look, LOOK_EVERY_MS);
    });
    const over = setTimeout(() => end(null), waitMs);
    observer.observe(document, { childList: true, subtree: true, attributes: true });
    looking = setTimeout(look, 0);
  });
}
