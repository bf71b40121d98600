import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ManualClock } from "../clock.ts";
import { parseConfig } from "../config.ts";
import { dataFolder } from "../db/testing-run.ts";
import { FakeDriver } from "../phones/testing/fake-driver.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { runAdmin } from "./commands.ts";

const NOW = Date.UTC(2026, 10, 26, 9, 0);
let folder: string;
let server: TestServer;
let person: TestPerson;
beforeAll(async () => {
  folder = dataFolder("perch-requests-");
  server = await startTestServer({}, { folder, driver: new FakeDriver(), clock: new ManualClock(NOW) });
  person = await signIn(server);
});
afterAll(async () => {
  await server.dispose();
  rmSync(folder, { recursive: true, force: true });
});

async function admin(...args: string[]): Promise<{ status: number; out: string[] }> {
  const out: string[] = [];
  const status = await runAdmin(args, {
    config: () => parseConfig({ DATA_DIR: join(folder, "data") }),
    clock: server.clock,
    readStdin: async () => "",
    out: (line) => out.push(line),
    error: (line) => out.push(line),
  });
  return { status, out };
}
const email = () => `${person.userId.toLowerCase()}@x.example`;
const WHY = ["--reason", "letter in folder 3"] as const;
const add = (kind: string, ...more: string[]) =>
  admin(...["request", "add", "--kind", kind, "--channel", "post", "--email", email()], ...more, ...WHY);
const numberIn = ({ out }: { out: string[] }) => /DR-2026-\d+/.exec(out.join("\n"))?.[0] ?? "";
const asked = async (path: string) => {
  const answer = await call(server, "query", path, undefined, person.token);
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.data as { number: string; state: string; words: string; reason: string; answer: string }[];
};

describe("requests at the command line", () => {
  it("are entered with their true arrival, listed by due date, confirmed, answered, and seen by the person", async () => {
    for (const received of ["2026-11-27", "2026-11-26T09:00:01Z", "yesterday", "2026-02-30"]) {
      await expect(add("rectify", "--received", received, "--text", "x")).rejects.toThrow(/future|Write the day/);
    }
    const added = await add("rectify", "--received", "2026-11-20", "--text", "I am Ana\u001b[2J, not Anna");
    expect(added.out).toEqual([
      expect.stringMatching(/^DR-2026-0001 Waiting for your confirmation, answer by 2026-12-20$/),
    ]);
    const number = numberIn(added);
    const late = numberIn(await add("access", "--received", "2026-10-20"));
    const listed = await admin("request", "list", ...WHY);
    expect(listed.out).toEqual([
      `${late}\taccess\tpost\tWaiting for your confirmation\t2026-11-19\tOVERDUE by 8 days\treminded on day 37`,
      `${number}\trectify\tpost\tWaiting for your confirmation\t2026-12-20\t23 days left`,
    ]);
    expect((await admin("request", "show", "--number", number, ...WHY)).out).toContain("wrote\tI am Ana [2J, not Anna");
    await expect(admin("request", "answer", "--number", number, "--text", "Done", ...WHY)).rejects.toThrow("confirmed");
    expect((await admin("request", "verify", "--number", number, ...WHY)).out).toEqual([
      `${number} Being worked on`,
      "Left to do: answer with “request answer”.",
    ]);
    const answered = await admin("request", "answer", "--number", number, "--text", "You are Ana now.", ...WHY);
    expect(answered.out).toEqual([`${number} Done`]);
    const denied = await admin("request", "deny", "--number", late, "--because", "too_many_requests", ...WHY);
    expect(denied.out).toEqual([`${late} Denied`]);

    expect(await asked("privacy.requests")).toMatchObject([{ number, state: "fulfilled", answer: "You are Ana now." }]);
    const looks = (await asked("privacy.accessLog")).map(({ words, reason }) => [words, reason]);
    for (const words of [
      ...["entered a request about data", "read requests about data", "made sure whose a request about data is"],
      "answered a request about data",
    ]) {
      expect(looks).toContainEqual([`The operator ${words}`, WHY[1]]);
    }
    expect((await admin("audit", "verify")).status).toBe(0);
  });

  it("to stop the use of data are carried out by the running server", async () => {
    const launched = await call(server, "mutation", "phones.launch", { idempotencyKey: "the-phone" }, person.token);
    expect(launched).toMatchObject({ ok: true });
    const number = numberIn(await add("restrict", "--received", "2026-11-25"));
    expect((await admin("request", "verify", "--number", number, ...WHY)).out).toEqual([`${number} Done`]);
    expect(await call(server, "query", "phones.list", undefined, person.token)).toMatchObject({
      error: { code: "processing_restricted" },
    });
    await vi.waitFor(() => expect(server.phones.running.size).toBe(0), { timeout: 5_000 });
  });

  it("say what they do not understand", async () => {
    await expect(add("forget", "--received", "2026-11-20")).rejects.toThrow("--kind: Choose from: access, export");
    await expect(add("delete", "--received", "2026-11-20", "--channel", "fax")).rejects.toThrow("Choose from: mail");
    const deny = ["request", "deny", "--number", "DR-2026-0001", "--because", "mood", ...WHY];
    await expect(admin(...deny)).rejects.toThrow("--because: Choose from: suspected_fraud");
    expect(await admin("request", "list")).toMatchObject({ status: 2 });
    await expect(admin("request", "show", "--number", "DR-1", ...WHY)).rejects.toThrow("No request has this number");
  });
});

describe("receipts at the command line", () => {
  it("are checked, and what was changed in them is refused", async () => {
    const [newest] = (await asked("privacy.requests")) as unknown as [{ receipt: { statement: object } }];
    const file = join(folder, "receipt.json");
    writeFileSync(file, JSON.stringify(newest.receipt));
    const { out } = await admin("receipt", "verify", "--file", file);
    expect(out[0]).toMatch(/^Signed by this server with key [\w-]{43}\.$/);
    expect(out).toContain("state\tfulfilled");
    const changed = { ...newest.receipt, statement: { ...newest.receipt.statement, state: "denied" } };
    writeFileSync(file, JSON.stringify(changed));
    await expect(admin("receipt", "verify", "--file", file)).rejects.toThrow("not signed by this server");
    writeFileSync(file, "no json");
    await expect(admin("receipt", "verify", "--file", file)).rejects.toThrow("cannot be read as JSON");
    await expect(admin("receipt", "verify", "--file", join(folder, "absent"))).rejects.toThrow("cannot be read");
  });
});
