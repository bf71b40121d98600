/** Closing an announcement: which ones were closed stands in this browser's cookie alone. */
import { Hono } from "hono";
import { z } from "zod";
import { announcementId } from "../../../shared/announcements.ts";
import { writeCookie } from "../cookies.ts";
import { closedAnnouncements, formFields, type PageServices, type PagesEnv, parseFields } from "./page-context.ts";

/** More are not shown at once, and older ones are over. */
const REMEMBERED = 10;
const close = z.object({
  id: announcementId,
  next: z
    .string()
    .regex(/^\/(?!\/)[\w/-]*$/)
    .catch("/"),
});

export function announcementPage({ publicUrl }: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  pages.post("/announcement/close", async (c) => {
    const { id, next } = parseFields(close, await formFields(c));
    const closed = [...new Set([...closedAnnouncements(c, publicUrl), id])];
    writeCookie(c, "closed", publicUrl, closed.slice(-REMEMBERED).join("."));
    return c.redirect(next, 303);
  });
  return pages;
}
