import { createHash } from "node:crypto";
import { buffer } from "node:stream/consumers";
import Ajv2020 from "ajv/dist/2020.js";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { POLICY } from "../../../shared/policy/policy-v1.ts";
import { TEST_ENGINES, type TestDatabase } from "../../db/testing.ts";
import { dataMap } from "../map/data-map.ts";
import { canaryPerson, type Planted, plant } from "../testing/plant.repo.ts";
import { type ArchiveParts, writeArchive } from "./archive.ts";
import { AS_FILES, createExportFiles } from "./export-files.repo.ts";
import { exportPlan } from "./export-plan.ts";
import { createRowPages } from "./export-rows.repo.ts";
import { REPORT } from "./manifest.ts";
import { type ReadArchive, readArchive } from "./testing.ts";

const AT = new Date(Date.UTC(2026, 0, 1));

describe.each(TEST_ENGINES)("an export on $name", (engine) => {
  let test: TestDatabase;
  let parts: ArchiveParts;
  const anna = canaryPerson();
  const ben = canaryPerson();
  let hers: readonly Planted[];
  let his: readonly Planted[];
  let archive: ReadArchive;

  beforeAll(async () => {
    test = await engine.open();
    const map = dataMap(test.db.t);
    hers = await plant(test.db, map, anna, { at: AT });
    his = await plant(test.db, map, ben, { at: AT });
    const pages = createRowPages(test.db, map);
    parts = {
      plan: exportPlan(map, AS_FILES),
      pages,
      files: createExportFiles(test.db, {
        map,
        pages,
        sources: {
          readArtifact: async (run) => Buffer.from(`artifact of ${run}`),
          phoneFiles: () => ({
            list: async (id) =>
              [
                { name: "../a b.txt", bytes: 9, modifiedAt: "" },
                { name: `${id}.txt`, bytes: 2, modifiedAt: "" },
              ] as never,
            read: async (id, name) => new Blob([`file ${id} ${name}`]).stream(),
          }),
        },
      }),
      receipts: async () => [{ name: "DR-2026-0001", receipt: { statement: {}, signature: "s", keyId: "k" } }],
      processors: [
        {
          ...{ id: "mail", role: "processor", name: "Mail server", purpose: "delivers mail", region: "EU" },
          ...{ retentionDays: 7, agreement: undefined, breachContact: undefined, categories: [], contacts: [] },
        },
      ],
      policy: POLICY,
      place: "On this server, encrypted",
      publicUrl: new URL("https://perch.example"),
    };
    archive = await exportOf(anna);
  });
  afterAll(() => test.dispose());

  async function exportOf(person: typeof anna): Promise<ReadArchive> {
    let zip: Buffer | undefined;
    const about = { id: "exp_1", person, madeAt: AT, onRows: () => {} };
    await writeArchive(parts, about, async (output) => {
      zip = await buffer(output);
    });
    return readArchive(zip as Buffer);
  }

  const textOf = ({ files }: ReadArchive) =>
    [...files].map(([path, bytes]) => `${path}\n${bytes.toString("utf8")}`).join("\n");

  it("holds every exportable column of every table, with the person's own value", () => {
    const missing: string[] = [];
    for (const { table, column, tag, value, token, theirs } of hers) {
      if (!theirs || tag.export !== "self") continue;
      const { name, asFiles } = parts.plan.tables.find((one) => one.mapped.property === table) ?? {
        name: "",
        asFiles: [],
      };
      const folder = asFiles.find((one) => one.column === column)?.folder;
      const [line] = archive.lines(name);
      const there =
        folder === undefined
          ? JSON.stringify(line?.[column]) === JSON.stringify(value)
          : [...archive.files].some(([path, bytes]) => path.startsWith(folder) && bytes.includes(token ?? "-"));
      const csv = archive.files.get(`data/${name}.csv`)?.toString("utf8") ?? "";
      if (!there || (folder === undefined && token !== undefined && !csv.includes(token)))
        missing.push(`${name}.${column}`);
    }
    expect(missing).toEqual([]);
    expect(hers.filter(({ theirs, tag }) => theirs && tag.export === "self").length).toBeGreaterThan(150);
  });

  it("ABUSE-39 holds nothing of anybody else", () => {
    const text = textOf(archive);
    const found = his.filter(({ token }) => token !== undefined && text.includes(token));
    expect(found.map(({ table, column }) => `${table}.${column}`)).toEqual([]);
    expect(text).not.toContain(ben.email);
  });

  it("holds no secret and nothing of what it says it leaves out", () => {
    const text = textOf(archive);
    // A key is a reference in another table.
    const shown = new Set(hers.filter(({ tag }) => tag.export === "self").map(({ value }) => value));
    const found = hers.filter(
      ({ tag, token, value }) =>
        tag.export !== "self" && token !== undefined && !shown.has(value) && text.includes(token),
    );
    expect(found.map(({ table, column }) => `${table}.${column}`)).toEqual([]);
    for (const { table, column, tag } of hers.filter(({ tag: { export: rule } }) => rule !== "self")) {
      const name = dataMap(test.db.t).find((one) => one.property === table)?.name;
      const reason = tag.export === "self" ? "" : tag.export.never;
      expect(archive.manifest.omissions).toContainEqual({ table: name, column, reason });
    }
  });

  it("has lines that fit their schemas, each of them", () => {
    const ajv = new Ajv2020({
      strict: true,
      allowUnionTypes: true,
      formats: { "date-time": /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/ },
    });
    let lines = 0;
    for (const { name } of parts.plan.tables) {
      const fits = ajv.compile(JSON.parse(archive.files.get(`schema/${name}.json`)?.toString("utf8") ?? ""));
      for (const line of archive.lines(name)) {
        expect([name, fits(line), fits.errors]).toEqual([name, true, null]);
        lines += 1;
      }
    }
    expect(lines).toBe(archive.manifest.rows);
    expect(lines).toBeGreaterThan(25);
  });

  it("lists every file with its hash, and counts rows", () => {
    const listed = archive.manifest.files.map(({ path }) => path).sort();
    expect(listed).toEqual([...archive.files.keys()].filter((path) => path !== "manifest.json").sort());
    for (const { path, bytes, sha256 } of archive.manifest.files) {
      const file = archive.files.get(path) ?? Buffer.alloc(0);
      expect([path, bytes, sha256]).toEqual([path, file.length, createHash("sha256").update(file).digest("hex")]);
    }
    for (const { name } of parts.plan.tables) {
      const rows = archive.manifest.files
        .filter(({ table, kind }) => table === name && kind !== "schema")
        .map(({ rows: count }) => count);
      expect([name, rows]).toEqual([name, [archive.lines(name).length, archive.lines(name).length]]);
    }
  });

  it("has the files of runs, workspaces and phones under names every system takes", () => {
    const paths = [...archive.files.keys()].filter((path) => path.startsWith("files/"));
    expect(paths.filter((path) => path.startsWith("files/runs/"))).toHaveLength(1);
    expect(paths.filter((path) => path.startsWith("files/workspace/"))).toHaveLength(1);
    expect(paths.filter((path) => path.startsWith("files/phones/"))).toHaveLength(2);
    for (const path of paths) expect(path.split("/")).not.toContain("..");
  });

  it("has a report without scripts and without anything from elsewhere", () => {
    const report = archive.files.get(REPORT)?.toString("utf8") ?? "";
    expect(report).toContain(anna.email);
    for (const words of ["Your rights", "Mail server", "E-mail address", "What is left out, and why"])
      expect(report).toContain(words);
    expect(report).not.toMatch(/<script|<link|<img|src=|@import|url\(|javascript:| on\w+=/i);
  });

  it("leaves rows that come while it is made to the next one", async () => {
    const { auditLog } = test.db.t;
    const later = {
      chain: "later",
      seq: 1,
      at: new Date(AT.getTime() + 1),
      actor: anna.userId,
      action: "account.created",
      commitment: "c",
      prev: "p",
      hash: "h",
    };
    await test.db.tx((tx) => tx.insert(auditLog).values(later));
    const [mine] = (await exportOf(anna)).lines("audit_log");
    expect(mine).toEqual(archive.lines("audit_log")[0]);
    expect((await exportOf(anna)).lines("audit_log")).toHaveLength(1);
  });

  it("fails whole when what takes it fails, and when it is told to stop", async () => {
    const about = { id: "exp_1", person: anna, madeAt: AT };
    const full = writeArchive(parts, { ...about, onRows: () => {} }, async (output) => {
      output.resume();
      throw new Error("The disk is full.");
    });
    await expect(full).rejects.toThrow("The disk is full.");
    const stopped = writeArchive(
      parts,
      {
        ...about,
        onRows() {
          throw new Error("stopped");
        },
      },
      async (output) => void (await buffer(output)),
    );
    await expect(stopped).rejects.toThrow("stopped");
  });
});
