/** Uploads of the stub in memory: `shared/uploads.ts`'s procedures, and its HEAD and PATCH for the bytes. Tests say what happens next. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { newId, type PhoneId, type UploadId } from "../../shared/ids.ts";
import type { Upload, UploadPurpose } from "../../shared/uploads.ts";
import type { StubTeam } from "./stub-team.ts";

interface Held {
  readonly phoneId: PhoneId;
  upload: Upload;
  bytes: Buffer;
}

export class StubUploads {
  readonly all = new Map<UploadId, Held>();
  /** Pieces are refused as by a broken network while this is true. */
  away = false;
  /** Pieces wait until this settles. */
  hold: Promise<void> | undefined;
  /** Whole files stay on their way to the phone until `finish`. */
  stays = false;
  /** Why the phone does not take a whole file. */
  refuses: string | undefined;
  readonly #team: StubTeam;

  constructor(team: StubTeam) {
    this.#team = team;
  }

  open(phoneId: PhoneId, purpose: UploadPurpose, name: string, bytes: number, received = 0): Upload {
    const id = newId("upload");
    const createdAt = new Date().toISOString();
    const upload: Upload = { id, purpose, name, bytes, received, put: 0, state: "receiving", createdAt };
    this.all.set(id, { phoneId, upload, bytes: Buffer.alloc(received) });
    return upload;
  }

  list(phoneId: PhoneId): Upload[] {
    return [...this.all.values()].filter((held) => held.phoneId === phoneId).map(({ upload }) => upload);
  }

  /** The phone has all of it. */
  finish(): void {
    for (const held of this.all.values()) if (held.upload.state === "putting") this.#done(held);
  }

  /** HEAD and PATCH of `/files/phones/<id>/uploads/<id>`. */
  async serve(request: IncomingMessage, response: ServerResponse, uploadId: string): Promise<void> {
    const held = this.all.get(uploadId as UploadId);
    if (this.away) return void request.socket.destroy();
    if (held === undefined) return void response.writeHead(404).end();
    const offset = () => response.setHeader("Upload-Offset", String(held.bytes.length));
    if (request.method === "HEAD") return void offset().writeHead(200).end();
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    await this.hold;
    if (this.away) return void request.socket.destroy();
    if (Number(request.headers["upload-offset"]) !== held.bytes.length) return void offset().writeHead(409).end();
    held.bytes = Buffer.concat([held.bytes, ...chunks]);
    held.upload = { ...held.upload, received: held.bytes.length };
    if (held.bytes.length === held.upload.bytes) {
      held.upload = { ...held.upload, state: "putting" };
      if (this.refuses !== undefined) held.upload = { ...held.upload, state: "failed", message: this.refuses };
      else if (!this.stays) this.#done(held);
    }
    offset().writeHead(204).end();
  }

  #done(held: Held): void {
    const { phoneId, upload } = held;
    held.upload = { ...upload, state: "done", put: upload.bytes };
    if (upload.purpose === "app") {
      const apps = this.#team.apps.get(phoneId) ?? [];
      const label = upload.name.replace(/\.apk$/, "");
      this.#team.apps.set(phoneId, [...apps, { id: `org.example.${label.toLowerCase()}`, label, system: false }]);
      return;
    }
    const files = this.#team.files.get(phoneId) ?? [];
    const { name, bytes } = upload;
    this.#team.files.set(phoneId, [...files, { name, bytes, savedAt: new Date().toISOString() }]);
  }
}
