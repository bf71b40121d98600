/** `secrets.*`: thin; every rule is in the service. API tokens see names, and may change nothing. */
import { roleMay } from "../../../shared/access.ts";
import { grantSecretInput, revokeSecretInput, secretRef, setSecretInput } from "../../../shared/secrets.ts";
import { router, teamProcedure } from "../../base.router.ts";
import { PerchError } from "../../errors.ts";
import type { Actor, TeamScope } from "../../teams/team-scope.ts";
import type { Keeper, SecretsService } from "./secrets.service.ts";

const view = { permission: "phones:view", scope: "phones:view", limit: "read", audit: false } as const;
const control = (audit: string) =>
  ({ permission: "phones:control", scope: "phones:control", limit: "write", audit }) as const;

/** The person behind a session; undefined for a token. */
export function keeperOf({ actor, scope }: { actor: Actor; scope: TeamScope }): Keeper | undefined {
  if (actor.credential.kind === "token") return undefined;
  return { scope, manages: roleMay(actor.role, "team:manage") };
}

function keeper(ctx: { actor: Actor; scope: TeamScope }): Keeper {
  const person = keeperOf(ctx);
  if (person !== undefined) return person;
  throw new PerchError(
    "forbidden",
    "An API token may run flows with the secrets granted to them, and not set, grant or remove any. Sign in as a person.",
  );
}

export function secretsRouter(secrets: SecretsService) {
  return router({
    list: teamProcedure(view).query(({ ctx }) => secrets.list(keeperOf(ctx) ?? { scope: ctx.scope, manages: false })),
    set: teamProcedure(control("secret.set"))
      .input(setSecretInput)
      .mutation(({ ctx, input }) => secrets.set(keeper(ctx), input)),
    remove: teamProcedure(control("secret.removed"))
      .input(secretRef)
      .mutation(async ({ ctx, input }) => {
        await secrets.remove(keeper(ctx), input.secretId);
        return {};
      }),
    grant: teamProcedure(control("secret.granted"))
      .input(grantSecretInput)
      .mutation(async ({ ctx, input }) => {
        await secrets.grant(keeper(ctx), input);
        return {};
      }),
    revoke: teamProcedure(control("secret.revoked"))
      .input(revokeSecretInput)
      .mutation(async ({ ctx, input }) => {
        await secrets.revoke(keeper(ctx), input.secretId, input.flowId);
        return {};
      }),
  });
}
