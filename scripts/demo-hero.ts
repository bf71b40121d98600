/** Puts the pictures of a tab and of the side panel beside each other, as they stand in the browser's window. */
import type { ExtensionBrowser } from "../e2e/harness/chromium.ts";

export interface HeroParts {
  readonly tab: Buffer;
  readonly panel: Buffer;
  /** Where the result goes. */
  readonly path: string;
}

export async function heroPicture(browser: ExtensionBrowser, { tab, panel, path }: HeroParts): Promise<void> {
  const page = await browser.context.newPage();
  const source = (image: Buffer) => `data:image/png;base64,${image.toString("base64")}`;
  await page.setContent(`<!doctype html><style>
body{margin:0;background:#dfe6e8;padding:24px;width:max-content}
main{display:flex;gap:1px;background:#c5d0d4;border-radius:12px;overflow:hidden;box-shadow:0 8px 30px #0003;height:760px}
.tab{width:880px;height:760px;object-fit:cover;object-position:top left}
.panel{height:760px;width:auto}
</style><main><img class="tab" src="${source(tab)}"><img class="panel" src="${source(panel)}"></main>`);
  await page.locator("body").screenshot({ path });
  await page.close();
}
