/** Two whole servers over one PostgreSQL: whichever is asked, the node that has the phone does it. */
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CHROME_EXTENSION_ID } from "../../shared/accounts.ts";
import { type PhoneId, phoneId } from "../../shared/ids.ts";
import { connect, TestViewer, until } from "../screen/testing/client.ts";
import { call, signIn, type TestPerson } from "../testing.ts";
import { type Cluster, openCluster, type TestNode } from "./testing/cluster.ts";

const ORIGIN = `chrome-extension://${CHROME_EXTENSION_ID}`;
const url = process.env["TEST_DATABASE_URL"];
const WAITS = "url: https://a.example/\n---\n- extendedWaitUntil:\n    visible: never there\n    timeout: 600000\n";

// SQLite is one process, and PGlite is one connection of it.
describe.skipIf(url === undefined)("two nodes (need a PostgreSQL server in TEST_DATABASE_URL)", () => {
  let cluster: Cluster;
  let a: TestNode;
  let b: TestNode;
  let person: TestPerson;
  beforeAll(async () => {
    cluster = await openCluster(url ?? "");
    a = await cluster.start("a");
    b = await cluster.start("b");
    person = await signIn(a);
    await a.membership.look();
  });
  afterAll(() => cluster.dispose());

  let key = 0;
  async function asked<T>(at: TestNode, type: "query" | "mutation", path: string, input: unknown): Promise<T> {
    const answer = await call(at, type, path, input, person.token);
    if (!answer.ok) throw new Error(`${path}: ${answer.error.code} ${answer.error.message}`);
    return answer.data as T;
  }
  async function launch(at: TestNode): Promise<PhoneId> {
    key += 1;
    const { id } = await asked<{ id: string }>(at, "mutation", "phones.launch", { idempotencyKey: `phone-${key}-key` });
    return phoneId.parse(id);
  }
  const made: PhoneId[] = [];
  /** One of the phones of the first test. */
  const phoneAt = (node: TestNode): PhoneId => {
    const id = made.find((one) => node.phones.stored.has(one));
    if (id === undefined) throw new Error(`No phone is on ${node.name}.`);
    return id;
  };

  it("share new phones by room, whichever is asked", async () => {
    for (const node of [a, b, a, a]) made.push(await launch(node));
    const at = made.map((id) => (a.phones.running.has(id) ? "a" : "b"));
    expect(at.filter((one) => one === "a")).toHaveLength(2);
    expect(await asked<unknown[]>(b, "query", "phones.list", undefined)).toHaveLength(4);
  });

  it("do calls where the phone is, and answer as if they had it", async () => {
    const id = phoneAt(a);
    await asked(b, "mutation", "phones.openUrl", { phoneId: id, url: "https://shop.example/" });
    expect(a.phones.shows(id)).toBe("https://shop.example/");
    const shot = await asked<{ mimeType: string }>(b, "mutation", "phones.screenshot", { phoneId: id });
    expect(shot.mimeType).toBe("image/png");
    expect(await asked(b, "mutation", "phones.park", { phoneId: id })).toMatchObject({ state: "parked" });
    expect(a.phones.running.has(id)).toBe(false);
    expect(await asked(b, "mutation", "phones.start", { phoneId: id })).toMatchObject({ state: "running" });
    expect(a.phones.running.has(id)).toBe(true);
    const refused = await call(b, "mutation", "phones.park", { phoneId: id }, undefined);
    expect(refused).toMatchObject({ ok: false, error: { code: "unauthenticated" } });
  });

  it("split a batch about phones of both, and put its answers together in order", async () => {
    const [one, other] = [phoneAt(a), phoneAt(b)];
    const [second, first] = ["https://second.example/", "https://first.example/"];
    const body = { 0: { phoneId: other, url: second }, 1: { phoneId: one, url: first }, 2: { phoneId: "ph_x" } };
    const answer = await fetch(`${a.url}/trpc/phones.openUrl,phones.openUrl,phones.openUrl?batch=1`, {
      method: "POST",
      headers: { "content-type": "application/json", authorization: `Bearer ${person.token}` },
      body: JSON.stringify(body),
    });
    expect(answer.status).toBe(207);
    expect(await answer.json()).toMatchObject([
      { result: { data: { id: other } } },
      { result: { data: { id: one } } },
      { error: { data: { perch: { code: "bad_input" } } } },
    ]);
    expect([a.phones.shows(one), b.phones.shows(other)]).toEqual([first, second]);
  });

  it("stream a phone's file from the other node, and say its own refusals", async () => {
    const id = phoneAt(a);
    a.phones.save(id, "big.txt", "x".repeat(300_000));
    const at = (node: TestNode, name: string) =>
      fetch(`${node.url}/files/phones/${id}/${name}`, { headers: { authorization: `Bearer ${person.token}` } });
    const answer = await at(b, "big.txt");
    expect(answer.status).toBe(200);
    expect((await answer.text()).length).toBe(300_000);
    expect(answer.headers.get("content-disposition")).toContain("big.txt");
    expect((await at(b, "none.txt")).status).toBe(404);
  });

  it("take pieces of an upload at either, and the phone gets it whole", async () => {
    const id = phoneAt(a);
    const opening = { phoneId: id, purpose: "file", name: "sent.txt", bytes: 6 };
    const upload = await asked<{ id: string }>(b, "mutation", "phones.openUpload", opening);
    const send = (node: TestNode, from: number, text: string) =>
      fetch(`${node.url}/files/phones/${id}/uploads/${upload.id}`, {
        method: "PATCH",
        headers: {
          ...{ authorization: `Bearer ${person.token}`, "upload-offset": String(from) },
          "content-type": "application/offset+octet-stream",
        },
        body: text,
      });
    const first = await send(b, 0, "abc");
    expect([first.status, first.headers.get("upload-offset")]).toEqual([204, "3"]);
    expect((await send(a, 3, "def")).status).toBe(204);
    await until(() => a.phones.stored.get(id)?.files.get("sent.txt")?.length === 6, "the file on the phone");
  });

  it("pass a screen through the other node, and end it within a second when its session is revoked anywhere", async () => {
    const id = phoneAt(a);
    const guest = await signIn(a, "admin", person.teamId);
    const ticket = await call(b, "mutation", "screen.ticket", { phoneId: id, mode: "control" }, guest.token);
    if (!ticket.ok) throw new Error(ticket.error.message);
    const { ticket: secret } = ticket.data as { ticket: string };
    const viewer = await connect({ port: b.port, ticket: secret, origin: ORIGIN });
    if (!(viewer instanceof TestViewer)) throw new Error(viewer.message);
    await until(() => viewer.frames.length > 0, "a picture");
    viewer.send({ type: "text", value: "hello" } as never);
    expect(a.screen.viewers(id)).toBe(1);
    expect(b.screen.viewers(id)).toBe(0);
    // Once: the ticket is used up, at both.
    expect(await connect({ port: a.port, ticket: secret, origin: ORIGIN })).toMatchObject({ status: 401 });
    const from = performance.now();
    expect(await call(b, "mutation", "account.signOut", undefined, guest.token)).toMatchObject({ ok: true });
    await until(() => viewer.closed !== undefined, "the end");
    expect(performance.now() - from).toBeLessThan(1_000);
    expect(viewer.last("ended")).toMatchObject({ reason: "signed_out" });
  });

  it("end screens when ends of sessions may have been missed, so that everybody is looked at anew", async () => {
    const id = phoneAt(a);
    const ticket = await asked<{ ticket: string }>(a, "mutation", "screen.ticket", { phoneId: id, mode: "view" });
    const viewer = await connect({ port: a.port, ticket: ticket.ticket, origin: ORIGIN });
    if (!(viewer instanceof TestViewer)) throw new Error(viewer.message);
    await until(() => viewer.frames.length > 0, "a picture");
    await cluster.cutListeners();
    await until(() => viewer.closed !== undefined, "the end");
    expect(viewer.last("ended")).toMatchObject({ reason: "server_stopping" });
  });

  it("work on a run where its phone is, though the other was asked", async () => {
    const id = phoneAt(b);
    // About several phones, so it is sent on to nobody.
    const input = { source: WAITS, phones: { ids: [id] }, share: "each", idempotencyKey: "the-run-of-b" };
    const { runIds } = await asked<{ runIds: string[] }>(a, "mutation", "runs.startAll", input);
    const [runId] = runIds;
    const { runs } = a.db.t;
    const holder = async () =>
      (
        await a.db.read
          .select()
          .from(runs)
          .where(eq(runs.id, runId as never))
      )[0]?.holder;
    for (let tries = 0; (await holder()) == null && tries < 100; tries += 1) await new Promise(setImmediate);
    expect(await holder()).toBe(`${b.membership.id}/${b.membership.boot}`);
    expect(await asked(a, "mutation", "runs.cancel", { runId })).toMatchObject({});
    await b.automations.runner.idle();
    expect(await asked(a, "query", "runs.get", { runId })).toMatchObject({ state: "cancelled" });
  });

  it("open their own door to certificates of the register alone", async () => {
    const { makeNodeCertificate } = await import("./certificate.ts");
    const { createPeers } = await import("./peers.ts");
    const stranger = createPeers(await makeNodeCertificate());
    const [node] = a.membership.nodes().filter(({ name }) => name === "b");
    if (node === undefined) throw new Error("b is not seen.");
    const knock = { method: "POST", path: "/node/park", headers: {}, body: Buffer.from("{}") };
    await expect(stranger.request(node, knock)).rejects.toThrow("was lost while it worked");
    // And this side speaks to nobody who shows another certificate.
    const wrong = { ...node, boot: "other", certificate: "00:11" };
    await expect(stranger.request(wrong, knock)).rejects.toThrow("cannot be reached now");
    stranger.close();
  });

  it("believe nobody's word for whom they ask at the open door", async () => {
    const forged = Buffer.from(JSON.stringify({ requestId: "r", ip: "9.9.9.9", userAgent: "" })).toString("base64url");
    const answer = await fetch(`${a.url}/healthz`, { headers: { "x-perch-caller": forged } });
    expect(answer.headers.get("x-request-id")).not.toBe("r");
  });
});
