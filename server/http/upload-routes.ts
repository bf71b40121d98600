/** Where the bytes of uploads come in, as tus 1.0.0 words it (tus.io/protocols/resumable-upload, core protocol). */
import type { Context, Hono } from "hono";
import type { Scope } from "../../shared/access.ts";
import { phoneId, uploadId } from "../../shared/ids.ts";
import { UPLOAD_PIECE_BYTES, uploadPath } from "../../shared/uploads.ts";
import type { AppEnv } from "../app.ts";
import { PerchError } from "../errors.ts";
import type { UploadOffset, UploadsService } from "../files/uploads.service.ts";
import type { LimitName } from "../limits/rate-limiter.ts";
import type { TeamScope } from "../teams/team-scope.ts";

export const UPLOAD_ROUTE = uploadPath(":phone", ":upload");
const ADDRESS = new RegExp(`^${uploadPath("[^/]+", "[^/]+")}$`);

/** Its body is bounded here, by the piece. */
export function isUploadPiece(method: string, path: string): boolean {
  return method === "PATCH" && ADDRESS.test(path);
}

export type Caller = (
  c: Context<AppEnv>,
  scope: Scope & `phones:${string}`,
  refusal: string,
  limit: LimitName,
) => Promise<TeamScope>;

export function addUploadRoutes(
  app: Hono<AppEnv>,
  options: { readonly caller: Caller; readonly uploads: Pick<UploadsService, "offset" | "receive"> },
): void {
  const named = async (c: Context<AppEnv>) => {
    const scope = await options.caller(c, "phones:control", "You may not put files on this phone.", "upload");
    const [phone, upload] = [phoneId.safeParse(c.req.param("phone")), uploadId.safeParse(c.req.param("upload"))];
    if (!phone.success || !upload.success)
      throw new PerchError("not_found", "There is no such upload. Send the file again.");
    return [scope, phone.data, upload.data] as const;
  };
  const tell = (c: Context<AppEnv>, { received, bytes }: UploadOffset) => {
    c.header("Upload-Offset", String(received));
    c.header("Upload-Length", String(bytes));
    return c.body(null, 204);
  };
  // Hono answers HEAD with what GET would, without a body.
  app.get(UPLOAD_ROUTE, async (c) => tell(c, await options.uploads.offset(...(await named(c)))));
  app.patch(UPLOAD_ROUTE, async (c) => {
    const about = await named(c);
    const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
    if (type !== "application/offset+octet-stream") {
      throw new PerchError("unsupported_media_type", "Pieces must be sent as application/offset+octet-stream.");
    }
    const offset = c.req.header("upload-offset") ?? "";
    if (!/^\d{1,12}$/.test(offset)) throw new PerchError("bad_input", "Say with Upload-Offset where the piece begins.");
    if (Number(c.req.header("content-length") ?? 0) > UPLOAD_PIECE_BYTES) {
      throw new PerchError("too_large", "This piece is larger than the server takes at once.");
    }
    return tell(c, await options.uploads.receive(...about, Number(offset), c.req.raw.body ?? nothing()));
  });
}

async function* nothing(): AsyncGenerator<Uint8Array, void, undefined> {}
