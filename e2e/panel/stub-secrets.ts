/** Secrets in memory, for panel tests: names, who set them, and which text of which automation may have them. */
import { type FlowId, newId, type SecretId } from "../../shared/ids.ts";
import type { SecretSummary } from "../../shared/secret-model.ts";
import type { StubRuns } from "./stub-runs.ts";

interface StubSecret extends Omit<SecretSummary, "grants"> {
  readonly value: string;
  /** The granted text by automation. */
  readonly texts: ReadonlyMap<FlowId, string>;
}

export class StubSecrets {
  readonly all = new Map<SecretId, StubSecret>();

  set(name: string, value: string, others: Partial<Pick<SecretSummary, "mine" | "mayPassOn">> = {}): StubSecret {
    const now = new Date().toISOString();
    const known = [...this.all.values()].find((secret) => secret.name === name);
    const secret: StubSecret = {
      id: known?.id ?? newId("secret"),
      name,
      createdAt: known?.createdAt ?? now,
      mine: true,
      mayPassOn: true,
      ...others,
      changedAt: now,
      value,
      texts: known?.texts ?? new Map(),
    };
    this.all.set(secret.id, secret);
    return secret;
  }

  grant(id: SecretId, flowId: FlowId, text: string | undefined): void {
    const secret = this.all.get(id);
    if (secret === undefined) return;
    const texts = new Map(secret.texts);
    if (text === undefined) texts.delete(flowId);
    else texts.set(flowId, text);
    this.all.set(id, { ...secret, texts });
  }

  list({ flows }: StubRuns): SecretSummary[] {
    return [...this.all.values()]
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .map(({ value: _, texts, ...secret }) => ({
        ...secret,
        grants: [...texts].flatMap(([flowId, text]) => {
          const flow = flows.get(flowId);
          return flow === undefined ? [] : [{ flowId, flowName: flow.name, current: flow.source === text }];
        }),
      }));
  }
}
