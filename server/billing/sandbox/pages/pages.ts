/** The sandbox's pages, to be mounted at `/sandbox`. Hosted ones are reached by ids nobody can guess, as Stripe's are. */
import { Hono } from "hono";
import { PerchError } from "../../../errors.ts";
import { errorPage, formGuard, type PagesEnv, pageHeaders } from "../../../http/pages/page-context.ts";
import type { Refusals } from "../../../http/refusals.ts";
import type { Log } from "../../../log.ts";
import type { Acts } from "../acts.ts";
import type { SandboxControls } from "../sandbox.ts";
import { checkoutPage } from "./checkout-page.ts";
import { controlsPage } from "./controls-page.ts";
import { invoicePage } from "./invoice-page.ts";
import { portalPage } from "./portal-page.ts";

export interface PageParts {
  readonly acts: Acts;
  readonly controls: SandboxControls;
  readonly pay: SandboxControls["pay"];
}

export function createSandboxPages(
  parts: PageParts,
  { publicUrl, log, refusals }: { publicUrl: URL; log: Log; refusals: Refusals },
): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  pages.onError((error, c) => errorPage(c, error, { log, refusals }));
  pages.use(pageHeaders(publicUrl));
  pages.use(formGuard(publicUrl));
  controlsPage(pages, parts);
  checkoutPage(pages, parts);
  invoicePage(pages, parts);
  portalPage(pages, parts);
  pages.all("*", () => {
    throw new PerchError("not_found", "There is no such page in the billing sandbox.");
  });
  return pages;
}
