/**
 * What the server itself asks of phones, wherever they are: parking what nothing pays for, wiping what is erased, launching
 * for a rule. Between nodes these are calls through the nodes' door; whoever comes through it is believed.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { Readable } from "node:stream";
import { json } from "node:stream/consumers";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { type PhoneId, phoneId, teamId, userId } from "../../shared/ids.ts";
import type { PhoneReason } from "../../shared/phone-model.ts";
import {
  type DriverKind,
  launchInput,
  PHONE_REASONS,
  type Phone,
  type PhoneFile,
  type WipeReceipt,
} from "../../shared/phones.ts";
import { HTTP_STATUS, PerchError } from "../errors.ts";
import type { PhoneDriver } from "../phones/driver.ts";
import type { Drivers } from "../phones/drivers.ts";
import { noSuchPhone, type PhoneLifecycle } from "../phones/phone-lifecycle.ts";
import type { PhoneRow, PhonesRepo } from "../phones/phones.repo.ts";
import type { PhonesService } from "../phones/phones.service.ts";
import type { LedgerEntry } from "../privacy/erasure/ledger.ts";
import { nodeScope, type TeamScope } from "../teams/team-scope.ts";
import type { Membership } from "./membership.ts";
import type { SeenNode } from "./nodes.repo.ts";
import { NotReached, type Peers } from "./peers.ts";
import type { Whereabouts } from "./whereabouts.ts";

export const CALL_PATH = "/node/";
const MOST_BYTES = 64 * 1024;
const MOST_IDS = 1_000;

const inputs = {
  park: z.strictObject({ phoneId, reason: z.enum(PHONE_REASONS), actor: z.string().max(64) }),
  remove: z.strictObject({ phoneId, actor: z.string().max(64) }),
  isAbsent: z.strictObject({ phoneId }),
  warnOfCover: z.strictObject({ phoneId, teamId, parksAt: z.number().nullable() }),
  launch: z.strictObject({ teamId, userId, input: launchInput }),
  start: z.strictObject({ phoneId }),
  adopt: z.strictObject({ phoneIds: z.array(phoneId).max(MOST_IDS) }),
  leave: z.strictObject({ phoneIds: z.array(phoneId).max(MOST_IDS) }),
  erased: z.strictObject({ at: z.iso.datetime(), userId, teams: z.array(teamId).max(MOST_IDS) }),
  clearFiles: z.strictObject({ userId, teams: z.array(teamId).max(MOST_IDS) }),
  files: z.strictObject({ phoneId }),
  controllers: z.strictObject({ phoneIds: z.array(phoneId).max(MOST_IDS) }),
};
type Call = keyof typeof inputs;
type Input<C extends Call> = z.output<(typeof inputs)[C]>;
const isCall = (name: string): name is Call => Object.hasOwn(inputs, name);

/** Answered with the bytes themselves. */
const FILE_CALL = `${CALL_PATH}file`;
const fileInput = z.strictObject({ phoneId, name: z.string().min(1).max(255) });

const answer = z.union([
  z.object({ value: z.unknown() }),
  z.object({ error: z.object({ code: z.string(), message: z.string() }) }),
]);

/** Whose files: of a person, and of the teams that close with them. */
export type FilesOf = Pick<LedgerEntry, "userId" | "teams">;

/** What is asked of phones here. */
export interface PhonesHere {
  readonly lifecycle: Pick<PhoneLifecycle, "park" | "start" | "remove" | "warnOfCover" | "adopt" | "leave">;
  readonly phones: Pick<PhonesService, "launch">;
  readonly repo: Pick<PhonesRepo, "findAnywhere">;
  readonly drivers: Pick<Drivers, "of">;
  readonly erased: (entry: LedgerEntry) => void;
  readonly clearFiles: (of: FilesOf) => Promise<void>;
  readonly controllerName: (id: PhoneId) => string | undefined;
}

export type PhoneFiles = Pick<PhoneDriver["files"], "list" | "read">;

export interface PhonesAnywhere {
  park(id: PhoneId, reason: PhoneReason, actor: string): Promise<PhoneRow>;
  remove(row: PhoneRow, actor: string): Promise<WipeReceipt>;
  isAbsent(row: PhoneRow): Promise<boolean>;
  warnOfCover(row: Pick<PhoneRow, "id" | "teamId">, parksAt: Date | undefined): Promise<void>;
  launch(scope: TeamScope, input: z.output<typeof launchInput>): Promise<Phone>;
  /** What phones of a kind keep as files; undefined where the server has none of the kind. */
  files(kind: DriverKind): PhoneFiles | undefined;
  /** Tells another node of phones that are its since a moment. */
  adopt(node: SeenNode, ids: readonly PhoneId[]): Promise<void>;
  /** Has another node wipe what it has left of phones that are not its own. @throws PerchError when anything stays there */
  leave(node: SeenNode, ids: readonly PhoneId[]): Promise<void>;
  /** Has every other node that lives write down that somebody is erased. @throws PerchError until all have */
  erased(entry: LedgerEntry): Promise<void>;
  /** Has every other node that lives remove the files it has of who is erased. @throws PerchError until all have */
  clearFiles(of: FilesOf): Promise<void>;
  /** Has it start a parked phone that is its since a moment. */
  start(node: SeenNode, id: PhoneId): Promise<void>;
  /** Who drives those of these that other nodes have; a node that does not answer at once names nobody. */
  controllers(ids: readonly PhoneId[]): Promise<ReadonlyMap<PhoneId, string>>;
}

