import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ManualClock } from "../../clock.ts";
import { parseConfig } from "../../config.ts";
import { silentLog } from "../../log.ts";
import { startServer } from "../../server.ts";
import { demandAgreements, processorsOf, processorView } from "./processors.ts";
import { parseProcessors, readProcessorsFile } from "./processors-file.ts";

const FAR = { DATABASE_URL: "postgres://u:p@db.example:6432/perch", SMTP_URL: "smtps://u:p@Mail.example" };
const STATED = {
  name: "Northern Mail",
  region: "EU (Frankfurt)",
  agreement: { reference: "DPA-7", date: "2026-01-31" },
  retentionDays: 7,
  breachContact: "security@mail.example",
};
const PUBLIC = new URL("https://perch.example");

describe("the processor register", () => {
  it("is empty with embedded defaults, and for what runs on this machine", () => {
    expect(processorsOf({})).toEqual([]);
    const near = { DATABASE_URL: "postgres://u:p@127.0.0.1/perch", SMTP_URL: "smtp://localhost:2525" };
    expect(processorsOf(near)).toEqual([]);
    expect(processorsOf({ DATABASE_URL: "postgres://u@[::1]:5433/perch" })).toEqual([]);
  });

  it("holds what is configured, with what the operator stated about it", () => {
    const [database, mail] = processorsOf(FAR, { mail: STATED });
    expect(database).toMatchObject({
      ...{ id: "database", name: "PostgreSQL at db.example", region: "not stated", agreement: undefined },
      contacts: [{ host: "db.example", port: 6432 }],
    });
    expect(mail).toMatchObject({
      ...STATED,
      id: "mail",
      role: "processor",
      contacts: [{ host: "mail.example", port: 465 }],
    });
    expect(mail && processorView(mail, new Date(0))).toEqual({
      ...{ id: "mail", name: "Northern Mail", purpose: "delivers mail about your account", region: "EU (Frankfurt)" },
      ...{ retentionDays: 7, agreement: true, lastContactAt: "1970-01-01T00:00:00.000Z" },
    });
  });

  it("names the cloud-phone partner where there is one, and not its emulator on this machine", () => {
    const set = { GEELARK_TOKEN: "0123456789abcdef", GEELARK_PROXY: "7" };
    const [partner] = processorsOf(parseConfig(set));
    expect(partner).toMatchObject({
      ...{ id: "geelark", name: "GeeLark", contacts: [{ host: "openapi.geelark.com", port: 443 }] },
    });
    expect(() => demandAgreements(partner === undefined ? [] : [partner], PUBLIC)).toThrow("GeeLark would process");
    expect(processorsOf(parseConfig({ ...set, GEELARK_API_BASE: "http://127.0.0.1:8800" }))).toEqual([]);
  });

  it("names the file storage where it is on another machine, and lets the server connect to it alone", () => {
    const set = { S3_BUCKET: "perch-files", S3_ACCESS_KEY_ID: "AKIA", S3_SECRET_ACCESS_KEY: "secret" };
    const [storage] = processorsOf(parseConfig({ ...set, S3_ENDPOINT: "https://files.example:9443/s3" }));
    expect(storage).toMatchObject({
      ...{ id: "storage", name: "File storage at files.example", contacts: [{ host: "files.example", port: 9443 }] },
    });
    expect(
      processorsOf(parseConfig({ ...set, S3_ENDPOINT: "https://x.storage.supabase.co/storage/v1/s3" })),
    ).toMatchObject([{ name: "Supabase Storage", contacts: [{ host: "x.storage.supabase.co", port: 443 }] }]);
    expect(processorsOf(parseConfig({ ...set, S3_ENDPOINT: "http://127.0.0.1:9000" }))).toEqual([]);
    expect(() => demandAgreements(storage === undefined ? [] : [storage], PUBLIC)).toThrow("without an agreement");
  });

  it("names Stripe where bills go through it, and where it is, and not where they go to the sandbox", () => {
    expect(processorsOf({ billingMode: "sandbox" })).toEqual([]);
    expect(processorsOf({ billingMode: "off", STRIPE_API_BASE: "https://stripe.example" })).toEqual([]);
    expect(processorsOf({ billingMode: "stripe" })).toMatchObject([
      { id: "stripe", name: "Stripe", contacts: [{ host: "api.stripe.com", port: 443 }] },
    ]);
    expect(processorsOf({ billingMode: "stripe", STRIPE_API_BASE: "https://stripe.example:8443" })).toMatchObject([
      { name: "Stripe at stripe.example", contacts: [{ host: "stripe.example", port: 8443 }] },
    ]);
    expect(processorsOf({ billingMode: "stripe", STRIPE_API_BASE: "http://127.0.0.1:12111" })).toEqual([]);
    expect(() => demandAgreements(processorsOf({ billingMode: "stripe" }), PUBLIC)).toThrow(
      "Stripe would process personal data without an agreement",
    );
  });

  it("names the Supabase project where people sign in through one, and not on this machine", () => {
    const keys = { SUPABASE_SERVICE_ROLE_KEY: "sb_secret_0123456789", SUPABASE_ANON_KEY: "sb_publishable_0123456789" };
    const [project] = processorsOf(parseConfig({ ...keys, SUPABASE_URL: "https://abcdefgh.supabase.co" }));
    expect(project).toMatchObject({
      ...{ id: "supabase", name: "Supabase", contacts: [{ host: "abcdefgh.supabase.co", port: 443 }] },
    });
    expect(() => demandAgreements(project === undefined ? [] : [project], PUBLIC)).toThrow("Supabase would process");
    expect(processorsOf(parseConfig({ ...keys, SUPABASE_URL: "http://127.0.0.1:54321" }))).toEqual([]);
  });

  it("stops a start in production without an agreement, or with a retention that breaks the 30 days", () => {
    const demand =
      (stated: Parameters<typeof processorsOf>[1], url = PUBLIC) =>
      () =>
        demandAgreements(processorsOf(FAR, stated), url);
    expect(demand({ mail: STATED })).toThrow(
      "PostgreSQL at db.example would process personal data without an agreement",
    );
    expect(demand({ mail: { ...STATED, retentionDays: 45 }, database: STATED })).toThrow("for 45 days");
    expect(demand({ mail: STATED, database: STATED })).not.toThrow();
    expect(demand({}, new URL("http://localhost:8787"))).not.toThrow();
    expect(demand({}, new URL("https://localhost:8443"))).not.toThrow();
    fc.assert(
      fc.property(fc.nat(400), (retentionDays) => {
        const start = demand({ mail: { ...STATED, retentionDays }, database: STATED });
        if (retentionDays > 14) expect(start).toThrow("within 30");
        else expect(start).not.toThrow();
      }),
    );
  });

  it("stops the server before it listens or connects", async () => {
    const config = parseConfig({ ...FAR, PUBLIC_URL: "https://perch.example", PORT: "0" });
    await expect(startServer({ config, clock: new ManualClock(), log: silentLog })).rejects.toThrow(
      "without an agreement",
    );
  });

  it("says in sentences what is wrong with its file", () => {
    const parse = (json: unknown) => () => parseProcessors(JSON.stringify(json), "p.json");
    expect(parse({ mail: STATED, database: { region: "EU", retentionDays: 7 } })).not.toThrow();
    expect(parse({ post: STATED })).toThrow(/p\.json needs a correction.*post/s);
    expect(parse({ mail: { ...STATED, region: 4 } })).toThrow("mail.region: Write where it processes");
    expect(parse({ mail: { ...STATED, agreement: { reference: "x", date: "last year" } } })).toThrow(
      "day of the agreement",
    );
    expect(parse({ mail: { ...STATED, retentionDays: 1.5 } })).toThrow("whole number");
    expect(() => parseProcessors("{", "p.json")).toThrow("is no JSON");
    expect(() => readProcessorsFile("/nowhere/p.json")).toThrow("cannot be read");
  });
});
