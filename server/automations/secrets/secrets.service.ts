/**
 * Secrets of a team's flows. A value goes in and never comes out again but into a run of a flow it was granted to. Who
 * may pass a secret on: the person who set its value, and who manages the team (docs/decisions/secrets-of-flows.md).
 */
import { createHash } from "node:crypto";
import type { z } from "zod";
import { type FlowId, newId, type SecretId } from "../../../shared/ids.ts";
import type { grantSecretInput, SecretSummary, setSecretInput } from "../../../shared/secrets.ts";
import type { Audit, AuditAction } from "../../audit/audit.repo.ts";
import type { Clock } from "../../clock.ts";
import { type Database, isUniqueViolation, type Writer } from "../../db/database.ts";
import { PerchError } from "../../errors.ts";
import { seal } from "../../seal.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import type { FlowRow } from "../flows.repo.ts";
import { noSuchFlow } from "../flows.service.ts";
import type { FileBytes } from "../workspaces.repo.ts";
import type { SecretRow, SecretsRepo } from "./secrets.repo.ts";

/** A signed-in person, never a token, and whether they manage the team. */
export interface Keeper {
  readonly scope: TeamScope;
  readonly manages: boolean;
}

export interface SecretsService {
  list(keeper: Keeper): Promise<SecretSummary[]>;
  /** Makes a secret or replaces its value. A new hand on the value takes back what others granted. */
  set(keeper: Keeper, input: z.output<typeof setSecretInput>): Promise<SecretSummary>;
  remove(keeper: Keeper, id: SecretId): Promise<void>;
  /** For the flow's text as it is now. */
  grant(keeper: Keeper, input: z.output<typeof grantSecretInput>): Promise<void>;
  /** Anyone who controls phones may take a grant back. */
  revoke(keeper: Keeper, id: SecretId, flowId: FlowId): Promise<void>;
  /**
   * In the transaction that saves a flow, before it: grants that fit the text so far go over to the new one when the
   * keeper may pass their secret on. All others stay with the text they were given for.
   */
  follow(tx: Writer, keeper: Keeper, flowId: FlowId, change: TextChange): Promise<void>;
  /** For `follow`, before its transaction. */
  textChange(scope: TeamScope, from: FlowText, to: FlowText): Promise<TextChange>;
}

type FlowText = Pick<FlowRow, "source" | "path">;

export interface TextChange {
  /** The flow's text before, which `before` was made of: when it is another one by now, nothing goes over. */
  readonly was: string;
  readonly before: string;
  readonly after: string;
}

const MOST_SECRETS = 200;

/** What a grant is bound to: the flow's text and all files a run of it would read. */
export function textHash(source: string, files: readonly FileBytes[]): string {
  const sha256 = (content: string | Uint8Array) => createHash("sha256").update(content).digest("base64url");
  const read = files.map(({ path, bytes }) => [path, sha256(bytes)] as const).sort(([a], [b]) => (a < b ? -1 : 1));
  return sha256(JSON.stringify([source, read]));
}

/** Where a value is sealed for. */
export function secretPlace({ id, teamId }: Pick<SecretRow, "id" | "teamId">): string {
  return `secret/${teamId}/${id}`;
}

/** The names a flow asks for. */
type SecretNames = (source: string) => readonly string[];

