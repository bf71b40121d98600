/** All pages of the server, as one Hono app to be mounted at the root. */
import { Hono } from "hono";
import { PerchError } from "../../errors.ts";
import { registeredCookiesOnly } from "../cookies.ts";
import { accountPages } from "./account-pages.ts";
import { announcementPage } from "./announcement-page.ts";
import { billingPages } from "./billing-pages.ts";
import { connectPage } from "./connect-page.ts";
import { dataPage } from "./data-page.ts";
import { dataRequestPages } from "./data-request-pages.ts";
import { deletionPages } from "./deletion-pages.ts";
import { emailPages } from "./email-pages.ts";
import { invitePage } from "./invite-page.ts";
import { mailPreviewPage } from "./mail-preview-page.ts";
import { operatorPage } from "./operator-page.ts";
import { errorPage, formGuard, type PageServices, type PagesEnv, pageHeaders } from "./page-context.ts";
import { passkeysPage } from "./passkeys-page.ts";
import { privacyPages } from "./privacy-pages.ts";
import { provePage } from "./prove-page.ts";
import { publicPages } from "./public-pages.ts";
import { recordsPage } from "./records-page.ts";
import { recoveryPages } from "./recovery-pages.ts";
import { signInPages } from "./sign-in-pages.ts";
import { standingPage } from "./standing-page.ts";
import { trustPage } from "./trust-page.ts";
import { uninstalledPage } from "./uninstalled-page.ts";

export function createPages(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  pages.onError((error, c) => errorPage(c, error, services));
  pages.use(registeredCookiesOnly(services.publicUrl));
  pages.use(pageHeaders(services.publicUrl));
  pages.use(formGuard(services.publicUrl));
  const groups = [
    publicPages,
    announcementPage,
    privacyPages,
    operatorPage,
    trustPage,
    recordsPage,
    dataRequestPages,
    accountPages,
    signInPages,
    provePage,
    passkeysPage,
    emailPages,
    recoveryPages,
    standingPage,
    dataPage,
    deletionPages,
    connectPage,
    invitePage,
    uninstalledPage,
    billingPages,
    mailPreviewPage,
  ];
  for (const group of groups) {
    pages.route("/", group(services));
  }
  pages.all("*", () => {
    throw new PerchError("not_found", "There is no such page. Check the address, or go to the start.");
  });
  return pages;
}
