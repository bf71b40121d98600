import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type FlowId, newId, type RunId, type TeamId } from "../../../shared/ids.ts";
import { setSecretInput } from "../../../shared/secrets.ts";
import { addUser } from "../../accounts/testing/people.ts";
import { TEST_ENGINES } from "../../db/testing.ts";
import { newTeam } from "../../phones/testing/harness.ts";
import { seal, unseal } from "../../seal.ts";
import { teamScope } from "../../teams/team-scope.ts";
import { LEASE_MS } from "../runner.ts";
import { composeRuns, type OpenRuns, openRuns } from "../testing/harness.ts";
import { mortalDatabase } from "../testing/mortal-database.ts";
import { createSecretsRepo } from "./secrets.repo.ts";
import type { Keeper } from "./secrets.service.ts";

const CANARY = "correct horse battery";
const flowText = (commands: string, names = "PASSWORD", header = "") =>
  `url: https://shop.example/\nsecrets: [${names}]\n${header}---\n${commands}\n`;

/** One more member of a team. */
async function member(at: OpenRuns, teamId: TeamId, manages = false): Promise<Keeper> {
  const { teamMembers } = at.test.db.t;
  const userId = newId("user");
  const role = manages ? "admin" : "operator";
  const now = new Date(at.clock.now());
  await at.test.db.tx(async (tx) => {
    const email = `${userId.toLowerCase()}@x.example`;
    await addUser(at.test.db, tx, { id: userId, email, createdAt: now });
    await tx.insert(teamMembers).values({ teamId, userId, role, joinedAt: now });
  });
  const scope = teamScope({ userId, teamId, role } as Parameters<typeof teamScope>[0], "phones:control");
  if (scope === undefined) throw new Error("An operator controls phones.");
  return { scope, manages };
}

describe("what is sealed", () => {
  const key = Buffer.alloc(32, 1);
  it("opens in its own place with its own key, and nowhere else", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), fc.nat(), (text, place, other, at) => {
        const sealed = seal(key, place, text);
        expect(unseal(key, place, sealed)).toBe(text);
        if (other !== place) expect(unseal(key, other, sealed)).toBeUndefined();
        expect(unseal(Buffer.alloc(32, 2), place, sealed)).toBeUndefined();
        const bytes = Buffer.from(sealed, "base64url");
        bytes[at % bytes.length] = (bytes[at % bytes.length] ?? 0) ^ 1;
        expect(unseal(key, place, bytes.toString("base64url"))).toBeUndefined();
        expect(unseal(key, place, sealed.slice(0, 10))).toBeUndefined();
      }),
    );
  });
});

it.each([
  ["three characters", "abc", /at least 4 characters.*by chance/],
  ["three emoji", "😀😀😀", /at least 4/],
  ["too many", "x".repeat(4_097), /at most 4,096/],
  ["half a character", "abcd\ud800", /broken/],
])("a value of %s is refused with a reason", (_what, value, words) => {
  const { error } = setSecretInput.safeParse({ name: "PASSWORD", value });
  expect(error?.issues[0]?.message).toMatch(words);
  expect(JSON.stringify(error)).not.toContain(value);
});

