/**
 * Secrets for runs: whether this text of a flow may have what it names, and the values when it begins. Values live in
 * memory only, as long as the run is worked on; one that goes on after a crash asks again.
 */
import type { FlowId, TeamId, UserId } from "../../../shared/ids.ts";
import { unseal } from "../../seal.ts";
import { RunStop } from "../engine/failures.ts";
import type { FileBytes } from "../workspaces.repo.ts";
import type { Secret } from "./redact.ts";
import type { AskedSecret, SecretsRepo } from "./secrets.repo.ts";
import { secretPlace, textHash } from "./secrets.service.ts";

export interface SecretWish {
  readonly teamId: TeamId;
  /** Undefined for a flow that is not saved, which gets none. */
  readonly flowId: FlowId | undefined;
  /** The text that runs, and the files it may read. */
  readonly source: string;
  readonly files: readonly FileBytes[];
  /** As the flow's header names them. */
  readonly names: readonly string[];
}

export interface RunSecrets {
  /**
   * Why the flow may not have its secrets, in a sentence; undefined: it may. `picked`: only some of its steps run, asked
   * for by this person; that is for those who know the value.
   */
  refusal(wish: SecretWish, picked?: { readonly by: UserId }): Promise<string | undefined>;
  /**
   * The values. `since`: when the run began for the first time; values set later are not those it began with.
   * @throws RunStop `secret_unavailable`
   */
  open(wish: SecretWish, since: Date | undefined): Promise<readonly Secret[]>;
}

export function createRunSecrets(options: { repo: SecretsRepo; key: Buffer }): RunSecrets {
  const { repo, key } = options;

  async function asked({ teamId, flowId, source, files, names }: SecretWish): Promise<AskedSecret[] | string> {
    if (flowId === undefined) {
      return "Secrets go to saved flows only. Save this flow, allow it to use them, and run it from there.";
    }
    const known = await repo.asked(teamId, flowId, names);
    const hash = textHash(source, files);
    const found: AskedSecret[] = [];
    for (const name of new Set(names)) {
      const one = known.find(({ secret }) => secret.name === name);
      if (one === undefined) {
        return `The flow needs the secret ${name}, which is not set. Set it in Automations, under Secrets, and allow this flow to use it.`;
      }
      if (one.grantedText === null) {
        return `This flow may not use the secret ${name} yet. Allow it on the flow's page.`;
      }
      if (one.grantedText !== hash) {
        return `This flow was changed after it had been allowed to use the secret ${name}. Read what it does now, then allow it again on the flow's page.`;
      }
      found.push(one);
    }
    return found;
  }

  return {
    async refusal(wish, picked) {
      const found = await asked(wish);
      if (typeof found === "string") return found;
      const other = picked && found.find(({ secret }) => secret.createdBy !== picked.by);
      if (other === undefined) return undefined;
      return `Single steps of a flow get the secret ${other.secret.name} only when started by the person who set it. Run the whole flow.`;
    },
    async open(wish, since) {
      const found = await asked(wish);
      if (typeof found === "string") throw new RunStop("secret_unavailable", found);
      return found.map(({ secret }) => {
        const { name } = secret;
        if (since !== undefined && secret.changedAt >= since) {
          throw new RunStop(
            "secret_unavailable",
            `The secret ${name} was changed after this run began. Start the run anew.`,
          );
        }
        const value = unseal(key, secretPlace(secret), secret.value);
        if (value === undefined) {
          throw new RunStop("secret_unavailable", `The secret ${name} cannot be read by this server. Set it again.`);
        }
        return { name, value };
      });
    },
  };
}
