/** What the product is made of: exact versions, whole hashes, known licences, no code that runs at installation unasked. */
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { z } from "zod";

const packageJson = z.object({
  dependencies: z.record(z.string(), z.string()),
  devDependencies: z.record(z.string(), z.string()),
  allowScripts: z.record(z.string(), z.boolean()),
  scripts: z.record(z.string(), z.string()),
});
const lockfile = z.object({
  lockfileVersion: z.literal(3),
  packages: z.record(
    z.string(),
    z.object({
      name: z.string().optional(),
      version: z.string().optional(),
      resolved: z.string().optional(),
      integrity: z.string().optional(),
      license: z.string().optional(),
      dev: z.boolean().optional(),
      hasInstallScript: z.boolean().optional(),
    }),
  ),
});
const read = <S extends z.ZodType>(file: string, schema: S) => schema.parse(JSON.parse(readFileSync(file, "utf8")));

const own = read("package.json", packageJson);
const lock = read("package-lock.json", lockfile);
/** Each installed place with its package. The first is ourselves. */
const packages = Object.entries(lock.packages)
  .filter(([place]) => place !== "")
  .map(([place, one]) => ({ place, ...one, name: one.name ?? place.split("node_modules/").at(-1) ?? "" }));
const shipped = packages.filter(({ dev }) => dev !== true);

/**
 * Licences that let us ship without giving our own code away. MPL-2.0 holds file by file, and we change none of those.
 * A new one is a decision, made here.
 */
const LICENCES = new Set([
  "MIT",
  "MIT-0",
  "ISC",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "0BSD",
  "CC0-1.0",
  "MPL-2.0",
  // Python's, as permissive as BSD's (argparse).
  "PSF-2.0",
  // Public domain, with a licence where there is none (tweetnacl).
  "Unlicense",
]);

describe("dependencies", () => {
  it("are named by one version each, never by a range", () => {
    const all = Object.entries({ ...own.dependencies, ...own.devDependencies });
    expect(all.filter(([, version]) => !/^(npm:[\w@/-]+@)?\d+\.\d+\.\d+$/.test(version))).toEqual([]);
    for (const [name, version] of all) {
      expect(lock.packages[`node_modules/${name}`]?.version, name).toBe(version.split("@").at(-1));
    }
  });

  it("are held to a hash, all of them, and to no registry of somebody's machine", () => {
    expect(packages.length).toBeGreaterThan(300);
    expect(packages.filter(({ integrity }) => !/^sha512-[\w+/]{86}==$/.test(integrity ?? ""))).toEqual([]);
    expect(packages.filter(({ resolved }) => resolved !== undefined)).toEqual([]);
    expect(readFileSync(".npmrc", "utf8")).not.toMatch(/registry|\/\/|token/i);
  });

  it("have licences that were looked at", () => {
    const installed = shipped.map(({ place, license }) => {
      const file = `${place}/package.json`;
      if (!existsSync(file)) return { place, license, said: license };
      const own = read(file, z.looseObject({})) as { license?: unknown; licenses?: unknown };
      // The way of before npm 3, which lock files do not repeat (ssh2 and its two).
      const earlier = z.tuple([z.object({ type: z.string() })]).safeParse(own.licenses).data?.[0].type;
      return { place, license: license ?? earlier, said: own.license ?? earlier };
    });
    expect(installed.filter(({ license, said }) => !LICENCES.has(String(said)) || license !== said)).toEqual([]);
  });

  it("run nothing when they are installed, but what is written down", () => {
    const running = new Set(packages.filter((one) => one.hasInstallScript === true).map(({ name }) => name));
    expect([...running].filter((name) => own.allowScripts[name] === undefined)).toEqual([]);
    // The package of Node itself puts the program in its place.
    expect(Object.entries(own.allowScripts).flatMap(([name, allowed]) => (allowed ? [name] : []))).toEqual(["node"]);
    const ours = Object.keys(own.scripts).filter((name) => /^(pre|post)?(install|prepare|pack|publish)/.test(name));
    expect(ours).toEqual([]);
  });
});

describe("the bill of materials", () => {
  const folder = mkdtempSync(join(tmpdir(), "perch-sbom-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it("of `npm run sbom` names every package that is shipped, with its version and licence, and nothing of this machine", () => {
    const file = join(folder, "sbom.json");
    const [program = "", ...given] = (own.scripts["sbom"] ?? "").replace("dist/sbom.json", file).split(" ");
    const { status, stderr } = spawnSync(`node_modules/.bin/${program}`, given, { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(status).toBe(0);
    const bill = read(
      file,
      z.object({
        bomFormat: z.literal("CycloneDX"),
        components: z.array(z.object({ purl: z.string(), licenses: z.array(z.unknown()).min(1) })),
      }),
    );
    const named = new Set(bill.components.map(({ purl }) => decodeURIComponent(purl)));
    const missing = shipped
      .filter(({ place }) => existsSync(`${place}/package.json`))
      .filter(({ name, version }) => !named.has(`pkg:npm/${name}@${version}`));
    expect(missing.map(({ place }) => place)).toEqual([]);
    const text = readFileSync(file, "utf8");
    expect(text).not.toContain(process.cwd());
    const registry = spawnSync("npm", ["config", "get", "registry"], { encoding: "utf8" }).stdout.trim();
    expect(text).not.toContain(new URL(registry).host);
  }, 30_000);
});
