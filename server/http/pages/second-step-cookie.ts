/** A sign-in that waits for its second answer is held by a cookie: only the browser that gave the password goes on. */
import { dropCookie, readCookie, writeCookie } from "../cookies.ts";
import type { PageCall, PageServices } from "./page-context.ts";

export function holdSecondStep(c: PageCall, { publicUrl }: PageServices, continuation: string): void {
  writeCookie(c, "secondStep", publicUrl, continuation);
}

export function heldSecondStep(c: PageCall, { publicUrl }: PageServices): string | undefined {
  return readCookie(c, "secondStep", publicUrl);
}

export function letGoSecondStep(c: PageCall, { publicUrl }: PageServices): void {
  dropCookie(c, "secondStep", publicUrl);
}
