import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import type { PERMISSIONS, Role } from "../shared/access.ts";
import { newId, secretId as secretIdSchema } from "../shared/ids.ts";
import { strangersGetNothing, thoseWhoMayAreAnswered } from "./authz.contract.ts";
import { authzDocument, describeProcedures } from "./authz.ts";
import { NOBODY, peopleAround, readyFor } from "./authz-people.fixture.ts";
import { FLOW, IMPORT, NO_THINGS, ruleFor, thingsOf } from "./authz-things.fixture.ts";
import { envExample } from "./config.ts";
import { call, signIn, type TestPerson, type TestServer } from "./testing.ts";

const procedures = describeProcedures();

/**
 * Everything a stranger could want to touch: people around an owner with two sessions, a running phone with a file, flows
 * with runs, folders. For one call: what it may be about.
 */
async function makeWorld(server: TestServer, path?: string) {
  const owner = await signIn(server);
  const second = await server.db.tx((tx) =>
    server.accounts.sessions.create(tx, {
      userId: owner.userId,
      kind: "extension",
      authenticatedAt: new Date(server.clock.now()),
      method: "password",
      about: { requestId: "", ip: "127.0.0.1", userAgent: "test" },
    }),
  );
  const people = { owner, second, ...(await peopleAround(server, owner, path)) };
  if (path !== undefined && ABOUT_PEOPLE.test(path)) return { ...people, ...NO_THINGS };
  return { ...people, ...(await thingsOf(server, owner, path)) };
}
type World = Awaited<ReturnType<typeof makeWorld>>;
const ABOUT_PEOPLE = /^(account|announcements|sessions|tokens|teams|audit|privacy)\./;

