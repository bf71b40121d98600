/** The payment page that was opened last, so that closing the panel while paying loses nothing. Forgotten with the browser. */
import * as z from "zod/mini";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

const pendingSchema = z.object({
  /** Origin of the server it was opened at; for another one it says nothing. */
  server: z.string(),
  checkoutId: z.string(),
  url: z.string(),
  /** What is bought, in words: `Solo, $12.00 a month`. */
  what: z.string(),
  /** It was said that it is paid. */
  told: z.exactOptional(z.boolean()),
});
export type PendingCheckout = Readonly<z.infer<typeof pendingSchema>>;

export function pendingCheckout(): Stored<PendingCheckout | undefined> {
  return stored<PendingCheckout | undefined>({
    area: "session",
    key: "checkout",
    version: 1,
    schema: z.optional(pendingSchema),
    initial: undefined,
  });
}
