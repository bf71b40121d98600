/** The tRPC contract over `StubTeam`: the same procedures, inputs and error shape as the server's, nothing behind them. */

import { tracked } from "@trpc/server";
import { z } from "zod";
import type { AnnouncementView } from "../../shared/announcements.ts";
import * as automations from "../../shared/automations.ts";
import { parseFlow } from "../../shared/flows/parse.ts";
import { selectorOf, stepAt } from "../../shared/flows/step-at.ts";
import type { PhoneId, RunId } from "../../shared/ids.ts";
import { newId } from "../../shared/ids.ts";
import * as phones from "../../shared/phones.ts";
import { exportRecording } from "../../shared/recorder-json/export.ts";
import type { RecordingSummary } from "../../shared/recording-model.ts";
import * as rules from "../../shared/rules-api.ts";
import { SCREEN_MODES, SCREEN_PROTOCOL } from "../../shared/screen-protocol.ts";
import * as secrets from "../../shared/secrets.ts";
import * as uploads from "../../shared/uploads.ts";
import * as webhooks from "../../shared/webhooks.ts";
import * as workspaces from "../../shared/workspaces.ts";
import { accountProcedures } from "./stub-account.router.ts";
import { billingProcedures } from "./stub-billing.router.ts";
import { privacyProcedures } from "./stub-privacy.router.ts";
import type { StubRun } from "./stub-runs.ts";
import { refusal, type StubState, signedIn, t } from "./stub-trpc.ts";

export const STUB_SECRET = "whsec_3q2-7w_stubsecretstubsecretstubsecretstub";

const wait = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function runOf(state: StubState, id: RunId): StubRun {
  const run = state.automations.runs.get(id);
  if (run === undefined) throw refusal("not_found", "There is no such run in this team.");
  return run;
}

async function startSoon(state: StubState, id: PhoneId, url?: string): Promise<phones.Phone> {
  if (url !== undefined) state.team.opened.push({ phoneId: id, url });
  if (state.team.get(id).state === "running") return state.team.get(id);
  const starting = state.team.change(id, { state: "starting" });
  void wait(state.startMs).then(() => {
    if (state.team.phones.get(id)?.state === "starting") state.team.running(id);
  });
  return starting;
}

function appCall(state: StubState, what: string, { appId }: { readonly appId: string }): object {
  state.team.appCalls.push(`${what} ${appId}`);
  return {};
}

