import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { failureSentence, failureWords } from "../../extension/api/errors.ts";
import { PerchError } from "../errors.ts";
import { redact } from "../log.ts";
import { call, signIn, startTestServer, type TestPerson, type TestServer } from "../testing.ts";
import { createReferences, REFERENCE } from "./reference.ts";

describe("a reference", () => {
  it("is short, has no letter that looks like another, and is not given twice", () => {
    const next = createReferences();
    const many = Array.from({ length: 20_000 }, next);
    expect(many.filter((one) => !REFERENCE.test(one))).toEqual([]);
    expect(new Set(many).size).toBe(many.length);
    expect(many.join("")).not.toMatch(/[ILOU]/);
    // Every letter comes about equally often.
    const counts = new Map<string, number>();
    for (const letter of many.join("").replaceAll("-", "")) counts.set(letter, (counts.get(letter) ?? 0) + 1);
    expect(counts.size).toBe(32);
    expect(Math.min(...counts.values()) / Math.max(...counts.values())).toBeGreaterThan(0.85);
  });
  it("is not hidden from the log", () => {
    for (const one of Array.from({ length: 1_000 }, createReferences())) expect(redact(one)).toBe(one);
  });
});

describe("what a person quotes finds the line in the log", () => {
  let server: TestServer;
  let person: TestPerson;
  beforeAll(async () => {
    server = await startTestServer();
    person = await signIn(server);
  });
  afterAll(() => server.dispose());
  const linesOf = (reference: string) => server.lines.filter((line) => line.includes(`"requestId":"${reference}"`));

  it("of a call that failed, as the extension shows it", async () => {
    const launched = await call(server, "mutation", "phones.launch", { idempotencyKey: "reference" }, person.token);
    const { id } = (launched.ok ? launched.data : {}) as { id?: string };
    server.phones.screenshot = () => Promise.reject(new Error("The disk of anna@x.example broke"));
    const answer = await call(server, "mutation", "phones.screenshot", { phoneId: id }, person.token);
    if (answer.ok) throw new Error("There was a picture.");
    const failure = { kind: "refused", error: answer.error } as const;
    const { requestId } = answer.error;
    expect(failureWords(failure).detail).toBe(`Reference ${requestId}.`);
    expect(failureSentence(failure)).toMatch(/send us the reference\. Reference [\w-]{11}\.$/);
    expect(linesOf(requestId).map((line) => JSON.parse(line).procedure)).toEqual(["phones.screenshot"]);
    expect(server.lines.join("")).not.toContain("anna@");
  });

  it("of what could not be done just now, with the reason the person does not see", async () => {
    const cause = new Error("connect ECONNREFUSED 127.0.0.1:587");
    const words = "Mail cannot be sent now. Try again later.";
    const launched = await call(server, "mutation", "phones.launch", { idempotencyKey: "reference" }, person.token);
    server.phones.screenshot = () => Promise.reject(new PerchError("unavailable", words, { cause }));
    const { id } = (launched.ok ? launched.data : {}) as { id?: string };
    const answer = await call(server, "mutation", "phones.screenshot", { phoneId: id }, person.token);
    if (answer.ok) throw new Error("There was a picture.");
    const { requestId } = answer.error;
    const said = failureWords({ kind: "refused", error: answer.error });
    expect(said).toMatchObject({ title: words, detail: `Reference ${requestId}.` });
    expect(linesOf(requestId).map((line) => JSON.parse(line))).toMatchObject([
      {
        ...{ level: "warn", message: "Could not be done now", code: "unavailable", procedure: "phones.screenshot" },
        error: "Error: connect ECONNREFUSED 127.0.0.1:587",
      },
    ]);
  });

  it("of a page", async () => {
    const page = await (await fetch(`${server.url}/nothing`)).text();
    expect(page).toMatch(/Reference <code>[0-9A-Z]{5}-[0-9A-Z]{5}<\/code>/);
  });

  it("is not shown where the sentence says it all", () => {
    const error = { code: "limit_reached", message: "Your team has ten phones.", requestId: "K7P2M-9XQ4D" } as const;
    expect(failureSentence({ kind: "refused", error })).toBe("Your team has ten phones.");
  });
});
