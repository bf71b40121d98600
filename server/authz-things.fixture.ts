/** What a team has: what the phone and automation calls of the authorisation matrix are about. */
import { eq } from "drizzle-orm";
import type { Step } from "../shared/flows/model.ts";
import { stepKey } from "../shared/flows/targets.ts";
import {
  budgetId as budgetIdSchema,
  type FlowId,
  flowId as flowIdSchema,
  newId,
  type PhoneId,
  phoneId as phoneIdSchema,
  type RuleId,
  recordingId as recordingIdSchema,
  runId as runIdSchema,
  secretId as secretIdSchema,
  suiteId as suiteIdSchema,
  uploadId as uploadIdSchema,
  webhookId as webhookIdSchema,
} from "../shared/ids.ts";
import { call, type TestPerson, type TestServer } from "./testing.ts";

export const FLOW = "url: https://a.example/\n---\n- back\n";
const ASKING = "url: https://a.example/\nsecrets: [PASSWORD, OTHER]\n---\n- back\n";
/** A flow whose step has another selector recorded beside it. */
const TAP: Step = {
  command: { name: "tapOn", selector: { text: "a" } },
  place: { line: 5, column: 3 },
  optional: false,
  path: "0",
};
const HEALABLE = `url: https://a.example/\nx-targets:\n  "${stepKey(TAP)}": [{id: b}]\n---\n- tapOn: a\n`;
const COMPARES = "url: https://a.example/\n---\n- assertScreenshot: home\n";
export const IMPORT = { folder: "new", files: [{ path: "b.js", base64: "Mg==" }] };

export const ruleFor = ({ ruleId, flowId, phoneId }: { ruleId: RuleId; flowId: FlowId; phoneId: PhoneId }) => ({
  id: ruleId,
  name: "Mine",
  when: { all: [] },
  action: { flowId, phone: phoneId },
});

/** Ids of things that are not there. */
export const NO_THINGS = {
  ...{ phoneId: newId("phone"), flowId: newId("flow"), runId: newId("run"), interruptedId: newId("run") },
  ...{ secretId: newId("secret"), askingId: newId("flow"), ruleId: newId("rule"), hookId: newId("webhook") },
  ...{ comparingId: newId("run"), suiteId: newId("suite"), recordingId: newId("recording"), plan: "" },
  uploadId: newId("upload"),
  ...{ budgetId: newId("budget"), intervalId: newId("usageInterval"), checkoutId: newId("checkout") },
};
type Things = typeof NO_THINGS;