const PATIENCE_MS = 120_000;
const GLANCE_MS = 1_000;

export function createPhonesAnywhere(options: {
  here: PhonesHere;
  whereabouts: Pick<Whereabouts, "ofPhone" | "forNew" | "byNode">;
  peers: Pick<Peers, "request">;
  membership: Pick<Membership, "id" | "look" | "nodes">;
}): PhonesAnywhere {
  const { here, whereabouts, peers, membership } = options;

  async function ask<C extends Call>(node: SeenNode, call: C, input: z.input<(typeof inputs)[C]>, ms = PATIENCE_MS) {
    const response = await peers.request(node, {
      ...{ method: "POST", path: CALL_PATH + call, headers: { "content-type": "application/json" } },
      body: Buffer.from(JSON.stringify(input)),
      signal: AbortSignal.timeout(ms),
    });
    const said = answer.parse(await json(response));
    if (!("error" in said)) return said.value;
    const { code, message } = said.error;
    throw new PerchError(codeOf(code), message);
  }
  /** Those that live and can be reached. */
  async function others(): Promise<SeenNode[]> {
    await membership.look();
    return membership.nodes().filter(({ id, living, address }) => living && address !== null && id !== membership.id);
  }
  /** The node that has it; undefined: this one. */
  async function nodeOf(id: PhoneId): Promise<SeenNode | undefined> {
    const where = await whereabouts.ofPhone(id);
    if (where.at === "gone") throw new NotReached();
    return where.at === "other" ? where.node : undefined;
  }

  return {
    async park(id, reason, actor) {
      const node = await nodeOf(id);
      if (node === undefined) return here.lifecycle.park(id, reason, actor);
      await ask(node, "park", { phoneId: id, reason, actor });
      const row = await here.repo.findAnywhere(id);
      if (row === undefined) throw noSuchPhone();
      return row;
    },
    async remove(row, actor) {
      const where = await whereabouts.ofPhone(row.id);
      // One whose node is gone is hidden from here, and wiped there when it is back.
      if (where.at !== "other") return here.lifecycle.remove(row, actor);
      return asReceipt(await ask(where.node, "remove", { phoneId: row.id, actor }));
    },
    async isAbsent(row) {
      const node = await nodeOf(row.id);
      if (node === undefined) return (await here.drivers.of(row.driver)?.state(row.id)) === "absent";
      return (await ask(node, "isAbsent", { phoneId: row.id })) === true;
    },
    async warnOfCover(row, parksAt) {
      const node = await nodeOf(row.id);
      if (node === undefined) return here.lifecycle.warnOfCover(row, parksAt);
      const { id, teamId: team } = row;
      await ask(node, "warnOfCover", { phoneId: id, teamId: team, parksAt: parksAt?.getTime() ?? null });
    },
    async launch(scope, input) {
      const where = await whereabouts.forNew(input.driver ?? "web");
      if (where.at !== "other") return here.phones.launch(scope, input);
      return asPhone(await ask(where.node, "launch", { teamId: scope.teamId, userId: scope.userId, input }));
    },
    files(kind) {
      const driver = here.drivers.of(kind);
      return (
        driver && {
          async list(id) {
            const node = await nodeOf(id);
            return node === undefined ? driver.files.list(id) : asFiles(await ask(node, "files", { phoneId: id }));
          },
          async read(id, name) {
            const node = await nodeOf(id);
            if (node === undefined) return driver.files.read(id, name);
            const body = Buffer.from(JSON.stringify({ phoneId: id, name }));
            const response = await peers.request(node, { method: "POST", path: FILE_CALL, headers: {}, body });
            if (response.statusCode === 200) return Readable.toWeb(response) as ReadableStream<Uint8Array>;
            response.resume();
            throw new PerchError("not_found", "There is no such file on this phone.");
          },
        }
      );
    },
    async adopt(node, ids) {
      await ask(node, "adopt", { phoneIds: [...ids] });
    },
    async leave(node, ids) {
      await ask(node, "leave", { phoneIds: [...ids] });
    },
    async erased({ at, userId: who, teams }) {
      const line = { at: at.toISOString(), userId: who, teams: [...teams] };
      await Promise.all((await others()).map((node) => ask(node, "erased", line)));
    },
    async clearFiles({ userId: who, teams }) {
      const of = { userId: who, teams: [...teams] };
      await Promise.all((await others()).map((node) => ask(node, "clearFiles", of)));
    },
    async start(node, id) {
      await ask(node, "start", { phoneId: id });
    },
    async controllers(ids) {
      const names = new Map<PhoneId, string>();
      for (const [node, theirs] of await whereabouts.byNode(ids)) {
        const said = await ask(node, "controllers", { phoneIds: theirs.slice(0, MOST_IDS) }, GLANCE_MS).catch(
          () => ({}),
        );
        const known = z.record(z.string(), z.string()).catch({}).parse(said);
        for (const id of theirs) if (known[id] !== undefined) names.set(id, known[id]);
      }
      return names;
    },
  };
}

