/** `privacy.*` over `StubRights` and the overview. */
import { newId } from "../../shared/ids.ts";
import * as privacy from "../../shared/privacy.ts";
import { stubCopy, stubDeletion, stubPurge } from "./stub-privacy.ts";
import { proven, refusal, type StubState, signedIn, t } from "./stub-trpc.ts";

const now = () => new Date().toISOString();

function change(state: StubState, over: Partial<privacy.PrivacyOverview>): void {
  state.privacy = { ...state.privacy, ...over };
}

function without(state: StubState, key: "export" | "deletion"): void {
  const { [key]: _, ...rest } = state.privacy;
  state.privacy = rest;
}

export const privacyProcedures = t.router({
  overview: signedIn.query(({ ctx: { state } }) => {
    if (state.rights.broken !== undefined) throw refusal("internal", state.rights.broken);
    return state.privacy;
  }),
  accessLog: signedIn.query(({ ctx }) => ctx.state.rights.looks),
  requests: signedIn.query(({ ctx }) => ctx.state.rights.requests),
  request: signedIn.input(privacy.makeRequestInput).mutation(({ ctx: { state }, input }): privacy.RequestView => {
    const dueAt = new Date(Date.now() + 30 * 86_400_000).toISOString();
    const made: privacy.RequestView = {
      ...{ id: newId("dataRequest"), number: "DR-2026-0012", kind: input.kind, channel: "panel", state: "open" },
      ...{ receivedAt: now(), dueAt },
    };
    state.rights.requests = [made, ...state.rights.requests];
    change(state, { openRequests: state.privacy.openRequests + 1 });
    return made;
  }),
  revokeRequest: signedIn.input(privacy.requestRef).mutation(({ ctx: { state }, input }) => {
    state.rights.requests = state.rights.requests.map((one) =>
      one.id === input.requestId ? { ...one, state: "revoked", closedAt: now() } : one,
    );
    change(state, { openRequests: state.privacy.openRequests - 1 });
  }),
  rectify: proven.input(privacy.rectifyInput).mutation(({ ctx: { state }, input }) => {
    if (input.field === "fullName") state.me = { ...state.me, user: { ...state.me.user, name: input.value } };
  }),
  statements: signedIn.query(({ ctx }) => ctx.state.rights.statements),
  dispute: signedIn.input(privacy.disputeInput).mutation(({ ctx: { state }, input }): privacy.StatementView => {
    const label = state.privacy.categories.find(({ category }) => category === input.category)?.label ?? "";
    const made = { id: newId("statement"), label, at: now(), ...input };
    state.rights.statements = [made, ...state.rights.statements];
    return made;
  }),
  removeStatement: signedIn.input(privacy.statementRef).mutation(({ ctx: { state }, input }) => {
    state.rights.statements = state.rights.statements.filter(({ id }) => id !== input.statementId);
  }),
  preferences: signedIn.input(privacy.preferencesInput).mutation(({ ctx: { state }, input }): privacy.Preferences => {
    const { preferences: before } = state.privacy;
    const { restricted = before.restricted, metrics = before.metrics } = input;
    change(state, { preferences: { restricted, metrics } });
    return state.privacy.preferences;
  }),
  acknowledgePolicy: signedIn.input(privacy.policyRef).mutation(({ ctx: { state } }) => {
    const { nextPolicy } = state.privacy;
    if (nextPolicy !== undefined) change(state, { nextPolicy: { ...nextPolicy, acknowledged: true } });
  }),
  objectToPolicy: signedIn.input(privacy.policyRef).mutation(({ ctx: { state } }) => {
    const { nextPolicy } = state.privacy;
    if (nextPolicy !== undefined) change(state, { nextPolicy: { ...nextPolicy, objected: true } });
  }),
  estimateExport: signedIn.query(
    (): privacy.ExportEstimate => ({
      ...{ rows: 12_480, bytes: 3_100_000, seconds: 18 },
      parts: [
        { id: "account", label: "Account and sessions", rows: 214 },
        { id: "phones", label: "Phones, with names, settings and files", rows: 62 },
        { id: "automations", label: "Automations, rules and runs", rows: 11_000 },
        { id: "activity", label: "What you did", rows: 1204 },
      ],
    }),
  ),
  exports: signedIn.query(({ ctx: { state } }): privacy.ExportView[] => {
    const { export: copy } = state.privacy;
    if (copy === undefined) return [];
    change(state, { export: state.rights.advance(copy) });
    return state.privacy.export === undefined ? [] : [state.privacy.export];
  }),
  export: signedIn.input(privacy.exportInput).mutation(({ ctx: { state } }): privacy.ExportView => {
    const copy = stubCopy();
    change(state, { export: copy });
    return copy;
  }),
  revokeExport: signedIn.input(privacy.exportRef).mutation(({ ctx }) => without(ctx.state, "export")),
  downloadExport: proven.input(privacy.exportRef).mutation(({ ctx: { state } }): privacy.ExportDownload => {
    const { export: copy } = state.privacy;
    if (copy?.state !== "ready") throw refusal("not_found", "This copy is gone. Make another one.");
    change(state, { export: { ...copy, downloads: copy.downloads + 1 } });
    const expiresAt = new Date(Date.now() + 60_000).toISOString();
    return { url: `${state.origin}/privacy/exports/download?ticket=stub`, expiresAt };
  }),
  deletePreview: signedIn.query(({ ctx }) => ctx.state.rights.preview),
  delete: proven.input(privacy.deleteInput).mutation(({ ctx: { state }, input }): privacy.DeletionView => {
    if (input.confirmation.toLowerCase() !== state.me.user.email.toLowerCase()) {
      throw refusal("bad_input", "This is not the address of your account.");
    }
    const deletion = input.now ? stubPurge() : stubDeletion({ askedAt: now() });
    change(state, { deletion });
    return deletion;
  }),
  undoDelete: signedIn.mutation(({ ctx: { state } }) => {
    if (state.privacy.deletion?.state !== "grace") throw refusal("conflict", "It is too late: the deletion has begun.");
    without(state, "deletion");
  }),
});
