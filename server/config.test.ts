import { join, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { billingLine, type Config, envExample, parseConfig } from "./config.ts";
import { PerchError } from "./errors.ts";

function refusal(env: Record<string, string>): string {
  try {
    parseConfig(env);
  } catch (error) {
    expect(error).toBeInstanceOf(PerchError);
    return error instanceof Error ? error.message : "";
  }
  throw new Error(`Accepted: ${JSON.stringify(env)}`);
}

describe("settings", () => {
  it("work with none set", () => {
    const config = parseConfig({});
    expect(config).toMatchObject({ PORT: 8787, HOST: "127.0.0.1", IDLE_MINUTES: 30 });
    expect(config.publicUrl.href).toBe("http://localhost:8787/");
    expect(config.DATA_DIR).toBe(resolve("data"));
    expect(config.keyFile).toBe(resolve("data.key"));
  });

  it("treat blank as not set and leave other programs' variables alone", () => {
    expect(parseConfig({ PORT: "", IDLE_MINUTES: "  ", PATH: "/bin", CHROME_DEVEL: "x", npm_config_x: "1" }).PORT).toBe(
      8787,
    );
  });

  it.each([
    ["PORT", "abc", "whole number from 0 to 65535"],
    ["PORT", "65536", "whole number"],
    ["PORT", "-1", "whole number"],
    ["PORT", "80.5", "whole number"],
    ["PORT", "0x50", "whole number"],
    ["PUBLIC_URL", "perch.example", "https://perch.example"],
    ["PUBLIC_URL", "ftp://perch.example", "https://perch.example"],
    ["PUBLIC_URL", "https://perch.example/path", "scheme, host and port"],
    ["PUBLIC_URL", "https://user:pw@perch.example", "scheme, host and port"],
    ["PUBLIC_URL", "https://perch.example/#x", "scheme, host and port"],
    ["DATABASE_URL", "mysql://x/y", "postgres://"],
    ["DATABASE_URL", "nonsense", "postgres://"],
    ["DATABASE_DIRECT_URL", "mysql://x/y", "postgres://"],
    ["DATABASE_SCHEMA", "public", "a schema of its own"],
    ["DATABASE_SCHEMA", "auth", "a schema of its own"],
    ["DATABASE_SCHEMA", 'p"; drop', "small letters"],
    ["DATABASE_POOL", "0", "from 1 to 500"],
    ["PHONE_SANDBOX", "maybe", "on or off"],
    ["EGRESS_ALLOW", "*.example:80", "wildcards"],
    ["EGRESS_ALLOW", "10.0.0.0/8", "host:port"],
    ["EXTENSION_IDS", "notanid", "32 letters"],
    ["TRUSTED_PROXIES", "10.0.0.1,proxy", "IP addresses"],
    ["TRUSTED_PROXIES", "0.0.0.0/0", "is everybody"],
    ["TRUSTED_PROXIES", "::/0", "is everybody"],
    ["TRUSTED_PROXIES", "10.0.0.0/33", "too many bits"],
    ["TRUSTED_PROXIES", "10.0.0.0/8/8", "IP addresses"],
    ["TRUSTED_PROXIES", "10.0.0.0/-1", "IP addresses"],
    ["PHONES_PER_TEAM", "0", "whole number from 1"],
    ["RUNNING_PER_TEAM", "many", "whole number from 1"],
    ["RUNNING_PHONES", "-3", "whole number from 1"],
    ["MOVING_PHONES", "1e99", "whole number from 1"],
    ["IDLE_MINUTES", "0", "whole number from 1"],
    ["LONGEST_SESSION_MINUTES", "99999999", "whole number from 1"],
    ["PHONE_MEMORY_MB", "lots", "whole number from 1"],
    ["PHONE_DISK_MB", "1.5", "whole number from 1"],
    ["WARM_PHONES", "2", "0 or 1"],
    ["SMTP_URL", "http://mail.example", "smtps://"],
    ["SUPPORT_EMAIL", "nobody", "e-mail address"],
  ])("refuse %s=%s with what to write", (name, value, words) => {
    const message = refusal({ [name]: value });
    expect(message).toContain(`${name}: `);
    expect(message).toContain(words);
  });

  it("name every bad one at once", () => {
    const message = refusal({ PORT: "x", WARM_PHONES: "9", PHONE_MEMROY_MB: "1" });
    for (const name of ["PORT: ", "WARM_PHONES: ", "PHONE_MEMROY_MB: "]) expect(message).toContain(name);
  });

  it.each([
    "PHONES_PER_TEEM",
    "EGRESS_ALOW",
    "IDLE_MINUTE",
    "KEY_FILES",
    "PERCH_PORT",
    "WARM_PHONE",
    "TRUSTED_PROXY",
    "SMTP_URI",
  ])("refuse the misspelt %s", (name) =>
    expect(refusal({ [name]: "1" })).toContain(`${name}: there is no such setting`),
  );

  it.each(["0.0.0.0", "::", "192.168.1.5", "perch.example"])("refuse to listen on %s without https", (HOST) => {
    expect(refusal({ HOST })).toMatch(/HOST .* TLS .* PUBLIC_URL/);
    expect(refusal({ HOST, PUBLIC_URL: "http://perch.example" })).toContain("TLS");
    expect(parseConfig({ HOST, PUBLIC_URL: "https://perch.example" }).HOST).toBe(HOST);
  });

  it("take a certificate and its key together, and are https then", () => {
    const pair = { TLS_CERT_FILE: "cert.pem", TLS_KEY_FILE: "key.pem" };
    expect(refusal({ TLS_CERT_FILE: "cert.pem" })).toContain("TLS_KEY_FILE is missing");
    expect(refusal({ TLS_KEY_FILE: "key.pem" })).toContain("TLS_CERT_FILE is missing");
    expect(refusal({ ...pair, PUBLIC_URL: "http://perch.example" })).toContain("PUBLIC_URL to its https address");
    expect(refusal({ ...pair, HOST: "0.0.0.0" })).toContain("PUBLIC_URL");
    expect(refusal({ TLS_CERT: "x" })).toContain("TLS_CERT: there is no such setting");
    expect(parseConfig(pair)).toMatchObject({
      certificate: { certFile: resolve("cert.pem"), keyFile: resolve("key.pem") },
      publicUrl: new URL("https://localhost:8787"),
    });
    expect(parseConfig({ ...pair, HOST: "0.0.0.0", PUBLIC_URL: "https://perch.example" }).HOST).toBe("0.0.0.0");
  });

  it.each(["/srv/perch/key", "/srv/perch/deep/../key", "/srv/perch"])(
    "refuse a key inside the data: %s",
    (KEY_FILE) => {
      expect(refusal({ DATA_DIR: "/srv/perch/", KEY_FILE })).toContain("KEY_FILE stands inside DATA_DIR");
      expect(refusal({ DATA_DIR: "/", KEY_FILE: "/etc/key" })).toContain("KEY_FILE");
      expect(parseConfig({ DATA_DIR: "/srv/perch", KEY_FILE: "/srv/perch.key" }).keyFile).toBe("/srv/perch.key");
      expect(parseConfig({ DATA_DIR: "/srv/perch", KEY_FILE: join("/srv/perch", "../key") }).keyFile).toBe("/srv/key");
    },
  );

  const bucket = {
    ...{ S3_ENDPOINT: "https://files.example/storage/v1/s3", S3_BUCKET: "perch-files" },
    ...{ S3_ACCESS_KEY_ID: "AKIA", S3_SECRET_ACCESS_KEY: "secret" },
  };
  it("put files into a bucket where all of it is said, and nowhere else", () => {
    expect(parseConfig({}).s3).toBeUndefined();
    const { S3_ENDPOINT: endpoint, S3_BUCKET: name, S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY } = bucket;
    const access = { endpoint, region: "us-east-1", bucket: name, accessKeyId, secretAccessKey: S3_SECRET_ACCESS_KEY };
    expect(parseConfig(bucket).s3).toEqual({ access, prefix: "" });
    const more = parseConfig({ ...bucket, S3_REGION: "auto", S3_PREFIX: "perch/eu" }).s3;
    expect([more?.access.region, more?.prefix]).toEqual(["auto", "perch/eu/"]);
    for (const missing of Object.keys(bucket)) expect(refusal({ ...bucket, [missing]: "" })).toContain(missing);
    expect(refusal({ ...bucket, S3_ENDPOINT: "http://files.example" })).toContain("must be https");
    expect(refusal({ ...bucket, S3_ENDPOINT: "https://key:secret@files.example" })).toContain("Keys have settings");
    expect(parseConfig({ ...bucket, S3_ENDPOINT: "http://127.0.0.1:9000" }).s3?.access.endpoint).toContain(":9000");
    for (const bad of [
      { S3_BUCKET: "../x" },
      { S3_BUCKET: "A" },
      { S3_PREFIX: "a/../b" },
      { S3_PREFIX: "/a" },
      { S3_NAME: "x" },
    ]) {
      expect(refusal({ ...bucket, ...bad })).toContain(Object.keys(bad)[0]);
    }
  });

  const key = "sk_test_0123456789abcdef";
  const keys = { STRIPE_SECRET_KEY: key, STRIPE_WEBHOOK_SECRET: "whsec_0123456789" };
  const far = { PUBLIC_URL: "https://perch.example" };
  it.each([
    [{}, "sandbox", "Billing is a sandbox on this machine: no money moves."],
    [far, "off", "Billing is off: nobody pays"],
    [{ BILLING: "off", ...keys }, "off", "Billing is off: nobody pays"],
    [{ BILLING: "sandbox", ...keys }, "sandbox", "no money moves"],
    [keys, "stripe", "Billing goes through Stripe's test mode: no money moves."],
    [{ ...keys, ...far }, "stripe", "test mode: no money moves, though people reach this server."],
    [{ ...keys, ...far, STRIPE_SECRET_KEY: "rk_live_0123456789abcdef" }, "stripe", "Billing goes through Stripe."],
  ] as const)("say how %j bills: %s", (env, mode, words) => {
    const config = parseConfig(env);
    expect(config.billingMode).toBe(mode);
    expect(billingLine(config)).toContain(words);
    expect(billingLine(config)).not.toContain("0123456789");
  });

  it("takes a Supabase project with both of its keys, over TLS but on this machine", () => {
    const keys = { SUPABASE_SERVICE_ROLE_KEY: "sb_secret_0123456789", SUPABASE_ANON_KEY: "sb_publishable_0123456789" };
    const set = (more: Record<string, string>) =>
      parseConfig({ ...keys, SUPABASE_URL: "https://a.supabase.co", ...more });
    expect(parseConfig({}).supabase).toBeUndefined();
    expect(set({}).supabase).toEqual({
      ...{ url: "https://a.supabase.co", serviceKey: keys.SUPABASE_SERVICE_ROLE_KEY, anonKey: keys.SUPABASE_ANON_KEY },
      passesAddress: true,
    });
    const older = { SUPABASE_SERVICE_ROLE_KEY: "eyJh.eyJy.abc-_", SUPABASE_ANON_KEY: "eyJh.eyJz.abc" };
    expect(set({ ...older, SUPABASE_URL: "http://127.0.0.1:54321" }).supabase).toMatchObject({ passesAddress: false });
    expect(() => set({ SUPABASE_URL: "http://a.supabase.co" })).toThrow("must be https");
    expect(() => set({ SUPABASE_URL: "https://a.supabase.co/auth/v1" })).toThrow("SUPABASE_URL: Write only scheme");
    expect(() => set({ SUPABASE_SERVICE_ROLE_KEY: "" })).toThrow("needs SUPABASE_SERVICE_ROLE_KEY as well");
    expect(() => set({ SUPABASE_ANON_KEY: "sb_secret_0123456789" })).toThrow("SUPABASE_ANON_KEY: Write");
    expect(() => set({ ...older, SUPABASE_ANON_KEY: "eyJh.eyJy.abc-_" })).toThrow("They are two keys");
  });

  it("leave how many phones a team has to its plan, unless told, or where nobody pays", () => {
    const limits = ({ PHONES_PER_TEAM, RUNNING_PER_TEAM }: Config) => [PHONES_PER_TEAM, RUNNING_PER_TEAM];
    expect(limits(parseConfig({}))).toEqual([undefined, undefined]);
    expect(limits(parseConfig({ BILLING: "off" }))).toEqual([10, 4]);
    expect(limits(parseConfig({ PHONES_PER_TEAM: "3", RUNNING_PER_TEAM: "2" }))).toEqual([3, 2]);
  });

  it("take several webhook secrets, as while one is changed", () => {
    const config = parseConfig({ ...keys, STRIPE_WEBHOOK_SECRET: "whsec_0123456789, whsec_abcdefghij" });
    expect(config.STRIPE_WEBHOOK_SECRET).toEqual(["whsec_0123456789", "whsec_abcdefghij"]);
  });

  it.each([
    [
      { BILLING: "sandbox", ...far },
      "BILLING is sandbox, where no money moves, and PUBLIC_URL can be reached by others",
    ],
    [{ STRIPE_SECRET_KEY: key }, "STRIPE_WEBHOOK_SECRET is not, so what Stripe tells could not be believed"],
    [{ STRIPE_SECRET_KEY: "pk_test_0123456789abcdef" }, "Write a secret or restricted key"],
    [{ ...keys, STRIPE_WEBHOOK_SECRET: "whsec_0123456789,secret" }, "Write whsec_"],
    [{ ...keys, STRIPE_API_BASE: "http://stripe.example" }, "STRIPE_API_BASE must be https"],
    [{ STRIPE_TAX: "yes" }, "Write on or off"],
    [{ BILLING: "stripe" }, "Write auto, sandbox or off"],
    [{ STRIPE_KEY: "x" }, "STRIPE_KEY: there is no such setting"],
  ])("refuse %j with what to do", (env, words) => {
    expect(refusal(env)).toContain(words);
  });

  it("set a cloud-phone partner up, by key or by token", () => {
    expect(parseConfig({}).geelark).toBeUndefined();
    const key = { GEELARK_APP_ID: "eH6gQR4oHr3FsZpI36La01IW", GEELARK_API_KEY: "0123456789abcdef0123" };
    expect(parseConfig({ ...key, GEELARK_PROXY: "7", GEELARK_MODELS: "android-13, android-15" }).geelark).toEqual({
      access: {
        base: "https://openapi.geelark.com",
        key: { appId: key.GEELARK_APP_ID, apiKey: key.GEELARK_API_KEY },
        token: undefined,
      },
      ...{ versions: ["13", "15"], region: undefined, proxy: "7" },
    });
    const token = { GEELARK_TOKEN: "0123456789abcdef", GEELARK_PROXY: "socks5://u:p@proxy.example:1080" };
    expect(parseConfig({ ...token, GEELARK_REGION: "sgp" }).geelark).toMatchObject({
      ...{ access: { key: undefined, token: "0123456789abcdef" }, versions: ["14"], region: "sgp" },
    });
  });

  it.each([
    [{ GEELARK_PROXY: "7" }, "GEELARK_PROXY is set and no key is"],
    [{ GEELARK_APP_ID: "eH6gQR4oHr3F", GEELARK_PROXY: "7" }, "GEELARK_API_KEY is missing"],
    [{ GEELARK_API_KEY: "0123456789abcdef", GEELARK_PROXY: "7" }, "GEELARK_APP_ID is missing"],
    [{ GEELARK_TOKEN: "0123456789abcdef" }, "makes no phone without a proxy"],
    [
      { GEELARK_TOKEN: "0123456789abcdef", GEELARK_PROXY: "7", GEELARK_API_BASE: "http://geelark.example" },
      "GEELARK_API_BASE must be https",
    ],
    [{ GEELARK_MODELS: "android-10" }, "Write android-9, android-11"],
    [{ GEELARK_REGION: "eu" }, "Write cn or sgp"],
    [{ GEELARK_PROXY: "proxy.example" }, "number of a proxy saved at GeeLark"],
    [{ GEELARK_KEY: "x" }, "GEELARK_KEY: there is no such setting"],
  ])("refuse %j of a cloud-phone partner with what to do", (env, words) => {
    expect(refusal(env)).toContain(words);
  });

  it("stand in the example, each with a line about it, and the example changes nothing", () => {
    const text = envExample();
    const set = Object.fromEntries(
      [...text.matchAll(/^#([A-Z_0-9]+)=(.*)$/gm)].map(([, name = "", value = ""]) => [name, value]),
    );
    const { publicUrl, EGRESS_ALLOW, ...example } = parseConfig(set);
    const { publicUrl: ownUrl, EGRESS_ALLOW: ownAllow, ...own } = parseConfig({});
    expect(example).toEqual(own);
    expect([publicUrl.href, EGRESS_ALLOW.size]).toEqual([ownUrl.href, ownAllow.size]);
  });
});
