/** `privacy.*`: what is held, and every right about it. */
import {
  deleteInput,
  disputeInput,
  exportInput,
  exportRef,
  makeRequestInput,
  policyRef,
  preferencesInput,
  rectifyInput,
  requestRef,
  statementRef,
} from "../../shared/privacy.ts";
import { personProcedure, router } from "../base.router.ts";
import type { Erasures } from "./erasure/erasures.service.ts";
import type { DataExports } from "./export/exports.service.ts";
import type { PolicyDesk } from "./policy/policy.service.ts";
import type { PrivacyPreferences } from "./preferences/preferences.service.ts";
import type { PrivacyService } from "./privacy.service.ts";
import type { DataRequests } from "./requests/requests.service.ts";

export interface PrivacyRouterServices {
  readonly privacy: PrivacyService;
  readonly requests: DataRequests;
  readonly preferences: PrivacyPreferences;
  readonly exports: DataExports;
  readonly erasures: Erasures;
  readonly policy: PolicyDesk;
}

const reading = { scope: "privacy", limit: "read", audit: false } as const;
const changing = <const A extends string>(audit: A) => ({ scope: "privacy", limit: "write", audit }) as const;

export function privacyRouter({ privacy, requests, preferences, exports, erasures, policy }: PrivacyRouterServices) {
  return router({
    overview: personProcedure(reading).query(({ ctx }) => privacy.overview(ctx.actor.userId)),
    accessLog: personProcedure(reading).query(({ ctx }) => privacy.accessLog(ctx.actor.userId)),
    processors: personProcedure(reading).query(() => privacy.processors()),

    policy: personProcedure(reading).query(() => policy.current()),
    acknowledgePolicy: personProcedure(changing("privacy.policy_acknowledged"))
      .input(policyRef)
      .mutation(({ ctx, input }) => policy.acknowledge(ctx.actor, input.version)),
    objectToPolicy: personProcedure(changing("privacy.policy_objected"))
      .input(policyRef)
      .mutation(({ ctx, input }) => policy.object(ctx.actor, input.version)),

    requests: personProcedure(reading).query(({ ctx }) => requests.list(ctx.actor.userId)),
    request: personProcedure({ ...changing("privacy.requested"), idempotent: true })
      .input(makeRequestInput)
      .mutation(({ ctx, input }) => requests.make(ctx.actor, input)),
    revokeRequest: personProcedure(changing("privacy.request_revoked"))
      .input(requestRef)
      .mutation(({ ctx, input }) => requests.revoke(ctx.actor, input.requestId)),

    rectify: personProcedure({ ...changing("account.profile_changed"), stepUp: true })
      .input(rectifyInput)
      .mutation(({ ctx, input }) => preferences.rectify(ctx.actor, input)),
    statements: personProcedure(reading).query(({ ctx }) => preferences.statements(ctx.actor.userId)),
    dispute: personProcedure(changing("privacy.statement_added"))
      .input(disputeInput)
      .mutation(({ ctx, input }) => preferences.dispute(ctx.actor, input)),
    removeStatement: personProcedure(changing("privacy.statement_removed"))
      .input(statementRef)
      .mutation(({ ctx, input }) => preferences.removeStatement(ctx.actor, input.statementId)),
    preferences: personProcedure(changing("privacy.restricted"))
      .input(preferencesInput)
      .mutation(({ ctx, input }) => preferences.change(ctx.actor, input)),

    estimateExport: personProcedure(reading).query(({ ctx }) => exports.estimate(ctx.actor.userId)),
    exports: personProcedure(reading).query(({ ctx }) => exports.list(ctx.actor.userId)),
    export: personProcedure({ ...changing("privacy.export_asked"), idempotent: true })
      .input(exportInput)
      .mutation(({ ctx, input }) => exports.start(ctx.actor, input.idempotencyKey)),
    revokeExport: personProcedure(changing("privacy.export_revoked"))
      .input(exportRef)
      .mutation(({ ctx, input }) => exports.revoke(ctx.actor, input.exportId)),
    downloadExport: personProcedure({ ...changing("privacy.export_downloaded"), stepUp: true })
      .input(exportRef)
      .mutation(({ ctx, input }) => exports.download(ctx.actor, input.exportId)),

    deletePreview: personProcedure(reading).query(({ ctx }) => erasures.preview(ctx.actor)),
    delete: personProcedure({ ...changing("privacy.deletion_asked"), stepUp: true, idempotent: true })
      .input(deleteInput)
      .mutation(({ ctx, input }) => erasures.ask(ctx.actor, input)),
    undoDelete: personProcedure(changing("privacy.deletion_undone")).mutation(({ ctx }) => erasures.undo(ctx.actor)),
  });
}