describe("secrets of a team", () => {
  let at: OpenRuns;
  let setter: Keeper;
  let other: Keeper;
  let admin: Keeper;
  let names = 0;
  beforeAll(async () => {
    at = await openRuns();
  });
  afterAll(() => at.dispose());
  beforeEach(async () => {
    const scope = await newTeam(at);
    setter = { scope, manages: false };
    other = await member(at, scope.teamId);
    admin = await member(at, scope.teamId, true);
    at.clock.advance(1_000);
  });
  const secrets = () => at.automations.secrets;
  const flow = async (keeper: Keeper, source = flowText("- back")) => {
    names += 1;
    return at.automations.flows.save(keeper.scope, { name: `Flow ${names}`, source }, keeper);
  };
  const grantsOf = async (id: string) =>
    (await secrets().list(setter)).find((one) => one.id === id)?.grants.map(({ current }) => current);

  it("keeps a value sealed, and tells names alone", async () => {
    const { id } = await secrets().set(setter, { name: "PASSWORD", value: CANARY });
    const [row] = await at.test.db.read.select().from(at.test.db.t.secrets);
    expect(JSON.stringify(row)).not.toContain(CANARY);
    const listed = await secrets().list(other);
    expect(listed).toMatchObject([{ id, name: "PASSWORD", mine: false, mayPassOn: false, grants: [] }]);
    expect(JSON.stringify(listed)).not.toContain(CANARY);
    const everything = await Promise.all(
      Object.values(at.test.db.t).map((table) => at.test.db.read.select().from(table)),
    );
    expect(JSON.stringify(everything)).not.toContain(CANARY);
  });

  it("does not open a value that was moved to another secret or team", async () => {
    const one = await secrets().set(setter, { name: "PASSWORD", value: CANARY });
    const two = await secrets().set(setter, { name: "OTHER", value: "something else" });
    const { id } = await flow(setter, flowText("- inputText: ${OTHER}", "OTHER"));
    await secrets().grant(setter, { secretId: two.id, flowId: id });
    const repo = createSecretsRepo(at.test.db);
    await at.test.db.tx(async (tx) => {
      const stolen = await repo.find(tx, setter.scope, one.id);
      await repo.change(tx, two.id, {
        value: stolen?.value ?? "",
        createdBy: setter.scope.userId,
        changedAt: new Date(at.clock.now()),
      });
    });
    const phone = await at.phones.launch(setter.scope, { idempotencyKey: "moved-phone" });
    const start = { flowId: id, phoneId: phone.id, idempotencyKey: "moved-value-1" };
    const { runId } = await at.runs.start(setter.scope, start, "person");
    await at.runner.idle();
    expect(await at.runs.get(setter.scope, runId)).toMatchObject({
      state: "failed",
      error: { code: "secret_unavailable", message: expect.stringContaining("cannot be read") },
    });
  });

  it("may be replaced, removed and granted by who set it and by who manages the team", async () => {
    const { id } = await secrets().set(setter, { name: "PASSWORD", value: CANARY });
    const { id: flowId } = await flow(setter);
    const refused = { code: "forbidden", message: expect.stringContaining("PASSWORD") };
    await expect(secrets().set(other, { name: "PASSWORD", value: "mine now" })).rejects.toMatchObject(refused);
    await expect(secrets().grant(other, { secretId: id, flowId })).rejects.toMatchObject(refused);
    await expect(secrets().remove(other, id)).rejects.toMatchObject(refused);
    await secrets().grant(setter, { secretId: id, flowId });
    await secrets().revoke(other, id, flowId);
    expect(await grantsOf(id)).toEqual([]);
    await secrets().grant(admin, { secretId: id, flowId });
    await secrets().remove(admin, id);
    expect(await secrets().list(setter)).toEqual([]);
  });

  it("is withdrawn from what others granted when somebody else sets its value", async () => {
    const { id } = await secrets().set(setter, { name: "PASSWORD", value: CANARY });
    const [one, two] = [await flow(setter), await flow(setter)];
    await secrets().grant(setter, { secretId: id, flowId: one.id });
    await secrets().grant(admin, { secretId: id, flowId: two.id });
    await secrets().set(setter, { name: "PASSWORD", value: "rotated by myself" });
    expect((await grantsOf(id))?.length).toBe(2);
    await secrets().set(admin, { name: "PASSWORD", value: "rotated by another" });
    expect((await secrets().list(admin))[0]?.grants).toMatchObject([{ flowId: two.id, current: true }]);
    expect(await secrets().list(setter)).toMatchObject([{ mine: false, mayPassOn: false }]);
  });

  it("goes to flows that ask for it, in the state the person saw", async () => {
    const { id } = await secrets().set(setter, { name: "PASSWORD", value: CANARY });
    const plain = await flow(setter, "url: https://a.example/\n---\n- back\n");
    await expect(secrets().grant(setter, { secretId: id, flowId: plain.id })).rejects.toMatchObject({
      message: expect.stringContaining("secrets: [PASSWORD]"),
    });
    const seen = await flow(setter);
    at.clock.advance(1_000);
    await at.automations.flows.save(other.scope, { flowId: seen.id, name: "x", source: flowText("- scroll") }, other);
    await expect(
      secrets().grant(setter, { secretId: id, flowId: seen.id, seen: seen.updatedAt }),
    ).rejects.toMatchObject({ code: "conflict" });
    await expect(secrets().grant(setter, { secretId: id, flowId: newId("flow") })).rejects.toMatchObject({
      code: "not_found",
    });
  });

  it("stays with a flow its keeper changes, and leaves one that anybody else changed, for good", async () => {
    const { id } = await secrets().set(setter, { name: "PASSWORD", value: CANARY });
    const { id: flowId, name, source } = await flow(setter);
    await secrets().grant(setter, { secretId: id, flowId });
    const save = (keeper: Keeper | undefined, text: string) =>
      at.automations.flows.save((keeper ?? other).scope, { flowId, name, source: text }, keeper);
    await save(setter, flowText("- scroll"));
    expect(await grantsOf(id)).toEqual([true]);
    await save(admin, source);
    expect(await grantsOf(id)).toEqual([true]);
    // An API token is nobody's hand, also when its person could pass the secret on.
    await save(undefined, flowText("- scroll"));
    expect(await grantsOf(id)).toEqual([false]);
    await save(setter, source);
    expect(await grantsOf(id)).toEqual([true]);
    await save(other, flowText("- inputText: evil"));
    // What the other wrote is still in it when the keeper corrects a letter.
    await save(setter, flowText("- inputText: Evil"));
    expect(await grantsOf(id)).toEqual([false]);
    await secrets().grant(setter, { secretId: id, flowId });
    expect(await grantsOf(id)).toEqual([true]);
    await at.automations.flows.remove(other.scope, flowId);
    expect(await grantsOf(id)).toEqual([]);
  });

  it("reaches only texts its keepers granted or wrote, whoever does what in whatever order", async () => {
    const act = fc.record({
      who: fc.constantFrom("setter" as const, "other" as const, "admin" as const, "token" as const),
      what: fc.constantFrom("save" as const, "save" as const, "grant" as const, "revoke" as const, "set" as const),
      text: fc.nat(3),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
        names += 1;
        const name = `SECRET_${names}`;
        const text = (n: number) => flowText(`- inputText: "${n}"`, name);
        const { id } = await secrets().set(setter, { name, value: CANARY });
        const { id: flowId } = await flow(setter, text(0));
        const people = { setter, other, admin, token: undefined };
        /** What should be: who knows the value, which text the flow has, which one was granted and by whom. */
        let knows: keyof typeof people = "setter";
        let now = 0;
        let granted: { text: number; by: keyof typeof people } | undefined;
        for (const { who, what, text: n } of acts) {
          const keeper = people[who];
          const holds = who === "admin" || who === knows;
          if (what === "save") {
            await at.automations.flows.save((keeper ?? setter).scope, { flowId, name: "x", source: text(n) }, keeper);
            if (keeper !== undefined && holds && granted?.text === now && n !== now) granted = { text: n, by: who };
            now = n;
          } else if (keeper === undefined) continue;
          else if (what === "grant") {
            const done = await secrets()
              .grant(keeper, { secretId: id, flowId })
              .then(
                () => true,
                () => false,
              );
            expect(done).toBe(holds);
            if (holds) granted = { text: now, by: who };
          } else if (what === "revoke") {
            await secrets()
              .revoke(keeper, id, flowId)
              .catch(() => {});
            granted = undefined;
          } else {
            const done = await secrets()
              .set(keeper, { name, value: CANARY })
              .then(
                () => true,
                () => false,
              );
            expect(done).toBe(holds);
            if (holds && knows !== who && granted?.by !== who) granted = undefined;
            if (holds) knows = who;
          }
          expect(await grantsOf(id)).toEqual(granted === undefined ? [] : [granted.text === now]);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe.each(TEST_ENGINES)("on $name", (engine) => {
  it("two people who set one name at once make one secret", async () => {
    const at = await openRuns({ test: await engine.open() });
    try {
      const keeper = { scope: at.scope, manages: true };
      const set = (value: string) => at.automations.secrets.set(keeper, { name: "PASSWORD", value });
      const made = await Promise.all([set("value one"), set("value two"), set("value three")]);
      expect(new Set(made.map(({ id }) => id)).size).toBe(1);
      const { id } = await at.automations.flows.save(at.scope, { name: "Flow", source: flowText("- back") }, keeper);
      await at.automations.secrets.grant(keeper, { secretId: made[0]?.id ?? newId("secret"), flowId: id });
      await at.automations.secrets.grant(keeper, { secretId: made[0]?.id ?? newId("secret"), flowId: id });
      expect((await at.automations.secrets.list(keeper))[0]?.grants).toMatchObject([{ current: true }]);
    } finally {
      await at.dispose();
    }
  });
});

describe("a run of a flow with secrets", () => {
  let at: OpenRuns;
  let keeper: Keeper;
  let keys = 0;
  beforeEach(async () => {
    at = await openRuns();
    keeper = { scope: at.scope, manages: true };
    await at.automations.secrets.set(keeper, { name: "PASSWORD", value: CANARY });
    at.clock.advance(1_000);
  });
  const saved = async (commands: string, header = ""): Promise<FlowId> => {
    const source = flowText(commands, "PASSWORD", header);
    return (await at.automations.flows.save(at.scope, { name: "Log in", source }, keeper)).id;
  };
  const granted = async (commands: string, header = ""): Promise<FlowId> => {
    const flowId = await saved(commands, header);
    const [secret] = await at.automations.secrets.list(keeper);
    if (secret === undefined) throw new Error("No secret.");
    await at.automations.secrets.grant(keeper, { secretId: secret.id, flowId });
    return flowId;
  };
  const start = (
    flowId: FlowId,
    trigger: "person" | "token" | "rule" | "schedule" | "webhook" = "person",
    how = {},
  ) => {
    keys += 1;
    const input = { flowId, phoneId: at.phoneId, idempotencyKey: `secret-run-${keys}` };
    return at.runs.start(at.scope, input, trigger, how);
  };
  const ended = async (runId: RunId) => {
    await at.runner.idle();
    return at.runs.get(at.scope, runId);
  };

  it("has the value, and the header and inputs do not change that", async () => {
    const flowId = await granted("- inputText: ${PASSWORD}", "env:\n  PASSWORD: from the header\n");
    const { runId } = await start(flowId);
    expect((await ended(runId)).state).toBe("passed");
    expect(at.driver.effects).toEqual([`type ${CANARY}`]);
    const given = { flowId, phoneId: at.phoneId, idempotencyKey: "given-input-1", inputs: { PASSWORD: "mine" } };
    await expect(at.runs.start(at.scope, given, "person")).rejects.toMatchObject({
      message: expect.stringContaining("cannot be given as an input"),
    });
    await at.dispose();
  });

  it.each([
    ["a name nobody set", "OTHER", /OTHER, which is not set/],
    ["no grant", "PASSWORD", /may not use the secret PASSWORD yet/],
  ])("does not begin with %s, and says what to do", async (_what, name, words) => {
    const source = flowText("- inputText: x", name);
    const { id } = await at.automations.flows.save(at.scope, { name: "x", source }, keeper);
    await expect(start(id)).rejects.toMatchObject({ code: "bad_input", message: expect.stringMatching(words) });
    expect(at.driver.effects).toEqual([]);
    await at.dispose();
  });

  it.each([
    ["other.yaml", "- runFlow: other.yaml", "url: https://a.example/\n---\n- back\n"],
    ["other.js", "- runScript: other.js", "output.a = 1"],
  ])("does not begin when %s, which it reads, was changed by anyone", async (path, step, text) => {
    const put = (content: string) =>
      path.endsWith(".yaml")
        ? at.automations.flows.save(at.scope, { ...otherId, name: "Other", source: content, path }, keeper)
        : at.automations.workspaces.saveFile(at.scope, { path, base64: Buffer.from(content).toString("base64") });
    let otherId: { flowId?: FlowId } = {};
    const first = await put(text);
    if ("id" in first) otherId = { flowId: first.id };
    const main = { name: "Main", source: flowText(step), path: "main.yaml" };
    const { id } = await at.automations.flows.save(at.scope, main, keeper);
    const [secret] = await at.automations.secrets.list(keeper);
    if (secret === undefined) throw new Error("No secret.");
    const allow = () => at.automations.secrets.grant(keeper, { secretId: secret.id, flowId: id });
    const current = async () => (await at.automations.secrets.list(keeper))[0]?.grants.map((one) => one.current);
    await allow();
    expect([await current(), (await ended((await start(id)).runId)).state]).toEqual([[true], "passed"]);
    await put(text.replace("a", "b"));
    expect(await current()).toEqual([false]);
    await expect(start(id)).rejects.toMatchObject({ message: expect.stringContaining("allow it again") });
    await allow();
    expect((await ended((await start(id)).runId)).state).toBe("passed");
    await at.dispose();
  });

  it("does not begin as a text, as picked steps of another, or with a changed text", async () => {
    const flowId = await granted("- inputText: x");
    const source = flowText("- inputText: x");
    await expect(
      at.runs.start(at.scope, { source, phoneId: at.phoneId, idempotencyKey: "as-a-text-1" }, "person"),
    ).rejects.toMatchObject({ message: expect.stringContaining("saved flows only") });
    const part = { flowId, phoneId: at.phoneId, part: { from: 0, to: 0 }, idempotencyKey: "picked-steps-1" };
    const other = await member(at, at.scope.teamId);
    await expect(at.runs.start(other.scope, part, "person")).rejects.toMatchObject({
      message: expect.stringContaining("only when started by the person who set it"),
    });
    await expect(at.runs.start(at.scope, part, "token")).rejects.toMatchObject({ code: "forbidden" });
    await at.automations.flows.save(other.scope, { flowId, name: "x", source: flowText("- inputText: y") }, other);
    await expect(start(flowId)).rejects.toMatchObject({ message: expect.stringContaining("allow it again") });
    await at.dispose();
  });

  it("takes no values in place of what its text seems to fix", async () => {
    const flowId = await granted(
      "- openLink: ${HOST}/${PAGE}\n- inputText: ${PASSWORD}",
      "env:\n  HOST: https://shop.example\ninputs: [PAGE]\n",
    );
    const run = (inputs: Record<string, string>, idempotencyKey: string) =>
      at.runs.start(at.scope, { flowId, phoneId: at.phoneId, inputs, idempotencyKey }, "person");
    await expect(run({ HOST: "https://evil.example", PAGE: "login" }, "other-host-1")).rejects.toMatchObject({
      code: "bad_input",
      message: expect.stringContaining("HOST"),
    });
    const { runId } = await run({ PAGE: "login" }, "own-host-1");
    expect((await ended(runId)).state).toBe("passed");
    expect(at.driver.effects).toEqual(["open https://shop.example/login", `type ${CANARY}`]);
    await at.dispose();
  });

  it("has them only where that is switched on when no person or token starts it", async () => {
    const flowId = await granted("- inputText: x");
    for (const trigger of ["rule", "schedule", "webhook"] as const) {
      await expect(start(flowId, trigger)).rejects.toMatchObject({
        code: "forbidden",
        message: expect.stringContaining(trigger),
      });
      expect((await ended((await start(flowId, trigger, { mayUseSecrets: true })).runId)).state).toBe("passed");
    }
    expect((await ended((await start(flowId, "token")).runId)).state).toBe("passed");
    await expect(start(flowId, "person", { mayUseSecrets: false })).rejects.toMatchObject({ code: "forbidden" });
    await at.dispose();
  });

  it("ends with a sentence when the grant goes while it waits", async () => {
    const flowId = await granted("- inputText: ${PASSWORD}");
    await at.runner.close();
    const { runId } = await start(flowId);
    const [secret] = await at.automations.secrets.list(keeper);
    await at.automations.secrets.revoke(keeper, secret?.id ?? newId("secret"), flowId);
    const life = await composeRuns({ ...at, holder: "second" });
    await life.runner.start();
    await life.runner.idle();
    expect(await life.runs.get(at.scope, runId)).toMatchObject({
      state: "failed",
      error: { code: "secret_unavailable", message: expect.stringContaining("may not use the secret PASSWORD") },
    });
    expect(at.driver.effects).toEqual([]);
    await life.automations.close();
    await at.dispose();
  });

  describe.each([
    ["stays as it is", async () => {}, "passed", undefined],
    [
      "is set anew",
      async () => void (await at.automations.secrets.set(keeper, { name: "PASSWORD", value: "a new one" })),
      "failed",
      /changed after this run began/,
    ],
    [
      "is removed",
      async () => {
        const [secret] = await at.automations.secrets.list(keeper);
        await at.automations.secrets.remove(keeper, secret?.id ?? newId("secret"));
      },
      "failed",
      /not set/,
    ],
  ])("that goes on after a crash, when the secret %s", (_what, meanwhile, state, words) => {
    it(`is ${state}`, async () => {
      const script = "output.kept = PASSWORD; post here";
      const flowId = await granted(
        `- evalScript: "${script}"\n- inputText: one\n- inputText: two\n- inputText: \${output.kept}`,
        "limits:\n  onCrash: resume\n",
      );
      await at.runner.close();
      const { runId } = await start(flowId);
      const life = async (death: Parameters<typeof mortalDatabase>[1]) => {
        at.clock.advance(LEASE_MS + 1);
        const mortal = mortalDatabase(at.test.db, death);
        const one = await composeRuns({ ...at, db: mortal.db, holder: `life-${death.at}` });
        const working = one.runner.start().then(() => one.runner.idle());
        await Promise.race([working, mortal.died]);
        return one;
      };
      await life({ at: 9, committed: true });
      const rows = await at.test.db.read.select().from(at.test.db.t.runSteps);
      expect(rows.some(({ result }) => typeof result?.["scripts"] === "string")).toBe(true);
      expect(JSON.stringify(rows)).not.toContain(CANARY);
      await meanwhile();
      const last = await life({ at: Number.POSITIVE_INFINITY, committed: false });
      const run = await last.runs.get(at.scope, runId);
      expect(run.state).toBe(state);
      if (words === undefined) {
        expect(at.driver.effects).toEqual(["type one", "type two", `type ${CANARY}`]);
        expect(at.posted).toEqual(["here"]);
      } else expect(run.error).toMatchObject({ code: "secret_unavailable", message: expect.stringMatching(words) });
      await last.automations.close();
      await at.dispose();
    });
  });
});
