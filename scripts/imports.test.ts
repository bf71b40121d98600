/** Import directions (DESIGN §2), read from the sources as they are. */
import { globSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, it } from "vitest";

interface Import {
  readonly file: string;
  readonly target: string;
  readonly typeOnly: boolean;
  /** Read when it is needed, not at the start. */
  readonly lazy: boolean;
}

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?["']([^"']+)["']|import\(\s*["']([^"']+)["']\s*\)/g;
const files = globSync("{cli,extension,server,shared}/**/*.{ts,tsx}");
const imports: Import[] = files.flatMap((file) =>
  [...readFileSync(file, "utf8").matchAll(IMPORT)].map((match) => {
    const target = match[2] ?? match[3] ?? "";
    return {
      file,
      target: target.startsWith(".") ? normalize(join(dirname(file), target)) : target,
      typeOnly: match[1] !== undefined,
      lazy: match[3] !== undefined,
    };
  }),
);
const isTest = (file: string) => /\.test\.tsx?$|\/testing\b|testing\.ts$|\.contract\.ts$|\.fixture\.ts$/.test(file);
const broken = (wrong: (one: Import) => boolean) =>
  imports.filter((one) => !isTest(one.file) && wrong(one)).map(({ file, target }) => `${file} → ${target}`);

describe("imports run one way", () => {
  it("reads the sources", () => {
    expect(files.length).toBeGreaterThan(100);
    expect(imports.some(({ target }) => target.startsWith("drizzle-orm"))).toBe(true);
  });
  it("keeps drizzle in repos, tables and the database folder", () => {
    expect(
      broken(
        ({ file, target }) => target.startsWith("drizzle-orm") && !/\.(repo|tables)\.ts$|^server\/db\//.test(file),
      ),
    ).toEqual([]);
  });
  it("keeps the tRPC server in routers and the app", () => {
    expect(
      broken(({ file, target }) => target.startsWith("@trpc/server") && !/\.router\.ts$|^server\/app\.ts$/.test(file)),
    ).toEqual([]);
  });
  it("keeps Stripe in billing", () => {
    expect(broken(({ file, target }) => target === "stripe" && !file.startsWith("server/billing/"))).toEqual([]);
  });
  it("keeps OpenTelemetry in one file, which is read only where traces are collected", () => {
    expect(
      broken(
        ({ file, target, typeOnly, lazy }) =>
          (target.startsWith("@opentelemetry/") && file !== "server/tracing/otel.ts") ||
          (target === "server/tracing/otel.ts" && !typeOnly && !lazy),
      ),
    ).toEqual([]);
  });
  it("keeps Docker in the containers' folder", () => {
    const folder = "server/phones/drivers/adb/containers/";
    expect(broken(({ file, target }) => target === "dockerode" && !file.startsWith(folder))).toEqual([]);
  });
  it("keeps Kubernetes in a folder beside it", () => {
    const folder = "server/phones/drivers/adb/containers/kubernetes/";
    expect(broken(({ file, target }) => target === "@kubernetes/client-node" && !file.startsWith(folder))).toEqual([]);
  });
  it("keeps the browser's extension interfaces in the platform folder", () => {
    expect(
      broken(
        ({ file, target }) =>
          /^(webextension-polyfill|wxt\/browser)$/.test(target) && !file.startsWith("extension/platform/"),
      ),
    ).toEqual([]);
    const direct = files.filter(
      (file) =>
        file.startsWith("extension/") &&
        !file.startsWith("extension/platform/") &&
        !isTest(file) &&
        /\b(chrome|browser)\.(tabs|storage|runtime|sidePanel|action|permissions|identity)\b/.test(
          readFileSync(file, "utf8"),
        ),
    );
    expect(direct).toEqual([]);
  });
  it("lets the extension take nothing but the router's type from the server", () => {
    expect(
      broken(
        ({ file, target, typeOnly }) =>
          file.startsWith("extension/") &&
          target.startsWith("server/") &&
          !(typeOnly && target === "server/app.router.ts"),
      ),
    ).toEqual([]);
  });
  it("keeps React out of the server but for the letters, which are read when the first mail is made", () => {
    const isReact = (target: string) => /^(react|react-dom|@react-email)(\/|$)/.test(target);
    expect(
      broken(
        ({ file, target }) => file.startsWith("server/") && isReact(target) && file !== "server/mail/mail.html.ts",
      ),
    ).toEqual([]);
    expect(broken(({ target, lazy }) => target === "server/mail/mail.html.ts" && !lazy)).toEqual([]);
    expect(imports.some(({ target, lazy }) => target === "server/mail/mail.html.ts" && lazy)).toBe(true);
  });
  it("lets the command line take nothing from either side", () => {
    expect(broken(({ file, target }) => file.startsWith("cli/") && /^(server|extension)\//.test(target))).toEqual([]);
  });
  it("keeps what both sides share free of either side", () => {
    expect(
      broken(({ file, target }) => file.startsWith("shared/") && /^(server|extension)\/|^node:/.test(target)),
    ).toEqual([]);
  });
  it("lets routers reach services, not repos or the database", () => {
    expect(
      broken(
        ({ file, target, typeOnly }) =>
          file.endsWith(".router.ts") && !typeOnly && /\.repo\.ts$|^server\/db\//.test(target),
      ),
    ).toEqual([]);
  });
  it("lets services reach the database only through repos and the transaction", () => {
    expect(
      broken(
        ({ file, target }) =>
          file.endsWith(".service.ts") && /^server\/db\/(sqlite|postgres|migrate|tables|dialect)\.ts$/.test(target),
      ),
    ).toEqual([]);
  });
});
