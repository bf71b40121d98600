/** Bringing a copy of one's data from another Perch: first a look at what is in it, then the import. */
import * as z from "zod/mini";
import "../state/zod.ts";
import type { App } from "../state/compose-app.ts";
import { authorization, PRIVATE_REQUEST } from "./client.ts";

export const IMPORT_KINDS = ["phone", "flow", "file", "rule", "profile", "statement", "preference"] as const;
export type ImportKind = (typeof IMPORT_KINDS)[number];

const item = z.object({
  kind: z.enum(IMPORT_KINDS),
  name: z.string(),
  /** `here`: there already. */
  change: z.enum(["new", "here", "left_out"]),
  /** Why it is left out, or what is different. */
  reason: z.exactOptional(z.string()),
});
const answer = z.object({
  madeAt: z.string(),
  /** The address it was made for. */
  email: z.string(),
  items: z.array(item),
  /** What never comes along and has to be made anew, in sentences. */
  again: z.array(z.string()),
});
const refusal = z.object({ error: z.object({ message: z.string() }) });
export type DataImport = Readonly<z.infer<typeof answer>>;

export type ImportAnswer =
  | { readonly ok: true; readonly content: DataImport }
  /** What is wrong and what to do. */
  | { readonly ok: false; readonly message: string };

/** `preview` reads and changes nothing; `apply` brings it in and gives what was brought. */
export async function sendImport(
  app: App,
  server: string,
  mode: "preview" | "apply",
  copy: { readonly file: File; readonly passphrase: string },
): Promise<ImportAnswer> {
  const token = (await app.tokens.get(server))?.token;
  const body = new FormData();
  body.set("file", copy.file);
  if (copy.passphrase !== "") body.set("passphrase", copy.passphrase);
  try {
    const response = await fetch(`${server}/privacy/import?mode=${mode}`, {
      ...PRIVATE_REQUEST,
      method: "POST",
      headers: authorization(token),
      body,
    });
    const json: unknown = await response.json();
    const parsed = answer.safeParse(json);
    if (parsed.success) return { ok: true, content: parsed.data };
    const said = refusal.safeParse(json);
    return {
      ok: false,
      message: said.success ? said.data.error.message : "The server gave no clear answer. Try again.",
    };
  } catch {
    return { ok: false, message: "The server does not answer. Your file is untouched; try again when it is back." };
  }
}
