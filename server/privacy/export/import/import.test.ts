import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import { eq } from "drizzle-orm";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ZipFile } from "yazl";
import { newId } from "../../../../shared/ids.ts";
import { DEFAULT_PROFILE } from "../../../../shared/phones.ts";
import type { DataImport, ExportDownload } from "../../../../shared/privacy.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../../../testing.ts";
import { FORMAT, FORMAT_VERSION, MANIFEST } from "../manifest.ts";
import { type ReadArchive, readArchive } from "../testing.ts";

const FLOW = "appId: https://shop.example\n---\n- launchApp\n";

describe("moving here", () => {
  let there: TestServer;
  let here: TestServer;
  let anna: TestPerson;
  let archive: Buffer;
  beforeAll(async () => {
    [there, here] = await Promise.all([startTestServer(), startTestServer()]);
    anna = await signIn(there);
    await fill(there, anna);
    archive = await exported(there, anna);
  });
  afterAll(() => Promise.all([there.dispose(), here.dispose()]));

  const asked = async (
    server: TestServer,
    type: "query" | "mutation",
    path: string,
    input: unknown,
    { token }: TestPerson,
  ) => {
    const answer = await call(server, type, path, input, token);
    if (!answer.ok) throw new Error(`${path} ${answer.error.code}: ${answer.error.message}`);
    return answer.data;
  };

  /** One of everything that may move, and what may not. */
  async function fill(server: TestServer, person: TestPerson) {
    const change = (path: string, input: unknown) => asked(server, "mutation", path, input, person);
    const { id: phoneId } = (await change("phones.launch", {
      idempotencyKey: "the-phone",
      name: "Shop phone",
      settings: { locale: "de-DE" },
    })) as { id: string };
    await change("phones.tag", { phoneId, tags: ["shop"] });
    const { id: flowId } = (await change("flows.save", { name: "Shop", source: FLOW, path: "shop/main.yaml" })) as {
      id: string;
    };
    await change("flows.save", { name: "Apart", source: FLOW });
    await change("workspaces.saveFile", { path: "shop/a.js", base64: Buffer.from("output.a = 1").toString("base64") });
    const rule = {
      id: newId("rule"),
      name: "When at the shop",
      scope: ["https://shop.example/*"],
      when: { all: [] },
      action: { flowId, phone: phoneId },
    };
    await change("rules.save", { rule });
    await change("secrets.set", { name: "SHOP_PASSWORD", value: "zq7ksecret" });
    await change("webhooks.create", { name: "From CI", flowId, phone: phoneId });
    await change("account.updateProfile", { fullName: "Anna Example" });
    await change("privacy.dispute", { category: "user.behavior", text: "I was not at the shop that day." });
    await change("privacy.preferences", { metrics: false });
  }

  async function exported(server: TestServer, person: TestPerson): Promise<Buffer> {
    await asked(server, "mutation", "privacy.export", { idempotencyKey: newId("dataExport") }, person);
    const { dataExports } = server.db.t;
    const [row] = await vi.waitUntil(async () => {
      const rows = await server.db.read.select().from(dataExports).where(eq(dataExports.userId, person.userId));
      return rows.every(({ state }) => state === "ready") && rows;
    }, 20_000);
    const { url } = (await asked(
      server,
      "mutation",
      "privacy.downloadExport",
      { exportId: row?.id },
      person,
    )) as ExportDownload;
    const response = await fetch(url, { method: "POST" });
    return Buffer.from(await response.arrayBuffer());
  }

  const send = async (file: Buffer, token: string | undefined, mode = "preview", passphrase = "") => {
    const form = new FormData();
    form.set("file", new Blob([new Uint8Array(file)]), "perch-data.zip");
    form.set("passphrase", passphrase);
    const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const response = await fetch(`${here.url}/privacy/import?mode=${mode}`, { method: "POST", body: form, headers });
    return {
      status: response.status,
      body: (await response.json()) as DataImport & { error?: { code: string; message: string } },
    };
  };
  const taken = async (file: Buffer, { token }: TestPerson, mode = "apply"): Promise<DataImport> => {
    here.clock.advance(1_000);
    const { status, body } = await send(file, token, mode);
    if (status !== 200) throw new Error(body.error?.message);
    return body;
  };
  /** What may move, without ids and moments of the server. */
  const movable = (read: ReadArchive) => {
    const names = new Map([...read.lines("phones"), ...read.lines("flows")].map(({ id, name }) => [id, name]));
    const rows = (table: string, ...columns: string[]) =>
      read
        .lines(table)
        .map((row) => JSON.stringify(columns.map((column) => row[column])))
        .sort();
    return {
      phones: rows("phones", "name", "driver", "profile", "settings", "tags", "rotated"),
      flows: rows("flows", "name", "source", "path"),
      files: [...read.files]
        .filter(([path]) => path.startsWith("files/workspace/"))
        .map(([path, bytes]) => [path, createHash("sha256").update(bytes).digest("hex")]),
      rules: read.lines("rules").map(({ rule }) => {
        const {
          id: _id,
          enabled: _enabled,
          action,
          ...rest
        } = rule as { id: string; enabled: boolean; action: { flowId: string; phone: string } };
        return { ...rest, action: { ...action, flowId: names.get(action.flowId), phone: names.get(action.phone) } };
      }),
      users: rows("users", "fullName"),
      statements: rows("statements", "category", "text"),
      leftMetrics: read.lines("privacy_preferences").map(({ leftMetricsAt }) => leftMetricsAt !== null),
    };
  };

  it("shows what would come and writes nothing", async () => {
    const bob = await signIn(here);
    const preview = await taken(archive, bob, "preview");
    expect(preview).toMatchObject({ applied: false, email: `${anna.userId.toLowerCase()}@x.example` });
    expect(preview.items.map(({ kind, name, change }) => `${kind} ${name}: ${change}`)).toEqual([
      "phone Shop phone: new",
      expect.stringMatching(/^flow (shop\/main\.yaml|Apart): new$/),
      expect.stringMatching(/^flow (shop\/main\.yaml|Apart): new$/),
      "file shop/a.js: new",
      "rule When at the shop: new",
      "profile Your name: new",
      "statement About what you did in the product: new",
      "preference Your use does not count in the numbers: new",
    ]);
    expect(preview.again.join(" ")).toMatch(/secret SHOP_PASSWORD.*webhook From CI/);
    for (const table of [
      here.db.t.phones,
      here.db.t.flows,
      here.db.t.rules,
      here.db.t.workspaceFiles,
      here.db.t.statements,
    ]) {
      expect(await here.db.read.select().from(table)).toEqual([]);
    }
  });

  it("brings everything that may move, as it was, and nothing twice", async () => {
    const bob = await signIn(here);
    const first = await taken(archive, bob);
    expect(first.items.every(({ change }) => change === "new")).toBe(true);
    const again = await taken(archive, bob);
    expect(again.items.map(({ change }) => change)).toEqual(first.items.map(() => "here"));
    const read = await readArchive(await exported(here, bob));
    expect(movable(read)).toEqual(movable(await readArchive(archive)));
    expect(read.lines("phones")).toMatchObject([{ state: "parked" }]);
    expect(read.lines("rules")).toMatchObject([{ rule: { enabled: false } }]);
    expect(read.lines("secrets")).toEqual([]);
    expect(read.lines("webhooks")).toEqual([]);
    expect(read.lines("audit_log").map(({ action }) => action)).toContain("privacy.imported");
  });

  it("starts a phone that came, and lets a rule be turned on", async () => {
    const bob = await signIn(here);
    await taken(archive, bob);
    const [phone] = (await asked(here, "query", "phones.list", undefined, bob)) as { id: string }[];
    await asked(here, "mutation", "phones.start", { phoneId: phone?.id }, bob);
    const { rules } = (await asked(here, "query", "rules.list", undefined, bob)) as {
      rules: { rule: { action: { phone: string } } }[];
    };
    expect(rules[0]?.rule.action.phone).toBe(phone?.id);
    await asked(here, "mutation", "rules.save", { rule: { ...rules[0]?.rule, enabled: true } }, bob);
  });

  it("leaves out what finds no room or another thing at its place", async () => {
    const bob = await signIn(here);
    await asked(
      here,
      "mutation",
      "workspaces.saveFile",
      { path: "shop/a.js", base64: Buffer.from("mine").toString("base64") },
      bob,
    );
    await asked(here, "mutation", "account.updateProfile", { fullName: "Bob" }, bob);
    const { phones } = here.db.t;
    const at = new Date(here.clock.now());
    for (let count = 0; count < 10; count += 1) {
      await here.db.tx((tx) =>
        tx.insert(phones).values({
          ...{
            id: newId("phone"),
            teamId: bob.teamId,
            name: "Full",
            driver: "web",
            profile: DEFAULT_PROFILE,
            settings: {},
          },
          ...{ rotated: false, state: "parked", createdAt: at },
        }),
      );
    }
    const { items } = await taken(archive, bob);
    const left = items.filter(({ change }) => change === "left_out").map(({ kind, reason }) => [kind, reason]);
    expect(left).toEqual([
      ["phone", expect.stringContaining("10 phones")],
      ["file", expect.stringContaining("something else at its place")],
      ["profile", "You have a name here already."],
    ]);
    const { rules } = (await asked(here, "query", "rules.list", undefined, bob)) as {
      rules: { rule: { action: { phone: string } } }[];
    };
    expect(rules[0]?.rule.action.phone).toBe("ask");
  });

  it("is for people who may make things in the team", async () => {
    const viewer = await signIn(here, "viewer", (await signIn(here)).teamId);
    expect((await send(archive, viewer.token)).status).toBe(403);
    expect((await send(archive, undefined)).status).toBe(401);
    const bob = await signIn(here);
    expect((await send(archive, await apiToken(here, bob, ["phones:control"]))).status).toBe(403);
    expect((await send(archive, bob.token, "nonsense")).status).toBe(400);
  });

  describe("refuses", () => {
    let bob: TestPerson;
    beforeAll(async () => {
      bob = await signIn(here);
    });
    const zipOf = async (files: Readonly<Record<string, string | Buffer>>): Promise<Buffer> => {
      const zip = new ZipFile();
      for (const [path, content] of Object.entries(files)) zip.addBuffer(Buffer.from(content), path);
      zip.end();
      return buffer(zip.outputStream);
    };
    const manifest = (change: Record<string, unknown> = {}) =>
      JSON.stringify({
        ...{ format: FORMAT, formatVersion: FORMAT_VERSION, id: "exp", madeAt: "2026-01-01T00:00:00.000Z" },
        ...{ product: { name: "Perch", version: "1" }, policy: { version: 1 }, person: { id: "p", email: "e" } },
        ...{ rows: 0, files: [], omissions: [], missing: [], processors: [], ...change },
      });
    const entry = (path: string, content: string, more: Record<string, unknown> = {}) => ({
      ...{ path, kind: "lines", table: "flows", bytes: content.length },
      sha256: createHash("sha256").update(content).digest("hex"),
      ...more,
    });
    const line = `${JSON.stringify({ id: "fl_1", name: "F", source: FLOW, path: null })}\n`;

    it.each<[string, () => Promise<Buffer>, string, RegExp]>([
      ["what is no zip", async () => Buffer.from("hello"), "bad_input", /not a zip file/],
      ["a zip of something else", () => zipOf({ "a.txt": "a" }), "bad_input", /no manifest.json/],
      ["another contents list", () => zipOf({ [MANIFEST]: "{}" }), "bad_input", /says something else/],
      [
        "a newer format",
        () => zipOf({ [MANIFEST]: manifest({ formatVersion: 2 }) }),
        "version_mismatch",
        /newer Perch.*Update this server/,
      ],
      [
        "a damaged contents list",
        () => zipOf({ [MANIFEST]: manifest({ files: [{}] }) }),
        "bad_input",
        /contents list.*damaged/,
      ],
      [
        "a file that is missing",
        () => zipOf({ [MANIFEST]: manifest({ files: [entry("data/flows.ndjson", line)] }) }),
        "bad_input",
        /not complete: data\/flows.ndjson/,
      ],
      [
        "a file that was changed",
        () =>
          zipOf({
            [MANIFEST]: manifest({ files: [entry("data/flows.ndjson", line)] }),
            "data/flows.ndjson": line.replace("shop", "evil"),
          }),
        "bad_input",
        /changed or damaged: data\/flows.ndjson/,
      ],
      [
        "what unpacks to far more than it is",
        () => {
          const bomb = "a".repeat(20 * 1024 * 1024);
          return zipOf({
            [MANIFEST]: manifest({ files: [entry("data/flows.ndjson", bomb)] }),
            "data/flows.ndjson": bomb,
          });
        },
        "bad_input",
        /packed in a way/,
      ],
      ["a damaged zip", async () => archive.subarray(0, archive.length - 200), "bad_input", /not a zip file|damaged/],
    ])("%s", async (_what, make, code, words) => {
      here.clock.advance(1_000);
      const { body } = await send(await make(), bob.token, "apply");
      expect(body.error).toMatchObject({ code, message: expect.stringMatching(words) });
    });

    it("a passphrase that is missing or another one, and takes the right one", async () => {
      const { url } = (await (async () => {
        const [row] = await there.db.read.select().from(there.db.t.dataExports);
        return asked(there, "mutation", "privacy.downloadExport", { exportId: row?.id }, anna);
      })()) as ExportDownload;
      const passphrase = "four words in a row";
      const response = await fetch(url, { method: "POST", body: new URLSearchParams({ passphrase }) });
      const sealed = Buffer.from(await response.arrayBuffer());
      here.clock.advance(5_000);
      expect((await send(sealed, bob.token)).body.error?.message).toMatch(/has a passphrase/);
      expect((await send(sealed, bob.token, "preview", "another one here")).body.error?.message).toMatch(
        /does not open/,
      );
      expect((await send(sealed, bob.token, "preview", passphrase)).body.items).toHaveLength(8);
    });

    it("what is too large, before it is read", async () => {
      const { status } = await fetch(`${here.url}/privacy/import?mode=preview`, {
        method: "POST",
        headers: {
          authorization: `Bearer ${bob.token}`,
          "content-type": "multipart/form-data; boundary=x",
          "content-length": String(66 * 1024 * 1024),
        },
        body: new ReadableStream({ pull: (controller) => controller.close() }),
        duplex: "half",
      } as RequestInit).catch(() => ({ status: 413 }));
      expect(status).toBe(413);
    });
  });
});
