// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of flows are what is tested.
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { unzipSync, type Zippable, zipSync } from "fflate";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ManualClock } from "../clock.ts";
import { TEST_ENGINES } from "../db/testing.ts";
import { newTeam } from "../phones/testing/harness.ts";
import { sweepNow } from "../privacy/testing/sweep-now.ts";
import { writePicture } from "./engine/png.ts";
import { ScreenDriver } from "./testing/fake-screen.ts";
import { composeRuns } from "./testing/harness.ts";

const flow = (commands: string, header = "url: https://shop.example/") => `${header}\n---\n${commands}\n`;
const bytes = (text: string) => new TextEncoder().encode(text);
const base64 = (content: Uint8Array | string) =>
  Buffer.from(typeof content === "string" ? bytes(content) : content).toString("base64");
const zipped = (files: Zippable) => base64(zipSync(files));
const texts = (files: Readonly<Record<string, string>>) =>
  zipped(Object.fromEntries(Object.entries(files).map(([path, text]) => [path, bytes(text)])));

describe.each(TEST_ENGINES)("workspaces on $name", (engine) => {
  let at: Awaited<ReturnType<typeof open>>;
  let keys = 0;
  const open = async () => {
    const test = await engine.open();
    const folder = mkdtempSync(join(tmpdir(), "perch-workspaces-"));
    const parts = { test, folder, clock: new ManualClock(), driver: new ScreenDriver(), posted: [] };
    const made = await composeRuns(parts);
    return {
      ...made,
      async dispose() {
        await made.automations.close();
        await test.dispose();
        rmSync(folder, { recursive: true, force: true });
      },
    };
  };
  beforeAll(async () => {
    at = await open();
  });
  afterAll(() => at.dispose());
  afterEach(() => {
    at.driver.effects.length = 0;
  });
  const team = async () => {
    const scope = await newTeam(at);
    const phone = await at.phones.launch(scope, { idempotencyKey: "the-phone" });
    return { scope, phoneId: phone.id };
  };
  type Scope = Awaited<ReturnType<typeof team>>["scope"];
  const bring = async (scope: Scope, zip: string, folder?: string) => {
    const source = { zip, ...(folder !== undefined && { folder }) };
    const { plan } = await at.workspaces.preview(scope, source);
    return at.workspaces.import(scope, { source, plan });
  };
  const exported = async (scope: Scope, folder = "") => unzipSync((await at.workspaces.exportZip(scope, folder)).bytes);
  const contents = async () => at.test.db.read.select().from(at.test.db.t.fileContents);
  const key = () => {
    keys += 1;
    return `workspace-${keys}`;
  };

  it("says what an import does, line by line, before it does it", async () => {
    const { scope } = await team();
    await at.workspaces.saveFile(scope, { path: "shop/lib/a.js", base64: base64("1") });
    await at.flows.save(scope, { name: "Mine", source: flow("- back"), path: "shop/same.yaml" });
    await at.flows.save(scope, { name: "Mine, too", source: flow("- back"), path: "shop/main.yaml" });
    const zip = texts({
      "shop/main.yaml": flow("- runFlow: sub/login.yaml\n- runScript: lib/a.js", "url: https://a.example\nname: Main"),
      "shop/sub/login.yaml": flow("- tapOm: X\n- runFlow: gone.yaml"),
      "shop/same.yaml": flow("- back"),
      "shop/config.yaml": "flows:\n  - '**'\n",
      "shop/docker-compose.yaml": "services: {}\n",
      "shop/run.sh": "rm -rf /",
      "shop/.git/config": "x",
      "shop/Buy.json": JSON.stringify({ title: "Buy", steps: [{ type: "hover", selectors: [["#a"]] }] }),
      "shop/data.json": '{"a": 1}',
    });
    const preview = await at.workspaces.preview(scope, { zip, name: "x.zip" });
    expect(preview.folder).toBe("");
    expect(preview.entries.map(({ path, kind, change }) => `${path} ${kind} ${change}`)).toEqual([
      "shop/Buy.yaml flow new",
      "shop/config.yaml config new",
      "shop/data.json text new",
      "shop/main.yaml flow replaced",
      "shop/same.yaml flow same",
      "shop/sub/login.yaml flow new",
    ]);
    const about = (path: string) => preview.entries.find((entry) => entry.path === path);
    expect(about("shop/main.yaml")?.diagnostics).toMatchObject([{ file: "shop/sub/login.yaml", line: 3, column: 3 }]);
    expect(about("shop/sub/login.yaml")?.diagnostics).toMatchObject([{ line: 3, column: 3 }]);
    expect(about("shop/Buy.yaml")?.notes).toEqual([expect.stringMatching(/^Step 1: .*hover/)]);
    expect(preview.skipped).toEqual([
      { path: "shop/docker-compose.yaml", reason: expect.stringMatching(/neither a flow/) },
      { path: "shop/run.sh", reason: expect.stringMatching(/not kept/) },
    ]);
    expect((await at.flows.list(scope)).length).toBe(2);

    expect(await at.workspaces.import(scope, { source: { zip, name: "x.zip" }, plan: preview.plan })).toEqual({
      folder: "",
      flows: 3,
      files: 2,
    });
    const after = await at.flows.list(scope);
    expect(after.map(({ path, name, runnable }) => [path, name, runnable]).sort()).toEqual([
      ["shop/Buy.yaml", "Buy", true],
      ["shop/main.yaml", "Mine, too", true],
      ["shop/same.yaml", "Mine", true],
      ["shop/sub/login.yaml", "login", false],
    ]);
    await expect(at.workspaces.import(scope, { source: { zip }, plan: preview.plan })).rejects.toMatchObject({
      code: "conflict",
    });
  });

  it("gives back what was imported, byte for byte, however often", async () => {
    const name = fc.constantFrom("a", "b", "Größe", "c d", "日本");
    const file = fc.oneof(
      fc.record({
        ending: fc.constant("yaml"),
        content: fc.constantFrom(flow("- back"), flow("- tapOm"), "flows: ['**']\n"),
      }),
      fc.record({ ending: fc.constant("js"), content: fc.constantFrom("1", "output.x = 'ü'\r\n") }),
      fc.record({ ending: fc.constantFrom("png", "mp4"), content: fc.constant(randomBytes(40).toString("latin1")) }),
    );
    const tree = fc.array(fc.tuple(fc.array(name, { minLength: 1, maxLength: 3 }), file), {
      minLength: 1,
      maxLength: 12,
    });
    await fc.assert(
      fc.asyncProperty(tree, async (entries) => {
        const files: Record<string, Uint8Array> = {};
        for (const [parts, { ending, content }] of entries) {
          const binary = ending === "png" || ending === "mp4";
          files[`top/${parts.join("/")}.${ending}`] = binary ? Buffer.from(content, "latin1") : bytes(content);
        }
        const one = await newTeam(at);
        await bring(one, zipped(files));
        const first = await exported(one);
        expect(Object.keys(first).sort()).toEqual(Object.keys(files).sort());
        for (const [path, content] of Object.entries(files))
          expect(Buffer.from(first[path] ?? []).equals(content)).toBe(true);
        const two = await newTeam(at);
        await bring(two, zipped(first));
        const again = await at.workspaces.preview(two, { zip: zipped(files) });
        expect(new Set(again.entries.map(({ change }) => change))).toEqual(new Set(["same"]));
        expect(await exported(two, "top")).toEqual(first);
      }),
      { numRuns: engine === TEST_ENGINES[0] ? 15 : 3 },
    );
  });

  it.runIf(engine === TEST_ENGINES[0])("ABUSE-35 keeps nothing that leads out, hides, doubles or floods", async () => {
    const { scope } = await team();
    const link = { os: 3, attrs: (0o120777 << 16) >>> 0 } as const;
    const zip = zipped({
      "../out.yaml": bytes(flow("- back")),
      "/etc/x.js": bytes("1"),
      "a/../../b.js": bytes("1"),
      "a\\..\\..\\c.js": bytes("1"),
      "w/link.js": [bytes("/etc/passwd"), link],
      "w/Login.yaml": bytes(flow("- back")),
      "w/login.yaml": bytes(flow("- back")),
      "w/login.yaml/x.js": bytes("1"),
      "w/bomb.txt": new Uint8Array(3_000_000),
      "w/large.txt": Uint8Array.from(randomBytes(4_200_000)),
      "w/latin.txt": new Uint8Array([0xe4, 0x20]),
      "w/good.js": bytes("1"),
    });
    const { entries, skipped } = await at.workspaces.preview(scope, { zip, folder: "in" });
    expect(entries.map(({ path }) => path)).toEqual(["in/w/Login.yaml", "in/w/good.js"]);
    expect(Object.fromEntries(skipped.map(({ path, reason }) => [path, reason]))).toEqual({
      "../out.yaml": expect.stringMatching(/leads out/),
      "/etc/x.js": expect.stringMatching(/leads out/),
      "a/../../b.js": expect.stringMatching(/leads out/),
      "a/../../c.js": expect.stringMatching(/leads out/),
      "w/link.js": expect.stringMatching(/link/),
      "w/login.yaml": expect.stringMatching(/twice/),
      "w/login.yaml/x.js": expect.stringMatching(/folder/),
      "w/bomb.txt": expect.stringMatching(/far more/),
      "w/large.txt": expect.stringMatching(/4 MB/),
      "w/latin.txt": expect.stringMatching(/UTF-8/),
    });
    const locked = Buffer.from(zipSync({ "a.js": bytes("1") }));
    for (const sign of ["PK\x03\x04", "PK\x01\x02"]) {
      const start = locked.indexOf(sign, 0, "latin1");
      locked.writeUInt8(1, start + (sign.endsWith("\x04") ? 6 : 8));
    }
    expect((await at.workspaces.preview(scope, { zip: base64(locked) })).skipped).toMatchObject([
      { reason: expect.stringMatching(/password/) },
    ]);
    const lying = Buffer.from(zipSync({ "a.txt": new Uint8Array(100_000) }));
    lying.writeUInt32LE(10, lying.indexOf("PK\x01\x02", 0, "latin1") + 24);
    await expect(at.workspaces.preview(scope, { zip: base64(lying) })).rejects.toMatchObject({ code: "bad_input" });
    await expect(at.workspaces.preview(scope, { zip: base64("no zip") })).rejects.toMatchObject({ code: "bad_input" });
    const many = Object.fromEntries(Array.from({ length: 1_001 }, (_, n) => [`${n}.js`, bytes("1")]));
    await expect(at.workspaces.preview(scope, { zip: zipped(many) })).rejects.toMatchObject({ code: "too_large" });
    const flood = Object.fromEntries(
      Array.from({ length: 5 }, (_, n) => [`${n}.txt`, Uint8Array.from(randomBytes(3_900_000))]),
    );
    await expect(at.workspaces.preview(scope, { zip: zipped(flood) })).rejects.toMatchObject({ code: "too_large" });
    for (let n = 0; n < 30; n += 1) {
      const noise = randomBytes(300);
      noise.write("PK\x05\x06", 200, "latin1");
      await at.workspaces.preview(scope, { zip: base64(noise) }).catch((error: unknown) => {
        expect(error).toMatchObject({ name: "PerchError" });
      });
    }
    expect((await at.workspaces.list(scope)).files).toEqual([]);
  });

  it("lets go of contents that no file and no run holds", async () => {
    const { scope, phoneId } = await team();
    const before = (await contents()).length;
    await bring(scope, texts({ "w/main.yaml": flow("- runScript: a.js"), "w/a.js": "output.x = 1", "w/b.js": "2" }));
    await at.workspaces.saveFile(scope, { path: "w/twin.js", base64: base64("2") });
    expect((await contents()).length).toBe(before + 2);
    const [main] = await at.flows.list(scope);
    if (main === undefined) throw new Error("not imported");
    const { runId } = await at.runs.start(scope, { flowId: main.id, phoneId, idempotencyKey: key() }, "person");
    await at.runner.idle();
    expect((await at.runs.get(scope, runId)).state).toBe("passed");
    expect(await at.workspaces.removeFolder(scope, "w")).toEqual({ flows: 1, files: 3 });
    expect((await contents()).length).toBe(before + 1);
    await sweepNow(at.db, at.clock.now() + 30 * 86_400_000 + 1, "run details");
    expect((await at.runs.get(scope, runId)).state).toBe("passed");
    await at.contents.batch(0, 500);
    expect((await contents()).length).toBe(before);
    await expect(at.workspaces.removeFolder(scope, "w")).rejects.toMatchObject({ code: "not_found" });
    await at.workspaces.saveFile(scope, { path: "w/last.js", base64: base64("3") });
    const { teams, workspaceFiles } = at.db.t;
    const { eq } = await import("drizzle-orm");
    await at.db.tx(async (tx) => void (await tx.delete(teams).where(eq(teams.id, scope.teamId))));
    expect((await contents()).length).toBe(before);
    expect(await at.db.read.select().from(workspaceFiles).where(eq(workspaceFiles.teamId, scope.teamId))).toEqual([]);
  });

  it("compares the screen with a picture that a person accepted", async () => {
    const { scope, phoneId } = await team();
    const shade = (value: number, size = 10) => {
      const data = new Uint8Array(size * size * 4).fill(255);
      for (let pixel = 0; pixel < (size * size) / 4; pixel += 1) data.fill(value, pixel * 4, pixel * 4 + 3);
      return writePicture({ width: size, height: size, data });
    };
    let png = shade(0);
    at.driver.screenshot = async () => ({ png, width: 10, height: 10 });
    const saved = await at.flows.save(scope, {
      name: "Look",
      path: "w/look.yaml",
      source: flow("- assertScreenshot: pictures/home"),
    });
    const run = async () => {
      const { runId } = await at.runs.start(scope, { flowId: saved.id, phoneId, idempotencyKey: key() }, "person");
      await at.runner.idle();
      return at.runs.get(scope, runId);
    };
    const first = await run();
    expect(first).toMatchObject({ state: "failed", error: { code: "assertion", line: 3 } });
    expect(first.error?.message).toMatch(/no picture w\/pictures\/home\.png to compare with/);
    expect(first.artifacts.filter(({ baseline }) => baseline)).toMatchObject([
      { name: "home.png", baseline: "w/pictures/home.png", kind: "screenshot" },
    ]);
    await at.workspaces.acceptBaseline(scope, { runId: first.id, name: "home.png" });
    expect((await run()).state).toBe("passed");
    png = shade(200);
    const changed = await run();
    expect(changed.error?.message).toMatch(/75% the same as w\/pictures\/home\.png, which is less than 95%/);
    expect(changed.artifacts.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining(["screenshot home.png", "difference home-difference.png"]),
    );
    png = shade(0, 12);
    expect((await run()).error?.message).toMatch(/12 × 12 pixels and .* is 10 × 10/);
    await expect(at.workspaces.acceptBaseline(scope, { runId: changed.id, name: "failure.png" })).rejects.toMatchObject(
      {
        code: "not_found",
      },
    );
    const own = await at.runs.start(
      scope,
      { source: flow("- assertScreenshot: x"), files: [], phoneId, idempotencyKey: key() },
      "token",
    );
    await at.runner.idle();
    expect((await at.runs.get(scope, own.runId)).artifacts.some(({ baseline }) => baseline !== undefined)).toBe(false);
  });

  it("runs a folder by its config.yaml, and stops the ordered ones when one fails", async () => {
    const { scope, phoneId } = await team();
    await bring(
      scope,
      texts({
        "w/config.yaml":
          "flows: ['**']\nexcludeTags: [no]\nexecutionOrder:\n  continueOnFailure: false\n  flowsOrder: [Second, fails, later]\n",
        "w/a.yaml": flow("- inputText: a"),
        "w/sub/b.yaml": flow("- inputText: b", "url: https://a.example\nname: Second\nproperties: {junitId: J2}"),
        "w/fails.yaml": flow("- assertTrue: false"),
        "w/later.yaml": flow("- inputText: later"),
        "w/no.yaml": flow("- inputText: no", "url: https://a.example\ntags: [no]"),
      }),
    );
    const input = { path: "w", phoneId, idempotencyKey: key() };
    const suite = await at.suites.start(scope, input, "person");
    expect(await at.suites.start(scope, input, "person")).toEqual(suite);
    await expect(at.suites.start(scope, { ...input, path: "" }, "person")).rejects.toMatchObject({
      code: "idempotency_mismatch",
    });
    await at.runner.idle();
    expect(suite.runs.map(({ name }) => name)).toEqual(["Second", "fails", "later", "a"]);
    const runs = await Promise.all(suite.runs.map(({ runId }) => at.runs.get(scope, runId)));
    expect(runs.map(({ state }) => state)).toEqual(["passed", "failed", "cancelled", "passed"]);
    expect(runs[2]?.error?.message).toMatch(/^fails did not pass before it/);
    expect(at.driver.effects).toEqual(["type b", "type a"]);
    const xml = await at.suites.junit(scope, suite.id);
    expect(xml).toMatch(/<testsuite name="Test Suite" device="[^"]+" tests="4" failures="2"/);
    expect(xml.match(/<testcase id="[^"]*"/g)).toEqual(
      ["J2", "fails", "later", "a"].map((id) => `<testcase id="${id}"`),
    );
    expect(xml).toContain('file="w/sub/b.yaml"');

    const asked = Promise.withResolvers<typeof suite>();
    at.driver.onEffect = async () => {
      at.driver.onEffect = undefined;
      await at.suites.cancel(scope, (await asked.promise).id);
    };
    at.driver.effects.length = 0;
    const third = await at.suites.start(scope, { ...input, idempotencyKey: key() }, "person");
    asked.resolve(third);
    await at.runner.idle();
    const ended = await Promise.all(third.runs.map(({ runId }) => at.runs.get(scope, runId)));
    expect(ended.map(({ state }) => state)).toEqual(Array(4).fill("cancelled"));
    expect(at.driver.effects).toEqual(["type b"]);

    await at.workspaces.saveFile(scope, { path: "w/config.yaml", base64: base64("flows: [") }).catch(() => {});
    await bring(scope, texts({ "w/config.yaml": "includeTags:\n  a: b\nflows: ['**']" }));
    await expect(at.suites.start(scope, { ...input, idempotencyKey: key() }, "person")).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringMatching(/w\/config\.yaml has errors: line 2, column 3/),
    });
    await expect(
      at.suites.start(scope, { ...input, path: "gone", idempotencyKey: key() }, "person"),
    ).rejects.toMatchObject({
      code: "not_found",
    });
    await bring(scope, texts({ "w/config.yaml": "flows: ['**']", "w/fails.yaml": flow("- tapOm: x") }));
    await expect(at.suites.start(scope, { ...input, idempotencyKey: key() }, "person")).rejects.toMatchObject({
      message: expect.stringMatching(/^w\/fails\.yaml: .*line 3, column 3/),
    });
  });

  it("refuses files that do not belong, and says why", async () => {
    const { scope } = await team();
    const save = (path: string, content: string | Uint8Array) =>
      at.workspaces.saveFile(scope, { path, base64: base64(content) });
    await expect(save("a.exe", "x")).rejects.toThrow(/not kept/);
    await expect(save("a.yaml", flow("- back"))).rejects.toThrow(/settings of a workspace/);
    await expect(save("a.txt", new Uint8Array(4_300_000))).rejects.toThrow(/4 MB/);
    await save("w/a.js", "1");
    await expect(save("w/A.js", "1")).rejects.toThrow(/something else/);
    await expect(save("w/a.js/b.js", "1")).rejects.toThrow(/something else/);
    await expect(at.flows.save(scope, { name: "x", source: "", path: "w.yaml/b.yaml" })).resolves.toBeDefined();
    await expect(save("w.yaml", "flows: []")).rejects.toThrow(/something else/);
    expect((await save("w/a.js", "2")).bytes).toBe(1);
    expect(Buffer.from((await at.workspaces.file(scope, "w/a.js")).base64, "base64").toString()).toBe("2");
  });
});