export function createSecretsService(options: {
  db: Database;
  repo: SecretsRepo;
  audit: Audit;
  clock: Clock;
  /** 32 bytes. */
  key: Buffer;
  names: SecretNames;
  flow: (scope: TeamScope, id: FlowId) => Promise<FlowText | undefined>;
  /** The files a run of the flow would read. */
  reads: (scope: TeamScope, flow: FlowText) => Promise<readonly FileBytes[]>;
}): SecretsService {
  const { db, repo, audit, clock, key } = options;
  const textOf = async (scope: TeamScope, flow: FlowText) => textHash(flow.source, await options.reads(scope, flow));

  const mayPassOn = ({ scope, manages }: Keeper, row: SecretRow) => manages || row.createdBy === scope.userId;
  const record = (tx: Writer, { scope }: Keeper, action: AuditAction, id: SecretId, flow?: FlowId) =>
    audit.record(tx, {
      chain: scope.teamId,
      actor: scope.userId,
      action,
      object: id,
      ...(flow !== undefined && { detail: { flow } }),
    });

  /** The secret, for one who may pass it on. */
  async function held(tx: Writer, keeper: Keeper, id: SecretId, what: string): Promise<SecretRow> {
    const row = await repo.find(tx, keeper.scope, id);
    if (row === undefined) throw new PerchError("not_found", "There is no such secret in this team.");
    if (!mayPassOn(keeper, row)) throw notYours(row.name, what);
    return row;
  }

  async function summaries(keeper: Keeper): Promise<SecretSummary[]> {
    const [rows, grants] = await Promise.all([repo.list(keeper.scope), repo.grants(keeper.scope)]);
    const texts = new Map<FlowId, Promise<string>>();
    const current = async ({ grant, flow }: (typeof grants)[number]) => {
      const text = texts.get(grant.flowId) ?? textOf(keeper.scope, flow);
      texts.set(grant.flowId, text);
      return {
        secretId: grant.secretId,
        flowId: grant.flowId,
        flowName: flow.name,
        current: grant.textHash === (await text),
      };
    };
    const known = await Promise.all(grants.map(current));
    return rows.map((row) => ({
      id: row.id,
      name: row.name,
      createdAt: row.createdAt.toISOString(),
      changedAt: row.changedAt.toISOString(),
      mayPassOn: mayPassOn(keeper, row),
      mine: row.createdBy === keeper.scope.userId,
      grants: known.filter(({ secretId }) => secretId === row.id).map(({ secretId: _, ...grant }) => grant),
    }));
  }

  async function put(keeper: Keeper, name: string, value: string): Promise<SecretId> {
    const { teamId, userId } = keeper.scope;
    const now = new Date(clock.now());
    return db.tx(async (tx) => {
      const known = await repo.findByName(tx, keeper.scope, name);
      if (known !== undefined && !mayPassOn(keeper, known)) throw notYours(name, "replace");
      const id = known?.id ?? newId("secret");
      const sealed = seal(key, secretPlace({ id, teamId }), value);
      if (known === undefined) {
        if ((await repo.count(tx, keeper.scope)) >= MOST_SECRETS) {
          throw new PerchError("limit_reached", `A team keeps at most ${MOST_SECRETS} secrets. Remove one first.`);
        }
        await repo.insert(tx, { id, teamId, createdBy: userId, name, value: sealed, createdAt: now, changedAt: now });
      } else {
        await repo.change(tx, id, { value: sealed, createdBy: userId, changedAt: now });
        if (known.createdBy !== userId) await repo.revokeOthers(tx, id, userId);
      }
      await record(tx, keeper, "secret.set", id);
      return id;
    });
  }

  return {
    list: summaries,
    async set(keeper, { name, value }) {
      const id = await put(keeper, name, value).catch((error: unknown) => {
        // Two people made the same name at once; the second replaces, if they may.
        if (isUniqueViolation(error)) return put(keeper, name, value);
        throw error;
      });
      const summary = (await summaries(keeper)).find((one) => one.id === id);
      if (summary === undefined)
        throw new PerchError("conflict", "Someone removed this secret just now. Set it again.");
      return summary;
    },
    async remove(keeper, id) {
      await db.tx(async (tx) => {
        const row = await held(tx, keeper, id, "remove");
        await repo.delete(tx, row.id);
        await record(tx, keeper, "secret.removed", row.id);
      });
    },
    async grant(keeper, { secretId, flowId, seen }) {
      const read = await options.flow(keeper.scope, flowId);
      const text = read && (await textOf(keeper.scope, read));
      await db.tx(async (tx) => {
        const { id, name } = await held(tx, keeper, secretId, "grant");
        const flow = await repo.flow(tx, keeper.scope, flowId);
        if (flow === undefined || read === undefined || text === undefined) throw noSuchFlow();
        const changed = seen !== undefined && flow.updatedAt.getTime() !== Date.parse(seen);
        if (changed || flow.source !== read.source) {
          throw new PerchError(
            "conflict",
            "Someone changed this flow just now. Read what it does, then grant the secret.",
          );
        }
        if (!options.names(flow.source).includes(name)) {
          throw new PerchError(
            "bad_input",
            `This flow does not ask for ${name}. Write \`secrets: [${name}]\` into its header and save it first.`,
          );
        }
        await repo.grant(tx, {
          secretId: id,
          flowId,
          grantedBy: keeper.scope.userId,
          textHash: text,
          grantedAt: new Date(clock.now()),
        });
        await record(tx, keeper, "secret.granted", id, flowId);
      });
    },
    async revoke(keeper, secretId, flowId) {
      await db.tx(async (tx) => {
        const row = await repo.find(tx, keeper.scope, secretId);
        if (row === undefined || !(await repo.revoke(tx, secretId, flowId))) {
          throw new PerchError("not_found", "This flow has no such secret.");
        }
        await record(tx, keeper, "secret.revoked", secretId, flowId);
      });
    },
    textChange: async (scope, from, to) => ({
      was: from.source,
      before: await textOf(scope, from),
      after: await textOf(scope, to),
    }),
    async follow(tx, keeper, flowId, { was, before, after }) {
      const flow = await repo.flow(tx, keeper.scope, flowId);
      if (flow === undefined || flow.source !== was || before === after) return;
      for (const { grant, secret } of await repo.grantsOf(tx, flowId)) {
        if (grant.textHash !== before || !mayPassOn(keeper, secret)) continue;
        await repo.grant(tx, {
          ...grant,
          grantedBy: keeper.scope.userId,
          textHash: after,
          grantedAt: new Date(clock.now()),
        });
        await record(tx, keeper, "secret.granted", secret.id, flowId);
      }
    },
  };
}

function notYours(name: string, what: string): PerchError {
  return new PerchError(
    "forbidden",
    `Only the person who set ${name} and the team's owners and admins may ${what} it. Ask one of them.`,
  );
}
