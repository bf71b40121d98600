/** Uploads over HTTP, as a client makes them. */
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { UPLOAD_PIECE_BYTES, type Upload, uploadPath } from "../../shared/uploads.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";

describe("an upload over HTTP", () => {
  let server: TestServer;
  let person: TestPerson;
  let phone: string;
  beforeAll(async () => {
    server = await startTestServer();
    person = await signIn(server);
    phone = (await done<{ id: string }>("phones.launch", { idempotencyKey: "the-phone" })).id;
  });
  afterAll(() => server.dispose());

  async function done<T>(path: string, input: unknown): Promise<T> {
    const answer = await call(server, "mutation", path, input, person.token);
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.data as T;
  }
  const open = async (bytes: number) =>
    (await done<Upload>("phones.openUpload", { phoneId: phone, purpose: "file", name: "a.txt", bytes })).id;
  const send = (method: "HEAD" | "PATCH", id: string, headers: Record<string, string> = {}, body?: string) =>
    fetch(`${server.url}${uploadPath(phone, id)}`, {
      method,
      headers: {
        authorization: `Bearer ${person.token}`,
        origin: `chrome-extension://${CHROME_EXTENSION_ID}`,
        ...(method === "PATCH" && { "content-type": "application/offset+octet-stream", "upload-offset": "0" }),
        ...headers,
      },
      ...(body !== undefined && { body }),
    });

  it("goes on from where HEAD says, and reaches the phone", async () => {
    const id = await open(6);
    const first = await send("PATCH", id, {}, "abc");
    expect([first.status, first.headers.get("upload-offset")]).toEqual([204, "3"]);
    const head = await send("HEAD", id);
    expect([head.status, head.headers.get("upload-offset"), head.headers.get("upload-length")]).toEqual([
      204,
      "3",
      "6",
    ]);
    expect(head.headers.get("access-control-expose-headers")).toContain("Upload-Offset");
    expect((await send("PATCH", id, {}, "abc")).status).toBe(409);
    expect((await send("PATCH", id, { "upload-offset": "3" }, "def")).status).toBe(204);
    const [stored] = [...server.phones.stored.values()];
    await vi.waitFor(() => expect(Buffer.from(stored?.files.get("a.txt") ?? []).toString()).toBe("abcdef"));
  });

  it.each([
    ["without a token", { authorization: "" }, "a", 401],
    ["as another kind of body", { "content-type": "application/json" }, "a", 415],
    ["without a place to begin", { "upload-offset": "x" }, "a", 400],
    ["with more than one piece may have", {}, "x".repeat(UPLOAD_PIECE_BYTES + 1), 413],
    ["with more than the file has", {}, "x".repeat(11), 413],
    ["from another site", { origin: "https://evil.example" }, "a", 403],
  ] as const)("ABUSE-35 refuses a piece %s", async (_how, headers, body, status) => {
    const id = await open(10);
    expect((await send("PATCH", id, headers, body)).status).toBe(status);
    expect((await send("HEAD", id)).headers.get("upload-offset")).toBe("0");
  });

  it("ABUSE-35 is refused to who may only watch", async () => {
    const id = await open(10);
    const viewer = await signIn(server, "viewer", person.teamId);
    expect((await send("PATCH", id, { authorization: `Bearer ${viewer.token}` }, "a")).status).toBe(403);
    const stranger = await signIn(server);
    expect((await send("PATCH", id, { authorization: `Bearer ${stranger.token}` }, "a")).status).toBe(404);
  });
});
