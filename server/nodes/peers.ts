/**
 * Calls to other nodes. A connection counts only when the other side has proved the key of the certificate that stands for
 * it in the register; nothing is sent before.
 */

import type { IncomingMessage, OutgoingHttpHeaders } from "node:http";
import { Agent, request as httpsRequest } from "node:https";
import { type Duplex, Readable } from "node:stream";
import { connect, type TLSSocket } from "node:tls";
import { asOwnCall } from "../egress/own-calls.ts";
import { PerchError } from "../errors.ts";
import { TLS } from "../http/tls-certificate.ts";
import type { NodeCertificate } from "./certificate.ts";
import type { SeenNode } from "./nodes.repo.ts";

/** A node that can be called. */
export type Peer = Pick<SeenNode, "id" | "boot" | "address" | "certificate">;

export interface PeerRequest {
  readonly method: string;
  /** With its query. */
  readonly path: string;
  readonly headers: OutgoingHttpHeaders;
  readonly body?: Buffer | Readable;
  readonly signal?: AbortSignal;
}

export interface Peers {
  /** @throws `NotReached` when nothing was sent, `Broke` when that is not sure */
  request(peer: Peer, request: PeerRequest): Promise<IncomingMessage>;
  /** A socket to the node's door, for what is no call. @throws `NotReached` */
  connect(peer: Peer): Promise<TLSSocket>;
  /** Lets go of connections to processes that are over. */
  keepOnly(boots: ReadonlySet<string>): void;
  close(): void;
}

/** The node was not reached: nothing happened there. */
export class NotReached extends PerchError {
  constructor(cause?: unknown) {
    super(
      "unavailable",
      "The machine that keeps this phone cannot be reached now. Nothing was changed. Try again in a moment.",
      { cause },
    );
  }
}
/** The node was lost while it worked on something. */
export class Broke extends PerchError {
  constructor(cause?: unknown) {
    super(
      "unavailable",
      "The machine that keeps this phone was lost while it worked on this. Look at the phone before you try it again.",
      { cause },
    );
  }
}

const CONNECT_MS = 3_000;
/** As long as the door of the other node lets nothing move. */
const SILENCE_MS = 120_000;
const MOST_SOCKETS = 256;

export function createPeers(mine: NodeCertificate): Peers {
  const agents = new Map<string, PeerAgent>();

  function agentOf(peer: Peer): PeerAgent {
    const known = agents.get(peer.boot);
    if (known !== undefined) return known;
    const agent = new PeerAgent(peer, mine);
    agents.set(peer.boot, agent);
    return agent;
  }

  return {
    request: (peer, { method, path, headers, body, signal }) =>
      new Promise((resolve, reject) => {
        const agent = agentOf(peer);
        const call = httpsRequest({ agent, method, path, headers, ...(signal && { signal }) });
        call.setTimeout(SILENCE_MS, () => call.destroy(new Error("The other node says nothing.")));
        call.once("response", resolve);
        call.once("error", (error) => reject(error instanceof NotReached ? error : new Broke(error)));
        if (body instanceof Readable) {
          body.once("error", (error) => call.destroy(error));
          body.pipe(call);
        } else call.end(body);
      }),
    connect: (peer) =>
      new Promise((resolve, reject) => {
        dial(peer, mine, (error, socket) => (socket === undefined ? reject(error) : resolve(socket)));
      }),
    keepOnly(boots) {
      for (const [boot, agent] of agents) {
        if (boots.has(boot)) continue;
        agent.destroy();
        agents.delete(boot);
      }
    },
    close() {
      for (const agent of agents.values()) agent.destroy();
      agents.clear();
    },
  };
}

type Dialled = (error: Error | null, socket?: TLSSocket) => void;

/** Keeps connections to one process of one node. */
class PeerAgent extends Agent {
  readonly #peer: Peer;
  readonly #mine: NodeCertificate;
  constructor(peer: Peer, mine: NodeCertificate) {
    super({ keepAlive: true, maxSockets: MOST_SOCKETS, maxFreeSockets: 16 });
    this.#peer = peer;
    this.#mine = mine;
  }
  override createConnection(_options: unknown, done?: (error: Error | null, stream: Duplex) => void): undefined {
    // Node's own agents call back with either one of the two.
    dial(this.#peer, this.#mine, done as Dialled);
    return undefined;
  }
}

/** Opens a socket that has been looked at: TLS 1.3, and exactly the certificate of the register. */
function dial({ address, certificate }: Peer, { cert, key }: NodeCertificate, done: Dialled): void {
  const at = /^(.*):(\d+)$/.exec(address ?? "");
  const host = at?.[1]?.replace(/^\[|\]$/g, "");
  if (host === undefined || certificate === null) {
    done(new NotReached());
    return;
  }
  const socket = asOwnCall(() =>
    connect({ host, port: Number(at?.[2]), ...TLS, cert, key, rejectUnauthorized: false, timeout: CONNECT_MS }),
  );
  let over = false;
  const settle = (error: unknown) => {
    if (over) return;
    over = true;
    socket.off("timeout", late);
    socket.setTimeout(0);
    if (error === undefined) return done(null, socket);
    socket.destroy();
    done(new NotReached(error));
  };
  const late = () => settle(new Error("The other node does not answer."));
  socket.on("timeout", late);
  socket.on("error", settle);
  socket.once("secureConnect", () => {
    const shown = socket.getPeerX509Certificate()?.fingerprint256;
    settle(shown === certificate ? undefined : new Error("The other node shows a certificate that is not its own."));
  });
}
