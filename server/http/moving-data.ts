/** A person's data on its way out and in: downloads of exports, uploads of those of other servers. */
import type { Context, MiddlewareHandler } from "hono";
import { PerchError } from "../errors.ts";
import { type ExportArchives, passphraseInput } from "../privacy/export/exports.service.ts";
import type { DataImports } from "../privacy/export/import/import.service.ts";
import { type Actor, secondFactorRefusal, standingRefusal, type TeamScope, teamScope } from "../teams/team-scope.ts";

/** A file to keep, never a page of ours: what a phone or a flow brings is never run. */
export function asDownload(c: Context, mimeType: string, name: string): void {
  c.header("Content-Type", mimeType);
  c.header("Content-Disposition", `attachment; filename*=UTF-8''${encodeURIComponent(name).replaceAll("'", "%27")}`);
  c.header("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'");
}

/** Plain forms, or nothing at all. */
export const formOnly: MiddlewareHandler = async (c, next) => {
  const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "" && type !== "application/x-www-form-urlencoded") {
    throw new PerchError("unsupported_media_type", "Forms must be sent as application/x-www-form-urlencoded.");
  }
  await next();
};

/** Uses a ticket up and sends the archive; the passphrase of the form is used and forgotten. */
export async function sendExport(
  c: Context,
  copies: Pick<ExportArchives, "redeem">,
  ticket: string,
): Promise<Response> {
  const { passphrase } = await c.req.parseBody();
  const { fileName, bytes, mimeType, content } = await copies.redeem(ticket, checkedPassphrase(passphrase, true));
  asDownload(c, mimeType, fileName);
  if (bytes !== undefined) c.header("Content-Length", String(bytes));
  return c.body(content);
}

/** @throws PerchError `bad_input` for one that is too short, where one is chosen */
function checkedPassphrase(given: unknown, chosen: boolean): string | undefined {
  const text = typeof given === "string" ? given : "";
  if (!chosen) return text === "" ? undefined : text.slice(0, 1_000);
  const parsed = passphraseInput.safeParse(text);
  if (parsed.success) return parsed.data;
  const words = parsed.error.issues[0]?.message ?? "This is no passphrase.";
  throw new PerchError("bad_input", words, { fields: { passphrase: words } });
}

/** Where what a person brings goes: their team, if they may make things in it. @throws PerchError */
export function importScope(actor: Actor | undefined): TeamScope {
  if (actor === undefined) throw new PerchError("unauthenticated", "Sign in first.");
  if (actor.lacksSecondFactor) throw secondFactorRefusal();
  if (actor.standing !== "active") throw standingRefusal(actor.standing);
  const scope = teamScope(actor, "phones:control");
  if (scope === undefined || !actor.scopes.includes("privacy") || !actor.scopes.includes("phones:control")) {
    throw new PerchError("forbidden", "You may not bring data into this team. Switch to a team of your own.");
  }
  return scope;
}

/** The file and the passphrase of a form, taken in. */
export async function importForm(c: Context, imports: DataImports, scope: TeamScope, mode: "preview" | "apply") {
  const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
  if (type !== "multipart/form-data") {
    throw new PerchError("unsupported_media_type", "Send the file as multipart/form-data.");
  }
  const { file, passphrase } = await c.req.parseBody().catch((cause: unknown) => {
    throw new PerchError("bad_input", "This form cannot be read. Send it again.", { cause });
  });
  if (!(file instanceof File) || file.size === 0) {
    const words = "Choose the file of the export.";
    throw new PerchError("bad_input", words, { fields: { file: words } });
  }
  const bytes = new Uint8Array(await file.arrayBuffer());
  return imports[mode](scope, bytes, checkedPassphrase(passphrase, false));
}