/** Inputs that are valid for the owner. A procedure that is missing here fails the test. */
const INPUTS: Readonly<Record<string, (world: World) => unknown>> = {
  "account.exchange": () => ({
    code: "x".repeat(43),
    verifier: "v".repeat(43),
    redirectUri: "https://x.chromiumapp.org/",
  }),
  "announcements.current": () => undefined,
  "account.me": () => undefined,
  "account.signOut": () => undefined,
  "account.security": () => undefined,
  "account.updateProfile": () => ({ fullName: "Anna" }),
  "account.changePassword": () => ({ password: "otter lamp quiet seven" }),
  "account.changeEmail": ({ second }) => ({ email: `${second.id.toLowerCase()}@new.example` }),
  "account.cancelEmailChange": () => undefined,
  "account.beginTotp": () => undefined,
  "account.confirmTotp": ({ code }) => ({ code }),
  "account.removeTotp": () => undefined,
  "account.newBackupCodes": () => undefined,
  "account.renamePasskey": ({ passkeyId }) => ({ passkeyId, name: "Blue key" }),
  "account.removePasskey": ({ passkeyId }) => ({ passkeyId }),
  "account.standing": () => undefined,
  "account.contest": ({ decisionId }) => ({ decisionId, text: "I am no program." }),
  "sessions.list": () => undefined,
  "sessions.revoke": ({ second }) => ({ sessionId: second.id }),
  "sessions.revokeOthers": () => undefined,
  "sessions.uninstallLink": () => undefined,
  "tokens.list": () => undefined,
  "tokens.create": () => ({ name: "CI", scopes: ["phones:view"], days: 30 }),
  "tokens.revoke": ({ tokenId }) => ({ tokenId }),
  "audit.mine": () => ({}),
  "audit.team": () => ({}),
  "teams.list": () => undefined,
  "teams.get": () => undefined,
  "teams.create": () => ({ name: "Another" }),
  "teams.rename": () => ({ name: "Renamed" }),
  "teams.switch": ({ otherTeamId }) => ({ teamId: otherTeamId }),
  "teams.close": () => undefined,
  "teams.requireSecondFactor": () => ({ required: false }),
  "teams.changeRole": ({ memberId }) => ({ userId: memberId, role: "operator" }),
  "teams.removeMember": ({ memberId }) => ({ userId: memberId }),
  "teams.leave": () => undefined,
  "teams.transferOwnership": ({ memberId }) => ({ userId: memberId }),
  "teams.invite": ({ second }) => ({ email: `${second.id.toLowerCase()}@team.example`, role: "viewer", days: 7 }),
  "teams.resendInvitation": ({ invitationId }) => ({ invitationId }),
  "teams.withdrawInvitation": ({ invitationId }) => ({ invitationId }),
  "teams.myInvitations": () => undefined,
  "teams.acceptInvitation": ({ receivedId }) => ({ invitationId: receivedId }),
  "teams.declineInvitation": ({ receivedId }) => ({ invitationId: receivedId }),
  "phones.list": () => undefined,
  "phones.get": ({ phoneId }) => ({ phoneId }),
  "phones.launch": () => ({ idempotencyKey: "another-phone" }),
  "phones.start": ({ phoneId }) => ({ phoneId, url: "https://a.example/" }),
  "phones.park": ({ phoneId }) => ({ phoneId }),
  "phones.remove": ({ phoneId }) => ({ phoneId, idempotencyKey: "remove-phone" }),
  "phones.openUrl": ({ phoneId }) => ({ phoneId, url: "https://a.example/" }),
  "phones.rename": ({ phoneId }) => ({ phoneId, name: "Renamed" }),
  "phones.configure": ({ phoneId }) => ({ phoneId, settings: { locale: "de-DE" } }),
  "phones.tag": ({ phoneId }) => ({ phoneId, tags: ["shop"] }),
  "phones.rotate": ({ phoneId }) => ({ phoneId }),
  "phones.keepAwake": ({ phoneId }) => ({ phoneId }),
  "phones.screenshot": ({ phoneId }) => ({ phoneId }),
  "phones.installWebApp": ({ phoneId }) => ({ phoneId, url: "https://app.example/" }),
  "phones.models": () => undefined,
  "phones.apps": ({ phoneId }) => ({ phoneId }),
  "phones.launchApp": ({ phoneId }) => ({ phoneId, appId: "com.example.app" }),
  "phones.stopApp": ({ phoneId }) => ({ phoneId, appId: "com.example.app" }),
  "phones.clearApp": ({ phoneId }) => ({ phoneId, appId: "com.example.app" }),
  "phones.uninstallApp": ({ phoneId }) => ({ phoneId, appId: "com.example.app" }),
  "phones.openUpload": ({ phoneId }) => ({ phoneId, purpose: "file", name: "b.txt", bytes: 3 }),
  "phones.uploads": ({ phoneId }) => ({ phoneId }),
  "phones.cancelUpload": ({ phoneId, uploadId }) => ({ phoneId, uploadId }),
  "phones.files": ({ phoneId }) => ({ phoneId }),
  "phones.removeFile": ({ phoneId }) => ({ phoneId, name: "a.txt" }),
  "phones.events": () => ({ lastEventId: "0" }),
  "screen.ticket": ({ phoneId }) => ({ phoneId, mode: "control" }),
  "flows.validate": () => ({ source: FLOW }),
  "flows.matches": ({ phoneId }) => ({ phoneId, source: FLOW, line: 3 }),
  "flows.onScreen": ({ phoneId }) => ({ phoneId }),
  "flows.save": ({ flowId }) => ({ flowId, name: "Renamed", source: FLOW }),
  "flows.heal": ({ runId }) => ({ runId, steps: [1] }),
  "flows.list": () => undefined,
  "flows.get": ({ flowId }) => ({ flowId }),
  "flows.recording": ({ flowId }) => ({ flowId }),
  "flows.remove": ({ flowId }) => ({ flowId }),
  "runs.start": ({ flowId, phoneId }) => ({ flowId, phoneId, idempotencyKey: "another-run" }),
  "runs.get": ({ runId }) => ({ runId }),
  "runs.links": ({ runId }) => ({ runId }),
  "runs.list": () => undefined,
  "runs.cancel": ({ runId }) => ({ runId }),
  "runs.resume": ({ interruptedId }) => ({ runId: interruptedId, from: "after" }),
  "runs.events": ({ runId }) => ({ runId, lastEventId: "0" }),
  "secrets.list": () => undefined,
  "secrets.set": () => ({ name: "NEW_ONE", value: "correct horse" }),
  "secrets.remove": ({ secretId }) => ({ secretId }),
  "secrets.grant": ({ secretId, askingId }) => ({ secretId, flowId: askingId }),
  "secrets.revoke": ({ secretId, askingId }) => ({ secretId, flowId: askingId }),
  "runs.startAll": ({ flowId, phoneId }) => ({
    flowIds: [flowId],
    phones: { ids: [phoneId] },
    share: "each",
    idempotencyKey: "shared-run",
  }),
  "rules.list": () => undefined,
  "rules.save": (world) => ({ rule: ruleFor(world) }),
  "rules.remove": ({ ruleId }) => ({ ruleId }),
  "rules.resume": ({ ruleId }) => ({ ruleId }),
  "rules.start": ({ ruleId }) => ({ ruleId, way: "click", values: {}, dedupeKey: "d".repeat(43) }),
  "webhooks.list": () => undefined,
  "webhooks.create": ({ flowId, phoneId }) => ({ name: "Another", flowId, phone: phoneId }),
  "webhooks.remove": ({ hookId }) => ({ webhookId: hookId }),
  "webhooks.rotate": ({ hookId }) => ({ webhookId: hookId }),
  "workspaces.list": () => undefined,
  "workspaces.file": () => ({ path: "shop/a.js" }),
  "workspaces.saveFile": () => ({ path: "shop/b.js", base64: "Mw==" }),
  "workspaces.removeFile": () => ({ path: "shop/a.js" }),
  "workspaces.removeFolder": () => ({ path: "shop" }),
  "workspaces.preview": () => IMPORT,
  "workspaces.import": ({ plan }) => ({ source: IMPORT, plan }),
  "workspaces.acceptBaseline": ({ comparingId }) => ({ runId: comparingId, name: "home.png" }),
  "workspaces.run": ({ phoneId }) => ({ path: "shop", phoneId, idempotencyKey: "another-suite" }),
  "workspaces.cancelSuite": ({ suiteId }) => ({ suiteId }),
  "workspaces.suite": ({ suiteId }) => ({ suiteId }),
  "recordings.start": ({ phoneId }) => ({ phoneId }),
  "recordings.get": ({ recordingId }) => ({ recordingId }),
  "recordings.list": () => undefined,
  "recordings.events": ({ recordingId }) => ({ recordingId, lastEventId: "0" }),
  "recordings.assertVisible": ({ recordingId }) => ({ recordingId, step: 1, proposal: 0 }),
  "recordings.removeStep": ({ recordingId }) => ({ recordingId, step: 1 }),
  "recordings.undo": ({ recordingId }) => ({ recordingId }),
  "recordings.chooseSelector": ({ recordingId }) => ({ recordingId, step: 1, which: 1 }),
  "recordings.pause": ({ recordingId }) => ({ recordingId }),
  "recordings.resume": ({ recordingId }) => ({ recordingId }),
  "recordings.finish": ({ recordingId }) => ({ recordingId, name: "Recorded" }),
  "recordings.discard": ({ recordingId }) => ({ recordingId }),
  "billing.summary": () => undefined,
  "billing.plans": () => undefined,
  "billing.invoices": () => undefined,
  "billing.burn": () => undefined,
  "billing.previewStart": ({ phoneId }) => ({ phoneId }),
  "billing.checkout": () => ({ buy: { kind: "plan", plan: "solo", cycle: "month" }, idempotencyKey: "buy-a-plan" }),
  "billing.checkoutState": ({ checkoutId }) => ({ checkoutId }),
  "billing.portal": () => undefined,
  "billing.previewChange": () => ({ plan: "team" }),
  "billing.applyChange": () => ({
    change: { plan: "team" },
    shown: { amount: 0, currency: "usd" },
    prorationAt: "2026-11-26T10:00:00Z",
    idempotencyKey: "change-a-plan",
  }),
  "billing.act": () => ({ act: "cancel_at_period_end", idempotencyKey: "cancel-a-plan" }),
  "billing.refundBalance": () => ({ amount: 100, idempotencyKey: "refund-balance" }),
  "billing.setOverage": () => ({ allowed: false, cap: 0 }),
  "billing.setTimeZone": () => ({ timeZone: "Europe/Berlin" }),
  "billing.dedicate": ({ phoneId }) => ({ phoneId, dedicated: false }),
  "billing.setBudget": ({ phoneId }) => ({ scope: { kind: "phone", phoneId }, measure: "time", limit: 3_600_000 }),
  "billing.removeBudget": ({ budgetId }) => ({ budgetId }),
  "billing.stopAll": () => undefined,
  "usage.summary": () => ({}),
  "usage.days": () => ({ by: "phone" }),
  "usage.lines": () => ({}),
  "usage.explain": ({ intervalId }) => ({ intervalId }),
  "usage.csv": () => ({}),
  "privacy.overview": () => undefined,
  "privacy.deletePreview": () => undefined,
  "privacy.delete": ({ ownAddress }) => ({ confirmation: ownAddress, idempotencyKey: "delete-account" }),
  "privacy.undoDelete": () => undefined,
  "privacy.requests": () => undefined,
  "privacy.request": () => ({ kind: "access", idempotencyKey: "a-request" }),
  "privacy.revokeRequest": ({ dataRequestId }) => ({ requestId: dataRequestId }),
  "privacy.rectify": () => ({ field: "fullName", value: "Anna" }),
  "privacy.statements": () => undefined,
  "privacy.dispute": () => ({ category: "user.name", text: "It is Ana." }),
  "privacy.removeStatement": ({ statementId }) => ({ statementId }),
  "privacy.preferences": () => ({ metrics: false }),
  "privacy.estimateExport": () => undefined,
  "privacy.exports": () => undefined,
  "privacy.export": () => ({ idempotencyKey: "another-export" }),
  "privacy.revokeExport": ({ exportId }) => ({ exportId }),
  "privacy.downloadExport": ({ exportId }) => ({ exportId }),
  "privacy.accessLog": () => undefined,
  "privacy.processors": () => undefined,
  "privacy.policy": () => undefined,
  "privacy.acknowledgePolicy": () => ({ version: 1 }),
  "privacy.objectToPolicy": () => ({ version: 1 }),
};
/** The phones of these tests are web phones. */
const NO_APPS = "Phones of this kind have no apps";
const NO_BILLS = "This server sends no bills";
/** What calls say that need more than a caller who may: a code of a sign-in, or a server that sends bills. */
const REFUSALS: Readonly<Record<string, string>> = {
  "account.exchange": "Connecting took too long",
  ...{ "billing.checkout": NO_BILLS, "billing.portal": NO_BILLS, "billing.previewChange": NO_BILLS },
  ...{ "billing.applyChange": NO_BILLS, "billing.act": NO_BILLS, "billing.refundBalance": NO_BILLS },
  "billing.checkoutState": "There is no such checkout",
  ...{ "phones.apps": NO_APPS, "phones.launchApp": NO_APPS, "phones.stopApp": NO_APPS },
  ...{ "phones.clearApp": NO_APPS, "phones.uninstallApp": NO_APPS },
};
/** Permissions a procedure asks for beyond its meta, from its input. */
const BEYOND_META: Readonly<Record<string, keyof typeof PERMISSIONS>> = { "screen.ticket": "phones:control" };
/** Team procedures that name none of the team's things. */
const BY_TEAM = new Set([
  ...["phones.list", "phones.launch", "phones.events", "phones.models", "flows.list", "flows.validate", "runs.list"],
  ...["secrets.list", "secrets.set", "rules.list", "webhooks.list"],
  ...["workspaces.list", "workspaces.saveFile", "workspaces.preview", "workspaces.import", "recordings.list"],
  ...["teams.get", "teams.rename", "teams.close", "teams.requireSecondFactor", "teams.leave", "teams.invite"],
  ...["tokens.list", "tokens.create", "audit.team"],
  ...["billing.summary", "billing.plans", "billing.invoices", "billing.burn", "billing.checkout", "billing.portal"],
  ...["billing.previewChange", "billing.applyChange", "billing.act", "billing.refundBalance", "billing.setOverage"],
  ...["billing.setTimeZone", "billing.stopAll", "usage.summary", "usage.days", "usage.lines", "usage.csv"],
]);
/** About what only the person who made it sees, whatever their role. */
const PERSONAL = new Set(
  procedures.map(({ path }) => path).filter((path) => /^recordings\.(?!start$|list$)/.test(path)),
);
/** Calls of a person about one thing of theirs: nobody else's answers to them. */
const OF_PERSON = new Set([
  ...["sessions.revoke", "account.renamePasskey", "account.removePasskey", "account.contest"],
  ...["privacy.revokeExport", "privacy.downloadExport"],
  ...["teams.switch", "teams.acceptInvitation", "teams.declineInvitation"],
  ...["privacy.revokeRequest", "privacy.removeStatement"],
]);
/** What lists everything one may see; nothing of others stands in any. */
const LISTS = [
  ...["phones.list", "flows.list", "runs.list", "secrets.list", "rules.list", "webhooks.list", "workspaces.list"],
  ...[
    "sessions.list",
    "teams.list",
    "privacy.overview",
    "privacy.deletePreview",
    "teams.get",
    "teams.myInvitations",
    "tokens.list",
  ],
  ...["account.security", "account.standing", "audit.mine", "audit.team"],
  ...["privacy.requests", "privacy.statements", "billing.summary", "billing.burn", "billing.invoices"],
  ...["usage.summary", "usage.days", "usage.lines", "usage.csv"],
  ...["account.security", "account.standing", "audit.mine", "audit.team", "privacy.exports"],
];
/** What is read by plain HTTP: where it is and what stands in it. */
const FILES: readonly (readonly [what: string, path: (world: World) => string, holds: string])[] = [
  ["file of a phone", ({ phoneId }) => `/files/phones/${phoneId}/a.txt`, "secret"],
  ["report of a run", ({ runId }) => `/runs/${runId}/junit.xml`, 'status="SUCCESS"'],
  ["page about a run", ({ runId }) => `/runs/${runId}/report.html`, "passed"],
  ["data of a run", ({ runId }) => `/runs/${runId}/run.json`, '"state": "passed"'],
  ["report of a suite", ({ suiteId }) => `/suites/${suiteId}/junit.xml`, "<testsuite "],
  ["files of a team", () => "/workspaces/export.zip?path=shop", "shop/main.yaml"],
];
/** Calls an API token may never make. */
const SESSIONS_ONLY = new Set([
  ...["account.signOut", "sessions.uninstallLink", "secrets.set", "secrets.remove", "secrets.grant", "secrets.revoke"],
  ...["teams.create", "teams.switch", "teams.leave", "teams.acceptInvitation", "teams.declineInvitation"],
  "teams.myInvitations",
]);
/** Calls on a secret that only who set it may make, beside those who manage the team. */
const BY_SETTER = new Set(["secrets.remove", "secrets.grant"]);

