/** What axe (https://github.com/dequelabs/axe-core) finds wrong on a page as it is shown now. */
import { readFileSync } from "node:fs";
import type { Page } from "playwright-core";

const AXE = readFileSync(new URL("../../node_modules/axe-core/axe.min.js", import.meta.url), "utf8");

/** Every rule runs; only of what is wrong axe also says where it stands. */
export async function axeProblems(page: Page): Promise<readonly string[]> {
  // Half a megabyte of script, once for each document.
  if (await page.evaluate(() => !("axe" in globalThis))) await page.evaluate(AXE);
  return page.evaluate(async () => {
    // The script above has put it there; its own types are of a module.
    const { axe } = globalThis as unknown as {
      axe: {
        run(options: object): Promise<{ violations: { id: string; nodes: { target: unknown }[] }[] }>;
      };
    };
    const { violations } = await axe.run({ resultTypes: ["violations"] });
    return violations.map(({ id, nodes }) => `${id} at ${nodes.map(({ target }) => String(target)).join(", ")}`);
  });
}
