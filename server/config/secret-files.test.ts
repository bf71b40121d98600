import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { envExample, parseConfig } from "../config.ts";
import { isSecret, VARIABLES } from "./variables.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "perch-secrets-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o400 });
  return path;
}
const key = "sk_test_0123456789abcdef";
const webhook = { STRIPE_WEBHOOK_SECRET: "whsec_0123456789" };

describe("secrets in files", () => {
  it("are read as a variable's value is, without the line break an editor leaves", () => {
    const config = parseConfig({ ...webhook, STRIPE_SECRET_KEY_FILE: file("key", `${key}\n`) });
    expect(config).toMatchObject({ STRIPE_SECRET_KEY: key, billingMode: "stripe", warnings: [] });
    const database = "postgres://perch:secret@db.example/perch";
    expect(parseConfig({ DATABASE_URL_FILE: file("url", database) }).DATABASE_URL).toBe(database);
  });

  it("win over the variable, with a warning that holds neither value", () => {
    const STRIPE_SECRET_KEY = "sk_test_ffffffffffffffff";
    const config = parseConfig({ ...webhook, STRIPE_SECRET_KEY, STRIPE_SECRET_KEY_FILE: file("both", key) });
    expect(config.STRIPE_SECRET_KEY).toBe(key);
    expect(config.warnings).toEqual([
      "STRIPE_SECRET_KEY and STRIPE_SECRET_KEY_FILE are both set: the file is used. Remove one of them.",
    ]);
  });

  it("are refused with what to do, all at once, and no refusal shows what is in a file", () => {
    mkdirSync(join(folder, "a-folder"));
    const env = {
      SMTP_URL_FILE: join(folder, "nowhere"),
      GEELARK_TOKEN_FILE: join(folder, "a-folder"),
      GEELARK_PROXY_FILE: file("empty", " \n"),
      DATABASE_URL_FILE: file("long", `postgres://${"x".repeat(20_000)}`),
      STRIPE_SECRET_KEY_FILE: file("other", "pk_live_hidden-from-everybody"),
    };
    expect(() => parseConfig(env)).toThrow(/SMTP_URL_FILE: .*nowhere cannot be read \(ENOENT\)/);
    expect(() => parseConfig(env)).toThrow(/GEELARK_TOKEN_FILE: .*cannot be read \(EISDIR\)/);
    expect(() => parseConfig(env)).toThrow(/GEELARK_PROXY_FILE: .*is empty/);
    expect(() => parseConfig(env)).toThrow(/DATABASE_URL_FILE: .*longer than any secret/);
    expect(() => parseConfig(env)).toThrow(/STRIPE_SECRET_KEY_FILE: Write a secret or restricted key/);
    expect(() => parseConfig(env)).not.toThrow(/hidden-from-everybody/);
  });

  it("are for secrets alone", () => {
    expect(() => parseConfig({ MAIL_FROM_FILE: file("from", "x") })).toThrow(
      "MAIL_FROM_FILE: there is no such setting",
    );
    expect(Object.keys(VARIABLES).filter(isSecret).sort()).toEqual(
      Object.keys(VARIABLES)
        .filter((name) => /_KEY$|TOKEN$|SECRET$|^(SMTP|DATABASE)_(\w+_)?URL$|^GEELARK_PROXY$/.test(name))
        .sort(),
    );
    expect(envExample()).toContain("#STRIPE_SECRET_KEY_FILE=");
    expect(envExample()).not.toContain("MAIL_FROM_FILE");
  });
});
