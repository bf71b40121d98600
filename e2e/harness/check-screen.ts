/** What every screen is held to, whoever shows it. */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { axeProblems } from "./axe.ts";

const WIDTHS = [360, 320] as const;
const HEIGHT = 740;

/** Axe, the page's width against the window's, and a picture, in light at the first width and in the dark at the last. */
export async function check(page: Page, name: string, widths: readonly number[] = WIDTHS): Promise<void> {
  const problems: string[] = [];
  // Every width and every colour scheme once: what axe finds depends on one or the other.
  for (const [colorScheme, width] of [
    ["light", widths[0]],
    ["dark", widths.at(-1)],
  ] as const) {
    await page.setViewportSize({ width: width ?? 0, height: HEIGHT });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    // The picture waits for a frame in the new colours; before it, axe may compare those of both schemes.
    await page.screenshot({ path: `e2e/out/${name}-${width}-${colorScheme}.png`, animations: "disabled" });
    const found = await axeProblems(page);
    const wide = await page.evaluate(() => {
      const over = document.documentElement.scrollWidth - document.documentElement.clientWidth;
      return over > 0 ? [`${over} px wider than the window: ${widest()}`] : [];
      /** The innermost elements that reach beyond the window. */
      function widest(): string {
        const beyond = [...document.querySelectorAll("body *")].filter(
          (each) => each.getBoundingClientRect().right > document.documentElement.clientWidth,
        );
        const innermost = beyond.filter((each) => !beyond.some((other) => other !== each && each.contains(other)));
        return innermost.map(({ tagName, className }) => `${tagName}.${String(className)}`).join(", ");
      }
    });
    problems.push(...[...found, ...wide].map((problem) => `${name} ${width} ${colorScheme}: ${problem}`));
  }
  expect.soft(problems).toEqual([]);
}
