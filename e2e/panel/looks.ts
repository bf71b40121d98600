/** How a page of the panel looks: pictures in light and dark at two widths, what axe finds, and whether anything sticks out. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { PANEL_SIZE } from "./panel-page.ts";

const AXE = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

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
  await page.evaluate(AXE);
  return page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: { run(): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }> };
    };
    const { violations } = await axe.run();
    const sideways = document.documentElement.scrollWidth > innerWidth;
    return [
      ...violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => String(target)).join(", ")}`),
      ...(sideways ? ["scrolls sideways"] : []),
    ];
  });
}
