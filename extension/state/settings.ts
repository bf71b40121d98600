/** What the person chose: the server, the look, the phone pages go to. */
import * as z from "zod/mini";
import { phoneId } from "./ids.ts";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const settingsSchema = z.object({
  /** Origin of the server; absent before the welcome page found one. */
  server: z.exactOptional(z.string()),
  theme: z.enum(THEMES),
  /** Version of the disclosure the person agreed to; absent: nothing may be sent yet. */
  agreed: z.exactOptional(z.int()),
  /** Where "Open on phone" opens; absent: the phone used last. */
  defaultPhoneId: z.exactOptional(phoneId),
});
export type Settings = Readonly<z.infer<typeof settingsSchema>>;

export function settingsStore(): Stored<Settings> {
  return stored<Settings>({
    area: "local",
    key: "settings",
    version: 1,
    schema: settingsSchema,
    initial: { theme: "system" },
  });
}

/** Puts the chosen look on the page; "system" leaves it to the browser. */
export function applyTheme(theme: Theme): void {
  if (theme === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
}
