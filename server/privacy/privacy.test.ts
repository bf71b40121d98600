import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PrivacyOverview } from "../../shared/privacy.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { processorsOf } from "./processors/processors.ts";
import { CATEGORIES } from "./tags.ts";

describe("what a person sees of their data", () => {
  let server: TestServer;
  let anna: TestPerson;
  let ben: TestPerson;
  beforeAll(async () => {
    server = await startTestServer();
    anna = await signIn(server);
    ben = await signIn(server);
    for (const key of ["first-phone", "second-phone"]) {
      await call(server, "mutation", "phones.launch", { idempotencyKey: key, name: "Anna's" }, anna.token);
    }
  });
  afterAll(() => server.dispose());
  const overview = async ({ token }: TestPerson): Promise<PrivacyOverview> => {
    const answer = await call(server, "query", "privacy.overview", undefined, token);
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.data as PrivacyOverview;
  };

  it("counts their own rows only, in words from the data map", async () => {
    const [hers, his] = [await overview(anna), await overview(ben)];
    const count = (of: PrivacyOverview, category: string) =>
      of.categories.find((one) => one.category === category)?.items ?? 0;
    expect(count(hers, "user.content.private")).toBe(2);
    expect(count(his, "user.content.private")).toBe(0);
    expect(count(hers, "user.contact.email")).toBe(1);
    expect(count(hers, "user.device.ip_address")).toBe(1);
    for (const held of hers.categories) {
      expect(held.label).toBe(CATEGORIES[held.category as keyof typeof CATEGORIES]);
      expect(held.purpose).not.toBe("");
      expect(held.leaves).toMatch(/^(After|With|Up|24) /);
      expect(held.oldestAt).toBe(new Date(server.clock.now()).toISOString());
    }
  });

  it("tells who else processes it: nobody unless configured", async () => {
    expect((await overview(anna)).processors).toEqual([]);
    const configured = processorsOf({
      SMTP_URL: "smtps://user:password@mail.example",
      DATABASE_URL: "postgres://user:password@db.example/perch",
    });
    expect(configured.map(({ id }) => id).sort()).toEqual(["database", "mail"]);
    expect(JSON.stringify(configured)).not.toContain("password");
  });
});