describe("every procedure", () => {
  it("declares who may call it, and is tried below", () => {
    expect(procedures.filter(({ meta }) => meta === undefined)).toEqual([]);
    expect(Object.keys(INPUTS).sort()).toEqual(procedures.map(({ path }) => path));
  });
  it("that changes something is audited or says why not, and team procedures ask for a permission", () => {
    const silent = procedures.filter(({ type, meta }) => type === "mutation" && meta?.audit === false);
    expect(silent.map(({ path }) => path)).toEqual([
      // Nothing is asked at sign-in before it is confirmed, which is audited.
      "account.beginTotp",
      // Nothing reached the phone; what does is audited.
      "phones.cancelUpload",
      "phones.keepAwake",
      // Of what is not a flow yet; beginning, saving and discarding it are audited.
      "recordings.assertVisible",
      "recordings.chooseSelector",
      "recordings.pause",
      "recordings.removeStep",
      "recordings.resume",
      "recordings.undo",
      "screen.ticket",
      "teams.switch",
      "workspaces.preview",
    ]);
    for (const { meta } of procedures) if (meta?.auth === "team") expect(meta.permission).toBeDefined();
    for (const { meta } of procedures) if (meta?.auth !== "public") expect(meta?.scope).toBeDefined();
  });
  it("stands in docs/authz.md as it is, and every setting in .env.example", () => {
    expect(readFileSync("docs/authz.md", "utf8")).toBe(authzDocument());
    expect(readFileSync(".env.example", "utf8")).toBe(envExample());
  });
});

