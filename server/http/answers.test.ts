/** What answers carry: nothing that the database keeps to check a credential with, whoever asks. */
import { getTableColumns, getTableName } from "drizzle-orm";
import { afterAll, beforeAll, expect, it } from "vitest";
import { describeProcedures } from "../authz.ts";
import { taggedColumns } from "../db/dialect.ts";
import { apiToken, call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";

let server: TestServer;
let owner: TestPerson;
beforeAll(async () => {
  server = await startTestServer();
  owner = await signIn(server);
  await server.accounts.accounts.create(
    { email: "kept@x.example", password: "violet harbour tangles nine" },
    "operator",
  );
  await server.accounts.accounts.requestReset(
    { email: "kept@x.example" },
    { requestId: "", ip: "127.0.0.1", userAgent: "" },
  );
  await apiToken(server, owner, ["phones:view"]);
  const made = await call(server, "mutation", "phones.launch", { idempotencyKey: "the-phone" }, owner.token);
  expect(made.ok).toBe(true);
  await call(server, "mutation", "secrets.set", { name: "PASSWORD", value: "hunter22" }, owner.token);
});
afterAll(() => server.dispose());

/** Every value of columns that hold passwords' hashes, tokens' hashes and the like, by table and column. */
async function stored(): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  for (const table of Object.values(server.db.t)) {
    const tagged = new Map(taggedColumns(table).map(({ column, tag }) => [column, tag]));
    const secret = Object.entries(getTableColumns(table)).flatMap(([name, column]) =>
      tagged.get(column)?.category.startsWith("user.authorization.") === true ? [name] : [],
    );
    if (secret.length === 0) continue;
    for (const row of (await server.db.read.select().from(table)) as Record<string, unknown>[]) {
      for (const name of secret) {
        const value = row[name];
        if (typeof value === "string" && value.length > 15) values.set(value, `${getTableName(table)}.${name}`);
      }
    }
  }
  return values;
}

it("ABUSE-24 no answer carries what is kept to check a credential, and no name of such a column", async () => {
  const secrets = await stored();
  expect(secrets.size).toBeGreaterThan(3);
  const columns = [...secrets.values()].map((where) => where.split(".")[1] ?? "");
  const names = new Set(columns.filter((name) => /hash|phc|secret|sealed/i.test(name)));
  expect(names.size).toBeGreaterThan(0);
  let answered = 0;
  for (const { path, type } of describeProcedures()) {
    if (type !== "query") continue;
    const answer = await call(server, type, path, undefined, owner.token);
    const text = JSON.stringify(answer);
    for (const [value, where] of secrets) expect(text.includes(value), `${path} tells ${where}`).toBe(false);
    for (const name of names) expect(text, path).not.toContain(`"${name}":`);
    if (answer.ok) answered += 1;
  }
  expect(answered).toBeGreaterThan(8);
});
