/**
 * Requests about phones of other nodes: sent on as they are, and answered with what that node answers. It checks who asks
 * itself; this node only finds out where to. One hop: what came from a node is done where it came to, or refused.
 */
import type { OutgoingHttpHeaders } from "node:http";
import { Readable } from "node:stream";
import type { Context } from "hono";
import type { AppEnv } from "../app.ts";
import { PerchError } from "../errors.ts";
import { type Batch, joinAnswers, partOf, readBatch, refusedCalls, splitBatch } from "./batches.ts";
import { CALLER_HEADER, callerHeader } from "./caller.ts";
import type { Membership } from "./membership.ts";
import type { SeenNode } from "./nodes.repo.ts";
import { type Subject, subjectOf } from "./owned-calls.ts";
import { NotReached, type Peers } from "./peers.ts";
import type { Where, Whereabouts } from "./whereabouts.ts";

export interface Forwarding {
  /** Serves a call here, at the node of its phone, or in parts at several. */
  call(c: Context<AppEnv>, here: (request: Request) => Promise<Response>): Promise<Response>;
  /** The answer of the node that has it; undefined: it is this one's. */
  request(c: Context<AppEnv>, where: (whereabouts: Whereabouts) => Promise<Where>): Promise<Response | undefined>;
}

/** Who does a call: this node, another one, or nobody, because the phone's node is gone. */
type Doer = "here" | "nobody" | SeenNode;

/** Of one connection, not of the request (RFC 9110 §7.6.1), and what this node says anew. */
const HOP_BY_HOP = new Set([
  ...["connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "expect"],
  ...["content-length", CALLER_HEADER],
]);
const NO_BODY = new Set([101, 204, 205, 304]);

export function createForwarding(options: {
  membership: Membership;
  whereabouts: Whereabouts;
  peers: Peers;
}): Forwarding {
  const { membership, whereabouts, peers } = options;

  async function whereIs(subject: Subject): Promise<Where> {
    if (subject.kind === "placed") return whereabouts.forNew(subject.driver);
    const where =
      subject.kind === "phone" ? await whereabouts.ofPhone(subject.id) : await whereabouts.ofRecording(subject.id);
    return where.at === "gone" && subject.withoutIts ? { at: "here" } : where;
  }

  async function send(
    c: Context<AppEnv>,
    node: SeenNode,
    path: string,
    body: Buffer | Readable | undefined,
  ): Promise<Response> {
    const left = new AbortController();
    const { outgoing } = c.env;
    const leave = () => {
      if (!outgoing.writableFinished) left.abort();
    };
    outgoing.once("close", leave);
    const headers: OutgoingHttpHeaders = { [CALLER_HEADER]: callerHeader(c.get("request")) };
    for (const [name, value] of Object.entries(c.env.incoming.headers)) {
      if (!HOP_BY_HOP.has(name) && value !== undefined) headers[name] = value;
    }
    const length = c.env.incoming.headers["content-length"];
    if (body instanceof Buffer) headers["content-length"] = body.length;
    else if (body !== undefined && length !== undefined) headers["content-length"] = length;
    const request = { method: c.req.method, path, headers, ...(body !== undefined && { body }), signal: left.signal };
    const answer = await peers.request(node, request).catch(async (error: unknown) => {
      if (!(error instanceof NotReached)) throw error;
      // It may have come back under another certificate since the last heartbeat; nothing was sent yet.
      await membership.look();
      const now = membership.other(node.id);
      if (now === undefined || now.boot === node.boot || body instanceof Readable) throw error;
      return peers.request(now, request);
    });
    const status = answer.statusCode ?? 502;
    const given = new Headers();
    for (const [name, value] of Object.entries(answer.headers)) {
      if (HOP_BY_HOP.has(name) || value === undefined) continue;
      for (const one of Array.isArray(value) ? value : [value]) given.append(name, one);
    }
    if (NO_BODY.has(status) || c.req.method === "HEAD") {
      answer.resume();
      return new Response(null, { status, headers: given });
    }
    return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status, headers: given });
  }

  /** For each call of a batch who does it. */
  async function doersOf(batch: Batch): Promise<Doer[]> {
    return Promise.all(
      batch.calls.map(async ({ procedure, input }) => {
        const subject = subjectOf(procedure, input);
        const where = subject && (await whereIs(subject));
        if (where === undefined || where.at === "here") return "here";
        return where.at === "gone" ? "nobody" : where.node;
      }),
    );
  }

  return {
    async call(c, here) {
      if (membership.alone || c.get("fromNode")) return here(c.req.raw);
      const isPost = c.req.method === "POST";
      const text = isPost ? await c.req.text() : undefined;
      const { headers, signal } = c.req.raw;
      const asRequest = (path: string, body: string | undefined) =>
        new Request(new URL(path, c.req.url), {
          ...{ method: c.req.method, headers, signal },
          ...(body !== undefined && { body }),
        });
      const url = new URL(c.req.url);
      const path = url.pathname + url.search;
      const batch = readBatch(url, text);
      const doers = batch && (await doersOf(batch));
      const serve = async (doer: Doer, at: string, body: string | undefined): Promise<Response> => {
        if (doer === "nobody") throw new NotReached();
        if (doer !== "here") return send(c, doer, at, body === undefined ? undefined : Buffer.from(body));
        return here(body === undefined && at === path ? c.req.raw : asRequest(at, body));
      };
      if (batch === undefined || doers === undefined) return serve("here", path, text);
      const groups = splitBatch(doers.map((doer) => (typeof doer === "string" ? doer : doer.id)));
      const doerOf = ([place = 0]: readonly number[]) => doers[place] ?? "here";
      const [only] = groups;
      const inWords = (calls: number, isBatch: boolean) => (error: unknown) => {
        if (!(error instanceof PerchError)) throw error;
        return refusedCalls(error, c.get("request").requestId, isBatch ? calls : undefined);
      };
      if (groups.length === 1 && only !== undefined) {
        return serve(doerOf(only), path, text).catch(inWords(only.length, batch.isBatch));
      }
      const answers = await Promise.all(
        groups.map(async (places) => {
          const part = partOf(batch, places, isPost);
          const answer = await serve(doerOf(places), part.path, part.body).catch(inWords(places.length, true));
          return { places, answer };
        }),
      );
      return joinAnswers(answers, batch.calls.length);
    },
    async request(c, where) {
      if (membership.alone) return undefined;
      const found = await where(whereabouts);
      if (found.at === "here") return undefined;
      if (found.at === "gone" || c.get("fromNode")) throw new NotReached();
      const { pathname, search } = new URL(c.req.url);
      const body = c.req.raw.body;
      return send(c, found.node, pathname + search, body === null ? undefined : Readable.fromWeb(body as never));
    },
  };
}