const matrix = {
  procedures,
  inputs: INPUTS,
  makeWorld,
  /** The same world with ids that nobody has. */
  nowhere: (world: World): World => ({
    ...world,
    ...{ ...NO_THINGS, ...NOBODY },
    second: { ...world.second, id: newId("session") },
  }),
  /** What a call needs that only the caller's own things answer to. */
  async ownedBy(server: TestServer, path: string, world: World, person: TestPerson, role: Role): Promise<World> {
    if (path === "sessions.revoke") return { ...world, second: { ...world.second, id: person.sessionId } };
    if (!BY_SETTER.has(path)) return { ...world, ...(await readyFor(server, path, world, person, role)) };
    const set = await call(server, "mutation", "secrets.set", { name: "OTHER", value: "of my own" }, person.token);
    if (!set.ok) throw new Error(set.error.message);
    return { ...world, secretId: secretIdSchema.parse((set.data as { id: string }).id) };
  },
  refusals: REFUSALS,
  beyondMeta: BEYOND_META,
  byTeam: BY_TEAM,
  personal: PERSONAL,
  ofPerson: OF_PERSON,
  sessionsOnly: SESSIONS_ONLY,
  lists: LISTS,
  files: FILES,
};

describe("strangers", () => strangersGetNothing(matrix));
describe("those who may", () => thoseWhoMayAreAnswered(matrix));
