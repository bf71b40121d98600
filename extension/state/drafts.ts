/** What a person typed and did not send: popups close on any click beside them, and typing twice is no fun. */
import * as z from "zod/mini";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

/** Kept until the browser closes. `key` names the field, e.g. "welcome.address". */
export function draft(key: string): Stored<string> {
  return stored<string>({
    area: "session",
    key: `draft.${key}`,
    version: 1,
    schema: z.string().check(z.maxLength(8192)),
    initial: "",
  });
}
