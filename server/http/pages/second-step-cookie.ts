/** A sign-in that waits for its second answer is held by a cookie: only the browser that gave the password goes on. */
import { deleteCookie, getCookie, setCookie } from "hono/cookie";
import { SECOND_STEP_MS } from "../../accounts/sign-in-steps.ts";
import { cookieName, type PageCall, type PageServices } from "./page-context.ts";

const nameOf = (services: PageServices) => `${cookieName(services.publicUrl)}-second`;

export function holdSecondStep(c: PageCall, services: PageServices, continuation: string): void {
  setCookie(c, nameOf(services), continuation, {
    httpOnly: true,
    sameSite: "Strict",
    path: "/",
    secure: services.publicUrl.protocol === "https:",
    maxAge: SECOND_STEP_MS / 1000,
  });
}

export function heldSecondStep(c: PageCall, services: PageServices): string | undefined {
  return getCookie(c, nameOf(services));
}

export function letGoSecondStep(c: PageCall, services: PageServices): void {
  deleteCookie(c, nameOf(services), { path: "/", secure: services.publicUrl.protocol === "https:" });
}