/** A running phone with a file and a flow, and everything else there can be; for one call, what it may be about. */
export async function thingsOf(server: TestServer, owner: TestPerson, path?: string): Promise<Things> {
  const answered = async (name: string, input: unknown) => {
    const answer = await call(server, "mutation", name, input, owner.token);
    if (!answer.ok) throw new Error(answer.error.message);
    return answer.data as { id: string; runId: string; plan: string };
  };
  const saved = async (name: string, source: string, at?: string) =>
    flowIdSchema.parse((await answered("flows.save", { name, source, ...(at !== undefined && { path: at }) })).id);
  const runOf = async (flowId: FlowId, idempotencyKey: string) =>
    runIdSchema.parse((await answered("runs.start", { flowId, phoneId, idempotencyKey })).runId);
  const isAbout = (...areas: string[]) => path === undefined || areas.some((area) => path.startsWith(`${area}.`));

  const phoneId = phoneIdSchema.parse((await answered("phones.launch", { idempotencyKey: "the-phone" })).id);
  server.phones.save(phoneId, "a.txt", "secret");
  const flowId = await saved("Mine", FLOW);
  const upload = async () => {
    const { id } = await answered("phones.openUpload", { phoneId, purpose: "file", name: "c.txt", bytes: 3 });
    return uploadIdSchema.parse(id);
  };
  return {
    ...NO_THINGS,
    ...{ phoneId, flowId },
    ...(path !== undefined && /upload/i.test(path) && { uploadId: await upload() }),
    ...(isAbout("runs", "flows") && (await runs())),
    ...(isAbout("recordings") && { recordingId: await recording() }),
    ...(isAbout("secrets") && (await secret())),
    ...(isAbout("rules") && { ruleId: await rule() }),
    ...(isAbout("webhooks") && { hookId: await webhook() }),
    ...(isAbout("workspaces") && (await files())),
    ...(isAbout("billing", "usage") && (await billed())),
  };

  /** A budget, and the time the phone runs. */
  async function billed(): Promise<Pick<Things, "budgetId" | "intervalId">> {
    const budget = { scope: { kind: "team" }, measure: "time", limit: 3_600_000 };
    const { id } = await answered("billing.setBudget", budget);
    const { usageIntervals } = server.db.t;
    const [interval] = await server.db.read.select().from(usageIntervals).where(eq(usageIntervals.phoneId, phoneId));
    if (interval === undefined) throw new Error("The phone runs and nothing counts it.");
    return { budgetId: budgetIdSchema.parse(id), intervalId: interval.id };
  }

  /** One that passed and could be healed, and one that was interrupted. */
  async function runs(): Promise<Pick<Things, "runId" | "interruptedId">> {
    const runId = await runOf(flowId, "the-first-run");
    const interruptedId = await runOf(flowId, "interrupted");
    await server.automations.runner.idle();
    const { t } = server.db;
    const healableId = await saved("Heals", HEALABLE);
    const healing = { applied: false, fallback: 0, selector: "", line: 5, column: 1 };
    await server.db.tx(async (tx) => {
      await tx.update(t.runs).set({ source: HEALABLE, flowId: healableId }).where(eq(t.runs.id, runId));
      await tx.update(t.runSteps).set({ result: { healing } }).where(eq(t.runSteps.runId, runId));
      await tx.update(t.runs).set({ state: "interrupted" }).where(eq(t.runs.id, interruptedId));
    });
    return { runId, interruptedId };
  }

  async function recording(): Promise<Things["recordingId"]> {
    const recordingId = recordingIdSchema.parse((await answered("recordings.start", { phoneId })).id);
    await answered("recordings.pause", { recordingId });
    const { recordings, recordingSteps } = server.db.t;
    const at = new Date(server.clock.now());
    const candidates = [
      { kind: "text", selector: { text: "Buy" }, score: 80 },
      { kind: "point", selector: { point: "50%,50%" }, score: 5 },
    ] as const;
    const bounds = { x: 0, y: 0, width: 1, height: 1 };
    const fingerprint = { role: "text", text: "Hi", bounds, near: [] } as const;
    const proposals = [{ words: "Hi", candidates, fingerprint }] as const;
    const data = { action: { kind: "tap" }, candidates, chosen: 0, words: "Tap “Buy”", proposals } as const;
    await server.db.tx(async (tx) => {
      await tx.update(recordings).set({ eventSeq: 4 }).where(eq(recordings.id, recordingId));
      await tx.insert(recordingSteps).values({ recordingId, seq: 1, changed: 3, data, at });
      await tx.insert(recordingSteps).values({ recordingId, seq: 2, changed: 4, data, at, removedAt: at });
    });
    return recordingId;
  }

  async function secret(): Promise<Pick<Things, "secretId" | "askingId">> {
    const askingId = await saved("Asks", ASKING);
    const secretId = secretIdSchema.parse((await answered("secrets.set", { name: "PASSWORD", value: "hunter22" })).id);
    await answered("secrets.grant", { secretId, flowId: askingId });
    return { secretId, askingId };
  }

  async function rule(): Promise<RuleId> {
    const ruleId = newId("rule");
    await answered("rules.save", { rule: ruleFor({ ruleId, flowId, phoneId }) });
    return ruleId;
  }

  async function webhook(): Promise<Things["hookId"]> {
    return webhookIdSchema.parse((await answered("webhooks.create", { name: "Mine", flowId, phone: phoneId })).id);
  }

  /** A folder with a script and a flow that compares pictures, its run and its suite, and an import that was looked at. */
  async function files(): Promise<Pick<Things, "comparingId" | "suiteId" | "plan">> {
    await answered("workspaces.saveFile", { path: "shop/a.js", base64: "MQ==" });
    const comparingId = await runOf(await saved("Compares", COMPARES, "shop/main.yaml"), "compares");
    const suite = await answered("workspaces.run", { path: "shop", phoneId, idempotencyKey: "the-suite" });
    const { plan } = await answered("workspaces.preview", IMPORT);
    await server.automations.runner.idle();
    return { comparingId, suiteId: suiteIdSchema.parse(suite.id), plan };
  }
}
