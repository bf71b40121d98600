import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { parseConfig } from "./config.ts";
import { PerchError } from "./errors.ts";

/** What a person reads when the start stops. */
function refusal(env: Record<string, string>): string {
  try {
    parseConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(PerchError);
    return error instanceof Error ? error.message : "";
  }
  throw new Error(`Accepted ${JSON.stringify(env)}`);
}

describe("configuration", () => {
  it("needs nothing", () => {
    const config = parseConfig({});
    expect(config).toMatchObject({
      PORT: 8787,
      HOST: "127.0.0.1",
      DATA_DIR: resolve("data"),
      keyFile: resolve("data.key"),
    });
    expect(config.publicUrl.href).toBe("http://localhost:8787/");
    expect(config.notUsedYet).toEqual([]);
  });

  it.each([
    [{ PORT: "80000" }, /PORT: .*0 to 65535/],
    [{ PORT: "eighty" }, /PORT: .*whole number/],
    [{ PORT: "1e3" }, /PORT/],
    [{ PUBLIC_URL: "perch.example" }, /PUBLIC_URL: .*https:\/\/perch\.example/],
    [{ PUBLIC_URL: "https://perch.example/app" }, /PUBLIC_URL/],
    [{ PUBLIC_URL: "ftp://perch.example" }, /PUBLIC_URL/],
    [{ DATABASE_URL: "mysql://x" }, /DATABASE_URL: .*postgres:/],
    [{ EGRESS_ALLOW: "10.0.0.1" }, /EGRESS_ALLOW: /],
    [{ EXTENSION_IDS: "*" }, /EXTENSION_IDS: .*letters/],
    [{ TRUSTED_PROXIES: "proxy.local" }, /TRUSTED_PROXIES: .*IP/],
    [{ PHONES_PER_TEAM: "0" }, /PHONES_PER_TEAM: .*from 1/],
    [{ PHONE_SANDBOX: "maybe" }, /PHONE_SANDBOX: .*on or off/],
    [{ WARM_PHONES: "7" }, /WARM_PHONES: .*0 or 1/],
    [{ SMTP_URL: "http://mail" }, /SMTP_URL: .*smtps:/],
    [{ SUPPORT_EMAIL: "nobody" }, /SUPPORT_EMAIL: /],
    [{ PHONE_MEMORY: "5" }, /PHONE_MEMORY: there is no such setting/],
    [{ IDLE_MINUTE: "5" }, /IDLE_MINUTE: there is no such setting/],
  ])("refuses %o in words that name the setting", (env, words) => {
    expect(refusal(env as Record<string, string>)).toMatch(words);
  });

  it("names every problem at once", () => {
    const words = refusal({ PORT: "x", WARM_PHONES: "x" });
    expect(words).toContain("PORT:");
    expect(words).toContain("WARM_PHONES:");
  });

  it("shows no value of a bad setting, which may be a secret", () => {
    expect(refusal({ DATABASE_URL: "pg://perch:hunter2@db/perch" })).not.toContain("hunter2");
  });

  it("listens beyond loopback only behind https", () => {
    expect(refusal({ HOST: "0.0.0.0" })).toMatch(/TLS/);
    expect(refusal({ HOST: "0.0.0.0", PUBLIC_URL: "http://perch.example" })).toMatch(/TLS/);
    expect(parseConfig({ HOST: "0.0.0.0", PUBLIC_URL: "https://perch.example" }).publicUrl.host).toBe("perch.example");
  });

  it("keeps the key out of the data", () => {
    expect(refusal({ DATA_DIR: "d", KEY_FILE: "d/key" })).toMatch(/KEY_FILE/);
    expect(parseConfig({ DATA_DIR: "d", KEY_FILE: "d.key" }).keyFile).toBe(resolve("d.key"));
  });

  it("tells which known settings do nothing yet", () => {
    expect(parseConfig({ STRIPE_SECRET_KEY: "sk_test_x" }).notUsedYet).toEqual(["STRIPE_SECRET_KEY"]);
  });

  it("takes an empty value as none, and leaves other programs' variables alone", () => {
    expect(parseConfig({ PORT: "", SHELL: "/bin/sh", npm_config_x: "1" }).PORT).toBe(8787);
  });
});