export const stubRouter = t.router({
  ...accountProcedures,
  ...billingProcedures,
  announcements: t.router({ current: signedIn.query((): AnnouncementView[] => []) }),
  phones: t.router({
    list: signedIn.query(({ ctx }) => [...ctx.state.team.phones.values()]),
    get: signedIn.input(phones.phoneRef).query(({ ctx, input }) => ctx.state.team.get(input.phoneId)),
    launch: signedIn.input(phones.launchInput).mutation(({ ctx, input }) => {
      const profile = phones.deviceProfile(input.profile ?? phones.DEFAULT_PROFILE);
      const model = ctx.state.team.models.find(({ id }) => id === input.model);
      if (model !== undefined) {
        if (model.unavailable !== undefined) throw refusal("phone_unavailable", model.unavailable);
        const { label, id, driver } = model;
        const android = ctx.state.team.addAndroid({ name: input.name ?? label, model: id, driver, state: "creating" });
        return startSoon(ctx.state, android.id, input.url);
      }
      const phone = ctx.state.team.add({
        profile: profile.id as phones.DeviceProfileId,
        width: profile.width,
        height: profile.height,
        name: input.name ?? `Pixel, ${profile.label.toLowerCase()}`,
        settings: input.settings ?? {},
        state: "creating",
      });
      return startSoon(ctx.state, phone.id, input.url);
    }),
    start: signedIn
      .input(phones.startInput)
      .mutation(({ ctx, input }) => startSoon(ctx.state, input.phoneId, input.url)),
    park: signedIn
      .input(phones.phoneRef)
      .mutation(({ ctx, input }) => ctx.state.team.change(input.phoneId, { state: "parked", reason: "asked" })),
    remove: signedIn.input(phones.removeInput).mutation(({ ctx, input }) => {
      ctx.state.team.remove(input.phoneId);
      const receipt: phones.WipeReceipt = {
        phoneId: input.phoneId,
        files: 214,
        bytes: 18_400_000,
        verifiedAbsent: true,
        wipedAt: new Date().toISOString(),
      };
      return { receipt };
    }),
    openUrl: signedIn
      .input(phones.openUrlInput)
      .mutation(({ ctx, input }) => startSoon(ctx.state, input.phoneId, input.url)),
    rename: signedIn
      .input(phones.renameInput)
      .mutation(({ ctx, input }) => ctx.state.team.change(input.phoneId, { name: input.name })),
    configure: signedIn
      .input(phones.settingsInput)
      .mutation(({ ctx, input }) => ctx.state.team.configure(input.phoneId, input.settings)),
    tag: signedIn
      .input(phones.tagInput)
      .mutation(({ ctx, input }) => ctx.state.team.change(input.phoneId, { tags: [...input.tags].sort() })),
    rotate: signedIn.input(phones.phoneRef).mutation(({ ctx, input }) => ctx.state.team.rotate(input.phoneId)),
    keepAwake: signedIn.input(phones.phoneRef).mutation(({ ctx, input }) => {
      const { parksAt: _parksAt, ...phone } = ctx.state.team.get(input.phoneId);
      return ctx.state.team.put(phone);
    }),
    screenshot: signedIn.input(phones.phoneRef).mutation(({ ctx, input }): phones.Screenshot => {
      const phone = ctx.state.team.get(input.phoneId);
      return { mimeType: "image/png", base64: ctx.state.png, width: phone.width * 2, height: phone.height * 2 };
    }),
    installWebApp: signedIn.input(phones.installWebAppInput).mutation(() => ({ name: "Blue Chair" })),
    models: signedIn.query(({ ctx }) => ctx.state.team.models),
    apps: signedIn.input(phones.phoneRef).query(({ ctx, input }) => ctx.state.team.apps.get(input.phoneId) ?? []),
    launchApp: signedIn.input(phones.appInput).mutation(({ ctx, input }) => appCall(ctx.state, "open", input)),
    stopApp: signedIn.input(phones.appInput).mutation(({ ctx, input }) => appCall(ctx.state, "stop", input)),
    clearApp: signedIn.input(phones.appInput).mutation(({ ctx, input }) => appCall(ctx.state, "clear", input)),
    uninstallApp: signedIn.input(phones.appInput).mutation(({ ctx, input }) => {
      const { apps } = ctx.state.team;
      apps.set(
        input.phoneId,
        (apps.get(input.phoneId) ?? []).filter(({ id }) => id !== input.appId),
      );
      return appCall(ctx.state, "remove", input);
    }),
    openUpload: signedIn
      .input(uploads.openUploadInput)
      .mutation(({ ctx, input }) => ctx.state.uploads.open(input.phoneId, input.purpose, input.name, input.bytes)),
    uploads: signedIn.input(phones.phoneRef).query(({ ctx, input }) => ctx.state.uploads.list(input.phoneId)),
    cancelUpload: signedIn.input(uploads.uploadInput).mutation(({ ctx, input }) => {
      ctx.state.uploads.all.delete(input.uploadId);
      return {};
    }),
    files: signedIn.input(phones.phoneRef).query(({ ctx, input }) => ctx.state.team.files.get(input.phoneId) ?? []),
    removeFile: signedIn
      .input(z.strictObject({ phoneId: phones.phoneRef.shape.phoneId, name: z.string() }))
      .mutation(({ ctx, input }) => {
        const left = (ctx.state.team.files.get(input.phoneId) ?? []).filter((file) => file.name !== input.name);
        ctx.state.team.files.set(input.phoneId, left);
        return {};
      }),
    events: signedIn
      .input(z.strictObject({ lastEventId: z.string().nullish() }).optional())
      .subscription(({ ctx, signal }) => {
        // Listening begins before the client is told that the stream is there, as on the real server.
        const queue: phones.PhoneEvent[] = [];
        let wake = () => {};
        const stop = ctx.state.team.listen((event) => {
          queue.push(event);
          wake();
        });
        signal?.addEventListener("abort", () => wake());
        return (async function* () {
          let seq = 0;
          try {
            while (signal?.aborted !== true) {
              const event = queue.shift();
              if (event === undefined) await new Promise<void>((resolve) => (wake = resolve));
              else yield tracked(String(++seq), event);
            }
          } finally {
            stop();
          }
        })();
      }),
  }),
  screen: t.router({
    ticket: signedIn
      .input(z.strictObject({ phoneId: phones.phoneRef.shape.phoneId, mode: z.enum(SCREEN_MODES) }))
      .mutation(({ ctx, input }) => ({
        url: ctx.state.screenUrl,
        protocol: SCREEN_PROTOCOL,
        ticket: ctx.state.issueTicket(input.phoneId, input.mode),
        expiresAt: new Date(Date.now() + 30_000).toISOString(),
      })),
  }),
  flows: t.router({
    validate: signedIn.input(automations.validateInput).query(({ input }): automations.FlowValidation => {
      const { flow, commands, portable, diagnostics } = parseFlow(input.source);
      return { ok: flow !== undefined, commands, portable, diagnostics };
    }),
    matches: signedIn.input(automations.matchesInput).query(({ ctx, input }): automations.FlowMatches => {
      const found = stepAt(input.source, input.line);
      if (found === undefined) return { matches: [], count: 0 };
      const selector = selectorOf(found.step);
      const step = { path: found.step.path, line: found.step.place.line, selects: selector !== undefined };
      const matches = ctx.state.onScreen.filter(({ words }) => words === selector?.text);
      return { step, matches, count: matches.length };
    }),
    onScreen: signedIn.input(automations.onScreenInput).query(
      ({ ctx }): automations.ScreenWords => ({
        texts: [...new Set(ctx.state.onScreen.map(({ words }) => words))],
        ids: [],
      }),
    ),
    save: signedIn.input(automations.saveFlowInput).mutation(({ ctx, input }) => {
      const known = input.flowId && ctx.state.automations.flows.get(input.flowId);
      if (known !== undefined && input.base !== undefined && input.base !== known.updatedAt)
        throw refusal("conflict", "Someone saved this automation after you began. Look at their version first.");
      return ctx.state.automations.save(input);
    }),
    heal: signedIn.input(automations.healFlowInput).mutation(({ ctx, input }) => {
      ctx.state.automations.healed.push(...input.steps);
      const { flowId } = runOf(ctx.state, input.runId).detail;
      if (flowId === undefined) throw refusal("conflict", "This run was not of a saved automation.");
      return { flowId, lines: [4] };
    }),
    list: signedIn.query(({ ctx }) => ctx.state.automations.list()),
    get: signedIn.input(automations.flowRef).query(({ ctx, input }) => {
      const flow = ctx.state.automations.flows.get(input.flowId);
      if (flow === undefined) throw refusal("not_found", "There is no such flow in this team.");
      return flow;
    }),
    recording: signedIn.input(automations.flowRef).query(({ ctx, input }) => {
      const saved = ctx.state.automations.flows.get(input.flowId);
      const flow = saved && parseFlow(saved.source).flow;
      if (saved === undefined || flow === undefined) throw refusal("bad_input", "This flow has errors.");
      return exportRecording(flow, saved.name);
    }),
    remove: signedIn.input(automations.flowRef).mutation(({ ctx, input }) => {
      ctx.state.automations.flows.delete(input.flowId);
      return {};
    }),
  }),
  runs: t.router({
    start: signedIn
      .input(automations.startRunInput)
      .mutation(({ ctx, input }) => ({ runId: ctx.state.automations.start(input) })),
    startAll: signedIn.input(automations.startAllInput).mutation(({ ctx, input }) => ({
      runIds: ctx.state.automations.startAll(
        input,
        [...ctx.state.team.phones.values()]
          .filter(({ id, tags }) =>
            "tag" in input.phones ? tags.includes(input.phones.tag) : input.phones.ids.includes(id),
          )
          .map(({ id }) => id),
      ),
    })),
    get: signedIn.input(automations.runRef).query(({ ctx, input }) => runOf(ctx.state, input.runId).detail),
    list: signedIn.input(automations.listRunsInput).query(({ ctx, input }) => ctx.state.automations.summaries(input)),
    cancel: signedIn.input(automations.runRef).mutation(({ ctx, input }) => {
      const run = runOf(ctx.state, input.runId);
      run.to("cancelled", { code: "cancelled", message: "The run was cancelled." });
      return run.detail;
    }),
    resume: signedIn.input(automations.resumeRunInput).mutation(({ ctx, input }) => {
      const run = runOf(ctx.state, input.runId);
      run.log(`resumed ${input.from}`);
      run.to("queued");
      return run.detail;
    }),
    events: signedIn.input(automations.runEventsInput).subscription(({ ctx, input, signal }) => {
      const events = runOf(ctx.state, input.runId).follow(Number(input.lastEventId ?? 0), signal);
      return (async function* () {
        for await (const { seq, event } of events) yield tracked(String(seq), event);
      })();
    }),
  }),
  rules: t.router({
    list: signedIn.query(({ ctx }) => ctx.state.rules.list()),
    save: signedIn.input(rules.saveRuleInput).mutation(({ ctx, input }) => ctx.state.rules.save(input.rule)),
    remove: signedIn.input(rules.ruleRef).mutation(({ ctx, input }) => {
      ctx.state.rules.remove(input.ruleId);
      return {};
    }),
    resume: signedIn.input(rules.ruleRef).mutation(({ ctx, input }) => {
      const saved = ctx.state.rules.saved.get(input.ruleId);
      if (saved === undefined) throw refusal("not_found", "There is no such rule in this team.");
      return ctx.state.rules.save(saved.rule);
    }),
    start: signedIn
      .input(rules.startRuleInput)
      .mutation(({ ctx, input }) => ctx.state.rules.start(input, ctx.state.team.phones)),
  }),
  webhooks: t.router({
    list: signedIn.query(({ ctx }) => [...ctx.state.webhooks.values()]),
    create: signedIn.input(webhooks.createWebhookInput).mutation(({ ctx, input }): webhooks.WebhookWithSecret => {
      const id = newId("webhook");
      const createdAt = new Date().toISOString();
      const webhook: webhooks.Webhook = { ...input, id, url: `http://localhost:8787/hooks/${id}`, createdAt };
      ctx.state.webhooks.set(id, webhook);
      return { ...webhook, secret: STUB_SECRET };
    }),
    rotate: signedIn.input(webhooks.webhookRef).mutation(({ ctx, input }): webhooks.WebhookWithSecret => {
      const webhook = ctx.state.webhooks.get(input.webhookId);
      if (webhook === undefined) throw refusal("not_found", "There is no such webhook in this team.");
      return { ...webhook, secret: STUB_SECRET.toUpperCase() };
    }),
    remove: signedIn.input(webhooks.webhookRef).mutation(({ ctx, input }) => {
      ctx.state.webhooks.delete(input.webhookId);
      return {};
    }),
  }),
  workspaces: t.router({
    list: signedIn.query(({ ctx }) => ctx.state.files.list()),
    file: signedIn.input(workspaces.workspaceFileRef).query(({ ctx, input }) => {
      const bytes = ctx.state.files.files.get(input.path);
      if (bytes === undefined) throw refusal("not_found", "There is no such file in this team.");
      return { ...ctx.state.files.view(input.path), base64: Buffer.from(bytes).toString("base64") };
    }),
    saveFile: signedIn
      .input(workspaces.saveWorkspaceFileInput)
      .mutation(({ ctx, input }) => ctx.state.files.put(input.path, Buffer.from(input.base64, "base64"))),
    removeFile: signedIn.input(workspaces.workspaceFileRef).mutation(({ ctx, input }) => {
      ctx.state.files.files.delete(input.path);
      return {};
    }),
    removeFolder: signedIn
      .input(workspaces.removeFolderInput)
      .mutation(({ ctx, input }) => ctx.state.files.removeFolder(input.path)),
    preview: signedIn.input(workspaces.importSource).mutation(({ ctx, input }) => ctx.state.files.preview(input)),
    import: signedIn.input(workspaces.importInput).mutation(({ ctx, input }) => ctx.state.files.import(input.source)),
    acceptBaseline: signedIn.input(workspaces.acceptBaselineInput).mutation(({ ctx, input }) => {
      const artifact = runOf(ctx.state, input.runId).detail.artifacts.find(({ name }) => name === input.name);
      return ctx.state.files.put(artifact?.baseline ?? "", Buffer.from(ctx.state.png, "base64"));
    }),
    cancelSuite: signedIn.input(workspaces.suiteRef).mutation(({ ctx }) => {
      for (const run of ctx.state.automations.runs.values()) run.to("cancelled");
      return {};
    }),
    run: signedIn
      .input(workspaces.runFolderInput)
      .mutation(({ ctx, input }) => ctx.state.files.run(input.path, input.phoneId)),
  }),
  secrets: t.router({
    list: signedIn.query(({ ctx }) => ctx.state.secrets.list(ctx.state.automations)),
    set: signedIn.input(secrets.setSecretInput).mutation(({ ctx, input }): secrets.SecretSummary => {
      const { id } = ctx.state.secrets.set(input.name, input.value);
      const summary = ctx.state.secrets.list(ctx.state.automations).find((one) => one.id === id);
      if (summary === undefined) throw refusal("not_found", "There is no such secret in this team.");
      return summary;
    }),
    remove: signedIn.input(secrets.secretRef).mutation(({ ctx, input }) => {
      ctx.state.secrets.all.delete(input.secretId);
      return {};
    }),
    grant: signedIn.input(secrets.grantSecretInput).mutation(({ ctx, input }) => {
      const flow = ctx.state.automations.flows.get(input.flowId);
      if (flow === undefined) throw refusal("not_found", "There is no such flow in this team.");
      if (input.seen !== undefined && flow.updatedAt !== input.seen) {
        throw refusal("conflict", "Someone changed this flow just now. Read what it does, then grant the secret.");
      }
      ctx.state.secrets.grant(input.secretId, input.flowId, flow.source);
      return {};
    }),
    revoke: signedIn.input(secrets.revokeSecretInput).mutation(({ ctx, input }) => {
      ctx.state.secrets.grant(input.secretId, input.flowId, undefined);
      return {};
    }),
  }),
  recordings: t.router({ list: signedIn.query((): RecordingSummary[] => []) }),
  privacy: privacyProcedures,
});
