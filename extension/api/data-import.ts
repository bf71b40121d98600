/** Bringing a copy of one's data from another Perch: first a look at what is in it, then the import. */
import * as z from "zod/mini";
import "../state/zod.ts";
import type { App } from "../state/compose-app.ts";
import { authorization, PRIVATE_REQUEST } from "./client.ts";

const part = z.object({ label: z.string(), items: z.number(), note: z.exactOptional(z.string()) });
const answer = z.object({ ok: z.literal(true), preview: z.object({ parts: z.array(part) }) });
const refusal = z.object({ error: z.object({ message: z.string() }) });
export type ImportPart = Readonly<z.infer<typeof part>>;

export type ImportAnswer =
  | { readonly ok: true; readonly parts: readonly ImportPart[] }
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
    if (parsed.success) return { ok: true, parts: parsed.data.preview.parts };
    const said = refusal.safeParse(json);
    return {
      ok: false,
      message: said.success ? said.data.error.message : "The server gave no clear answer. Try again.",
    };
  } catch {
    return { ok: false, message: "The server does not answer. Your file is untouched; try again when it is back." };
  }
}
