/** How a page of the panel looks: pictures in light and dark at two widths, what axe finds, and whether anything sticks out. */
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { axeProblems } from "../harness/axe.ts";
import { PANEL_SIZE } from "./panel-page.ts";

/** Every width and every colour scheme once: what axe finds depends on one or the other. */
export const LOOKS = [
  { width: PANEL_SIZE.width, colorScheme: "light" },
  { width: 320, colorScheme: "dark" },
] as const;

/** Pictures go to `e2e/out/<name>-<width>-<scheme>.png`. `height`: for a page that is longer than the panel. */
export async function checkLooks(page: Page, name: string, height = PANEL_SIZE.height): Promise<void> {
  for (const { width, colorScheme } of LOOKS) {
    await page.setViewportSize({ width, height });
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.screenshot({ path: `e2e/out/${name}-${width}-${colorScheme}.png`, animations: "disabled" });
    expect.soft(await problems(page), `${name}, ${width}, ${colorScheme}`).toEqual([]);
  }
  await page.setViewportSize(PANEL_SIZE);
}

/** What axe finds, and whether the page scrolls sideways. */
export async function problems(page: Page): Promise<readonly string[]> {
  const found = await axeProblems(page);
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
  return [...found, ...(sideways ? ["scrolls sideways"] : [])];
}