/** Serves such calls of other nodes. */
export function createPhoneCalls(here: PhonesHere): (request: IncomingMessage, response: ServerResponse) => void {
  const work: { readonly [C in Call]: (input: Input<C>) => Promise<unknown> } = {
    park: async ({ phoneId: id, reason, actor }) => {
      const { name, reason: parkedFor } = await here.lifecycle.park(id, reason, actor);
      return { name, reason: parkedFor };
    },
    async remove({ phoneId: id, actor }) {
      const row = await here.repo.findAnywhere(id);
      if (row === undefined) throw noSuchPhone();
      return here.lifecycle.remove(row, actor);
    },
    isAbsent: async ({ phoneId: id }) => {
      const row = await here.repo.findAnywhere(id);
      return row === undefined || (await here.drivers.of(row.driver)?.state(id)) === "absent";
    },
    warnOfCover: async ({ phoneId: id, teamId: team, parksAt }) =>
      here.lifecycle.warnOfCover({ id, teamId: team }, parksAt === null ? undefined : new Date(parksAt)),
    launch: ({ teamId: team, userId: user, input }) => here.phones.launch(nodeScope(team, user), input),
    async start({ phoneId: id }) {
      const row = await here.repo.findAnywhere(id);
      if (row === undefined) throw noSuchPhone();
      await here.lifecycle.start(row, undefined, "server");
    },
    adopt: ({ phoneIds }) => here.lifecycle.adopt(phoneIds),
    erased: async ({ at, userId: who, teams }) => here.erased({ at: new Date(at), userId: who, teams }),
    clearFiles: ({ userId: who, teams }) => here.clearFiles({ userId: who, teams }),
    leave: ({ phoneIds }) => here.lifecycle.leave(phoneIds),
    async files({ phoneId: id }) {
      const row = await here.repo.findAnywhere(id);
      return (row && (await here.drivers.of(row.driver)?.files.list(id))) ?? [];
    },
    controllers: async ({ phoneIds }) =>
      Object.fromEntries(
        phoneIds.flatMap((id) => {
          const name = here.controllerName(id);
          return name === undefined ? [] : [[id, name]];
        }),
      ),
  };
  const does = async <C extends Call>(call: C, input: unknown) => work[call](inputs[call].parse(input) as Input<C>);

  async function sendFile(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { phoneId: id, name } = fileInput.parse(await bounded(request));
    const row = await here.repo.findAnywhere(id);
    const content = row && (await here.drivers.of(row.driver)?.files.read(id, name));
    if (content === undefined) throw noSuchPhone();
    response.writeHead(200, { "content-type": "application/octet-stream" });
    await pipeline(Readable.fromWeb(content as never), response);
  }

  return (request, response) => {
    if (request.url === FILE_CALL) {
      sendFile(request, response).catch(() => {
        if (response.headersSent) response.destroy();
        else response.writeHead(404).end();
      });
      return;
    }
    const name = (request.url ?? "").slice(CALL_PATH.length);
    const done = async () => {
      if (!isCall(name) || request.method !== "POST") throw new PerchError("not_found", "There is no such call.");
      return does(name, await bounded(request));
    };
    done().then(
      (value) => answerWith(response, 200, { value: value ?? null }),
      (error: unknown) => {
        const known =
          error instanceof PerchError ? error : new PerchError("internal", "The other node failed at this.");
        answerWith(response, HTTP_STATUS[known.code], { error: { code: known.code, message: known.message } });
      },
    );
  };
}

async function bounded(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request) {
    const chunk = Buffer.from(part as Uint8Array);
    bytes += chunk.length;
    if (bytes > MOST_BYTES) throw new PerchError("too_large", "This call is too large.");
    parts.push(chunk);
  }
  return JSON.parse(Buffer.concat(parts).toString());
}

function answerWith(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  response.end(text);
}

function codeOf(text: string): PerchError["code"] {
  const known = Object.keys(HTTP_STATUS) as PerchError["code"][];
  return known.find((code) => code === text) ?? "internal";
}

/** Another node of this version answered; its services made it. */
const asReceipt = (value: unknown) => value as WipeReceipt;
const asFiles = (value: unknown) => value as readonly PhoneFile[];
const asPhone = (value: unknown) => value as Phone;
