/** The team's secrets as this person sees them, and what can be done to them. */
import type { FlowId, SecretId } from "../../../shared/id-values.ts";
import type { SecretSummary } from "../../../shared/secret-model.ts";
import type { Api } from "../../api/client.ts";
import { useCall } from "../panel/use-call.ts";
import { type Remote, useRemote } from "../panel/use-remote.ts";

const readSecrets = (api: Api): Promise<readonly SecretSummary[]> => api.secrets.list.query();

export interface SecretsOfTeam {
  readonly secrets: Remote<readonly SecretSummary[]>;
  readonly busy: (key: string) => boolean;
  /** The secret as it is now; undefined when that failed, and the person was told. */
  readonly set: (name: string, value: string) => Promise<SecretSummary | undefined>;
  readonly remove: (id: SecretId) => Promise<boolean>;
  /** `seen`: `updatedAt` of the automation as the person sees it. */
  readonly grant: (id: SecretId, flowId: FlowId, seen: string) => Promise<boolean>;
  readonly revoke: (id: SecretId, flowId: FlowId) => Promise<boolean>;
}

export function useSecrets(): SecretsOfTeam {
  const secrets = useRemote(readSecrets);
  const calls = useCall();
  /** Reads the list again whatever came of the call: a refusal often means that it is out of date. */
  const change = async <T>(key: string, work: (api: Api) => Promise<T>): Promise<T | undefined> => {
    const result = await calls.run(key, work);
    secrets.reload();
    return result?.ok === true ? result.value : undefined;
  };
  return {
    secrets,
    busy: calls.busy,
    set: (name, value) => change("set", (api) => api.secrets.set.mutate({ name, value })),
    remove: async (secretId) =>
      (await change("remove", (api) => api.secrets.remove.mutate({ secretId }))) !== undefined,
    grant: async (secretId, flowId, seen) =>
      (await change(`grant ${secretId}`, (api) => api.secrets.grant.mutate({ secretId, flowId, seen }))) !== undefined,
    revoke: async (secretId, flowId) =>
      (await change(`revoke ${secretId} ${flowId}`, (api) => api.secrets.revoke.mutate({ secretId, flowId }))) !==
      undefined,
  };
}
