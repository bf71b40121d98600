/** The screen socket for panel tests: tickets, credit of one frame, real JPEG frames or H.264, control between viewers. */
import type { Server } from "node:http";
import { type WebSocket, WebSocketServer } from "ws";
import { newId, type PhoneId } from "../../shared/ids.ts";
import {
  encodeFrameHeader,
  type FrameHeader,
  SCREEN_PROTOCOL,
  type ScreenMode,
  type ServerMessage,
  TICKET_PROTOCOL_PREFIX,
  type ViewerMessage,
  viewerMessage,
} from "../../shared/screen-protocol.ts";
import type { StubTeam } from "./stub-team.ts";

/** An encoded clip; `units` are access units, each `key` or not. */
export interface StubVideo {
  readonly config: Uint8Array;
  readonly units: readonly { readonly key: boolean; readonly bytes: Uint8Array }[];
}

interface Viewer {
  readonly socket: WebSocket;
  readonly phoneId: PhoneId;
  controller: boolean;
  waiting: boolean;
  pictures: boolean;
}

export class StubScreens {
  /** Everything viewers sent, in order, without acknowledgements. */
  readonly received: ViewerMessage[] = [];
  /** JPEG files sent in turn while `moving`; the first is the whole picture of now. */
  frames: readonly Uint8Array[] = [];
  /** Pictures for a turned phone. */
  rotatedFrames: readonly Uint8Array[] = [];
  moving = false;
  /** Plays the part of an encoder: a viewer gets this video, and pictures only if it asks for them. */
  video: StubVideo | undefined;
  /** `middle`: whoever joins gets no whole picture until they ask. */
  joins: "whole" | "middle" = "whole";
  sent = 0;
  acknowledged = 0;
  /** The phone can be heard. */
  audible = false;
  /** Tests set this to hold back control from the next viewer, as when someone else has it. */
  controllerName: string | undefined;
  readonly #team: StubTeam;
  readonly #tickets = new Map<string, { phoneId: PhoneId; mode: ScreenMode }>();
  readonly #viewers = new Set<Viewer>();
  readonly #sockets: WebSocketServer;
  #seq = 0;

  constructor(server: Server, team: StubTeam) {
    this.#team = team;
    this.#sockets = new WebSocketServer({ server, path: "/screen", handleProtocols: () => SCREEN_PROTOCOL });
    this.#sockets.on("connection", (socket, request) => {
      const offered = request.headers["sec-websocket-protocol"]?.split(/, */) ?? [];
      const ticket = offered
        .find((name) => name.startsWith(TICKET_PROTOCOL_PREFIX))
        ?.slice(TICKET_PROTOCOL_PREFIX.length);
      const grant = ticket === undefined ? undefined : this.#tickets.get(ticket);
      if (ticket === undefined || grant === undefined) return socket.close(4403);
      this.#tickets.delete(ticket);
      this.#join(socket, grant.phoneId, grant.mode);
    });
  }

  issue(phoneId: PhoneId, mode: ScreenMode): string {
    const ticket = newId("viewer");
    this.#tickets.set(ticket, { phoneId, mode });
    return ticket;
  }

  get viewers(): number {
    return this.#viewers.size;
  }

  broadcast(message: ServerMessage): void {
    for (const viewer of this.#viewers) viewer.socket.send(JSON.stringify(message));
  }

  /** Cuts every connection as a network would. */
  cut(): void {
    for (const viewer of this.#viewers) viewer.socket.terminate();
  }

  end(message: Extract<ServerMessage, { type: "ended" }>, code: number): void {
    for (const viewer of this.#viewers) {
      viewer.socket.send(JSON.stringify(message));
      viewer.socket.close(code);
    }
  }

  close(): void {
    this.cut();
    this.#sockets.close();
  }

  #join(socket: WebSocket, phoneId: PhoneId, mode: ScreenMode): void {
    const phone = this.#team.get(phoneId);
    const controller = mode === "control" && this.controllerName === undefined;
    const viewer: Viewer = { socket, phoneId, controller, waiting: false, pictures: false };
    this.#viewers.add(viewer);
    const send = (message: ServerMessage) => socket.send(JSON.stringify(message));
    send({
      type: "hello",
      codec: this.video === undefined ? "jpeg" : "h264",
      ...(this.audible && { audio: true }),
      width: phone.width,
      height: phone.height,
      controller,
      viewers: this.#viewers.size,
      nowMs: Date.now(),
    });
    if (this.controllerName !== undefined) {
      send({ type: "state", controller: false, controllerName: this.controllerName, viewers: 2 });
    }
    if (this.video === undefined) this.#sendFrame(viewer);
    else if (this.joins === "whole") this.#key(viewer);
    else this.#middle(viewer);
    socket.on("message", (data) => {
      const message = viewerMessage.parse(JSON.parse(String(data)));
      if (message.type === "ack") {
        this.acknowledged += 1;
        viewer.waiting = false;
        send({ type: "stats", roundTripMs: 4, level: 4 });
        if (this.moving) setTimeout(() => this.#sendFrame(viewer), 16);
        return;
      }
      this.received.push(message);
      if (message.type === "refresh" && this.video !== undefined) this.#key(viewer);
      if (message.type === "pictures") {
        viewer.pictures = true;
        this.#sendFrame(viewer);
      }
      if (message.type === "rotate") {
        const turned = this.#team.rotate(phoneId);
        send({ type: "resize", width: turned.width, height: turned.height });
        this.#sendFrame(viewer);
      }
    });
    socket.on("close", () => this.#viewers.delete(viewer));
    socket.on("error", () => this.#viewers.delete(viewer));
  }

  /** A whole picture for everybody, as when the encoder begins anew. */
  keys(): void {
    for (const viewer of this.#viewers) this.#key(viewer);
  }

  #middle(viewer: Viewer): void {
    const { config = new Uint8Array(), units = [] } = this.video ?? {};
    this.#send(viewer, { kind: "codecConfig", format: "h264" }, config);
    for (const { bytes } of units.slice(1)) this.#send(viewer, { kind: "delta", format: "h264" }, bytes);
  }

  /** The config and the first key frame, as to a viewer who joins or asks for a whole picture. */
  #key(viewer: Viewer): void {
    const { config, units } = this.video ?? {};
    const [first] = units ?? [];
    if (config === undefined || first === undefined || viewer.pictures) return;
    this.#send(viewer, { kind: "codecConfig", format: "h264" }, config);
    this.#send(viewer, { kind: "keyFrame", format: "h264" }, first.bytes);
  }

  /** One access unit to every viewer. */
  unit({ key, bytes }: StubVideo["units"][number]): void {
    for (const viewer of this.#viewers) {
      if (!viewer.pictures) this.#send(viewer, { kind: key ? "keyFrame" : "delta", format: "h264" }, bytes);
    }
  }

  /** Sound to every viewer. */
  sound(kind: "audioConfig" | "audio", bytes: Uint8Array): void {
    for (const viewer of this.#viewers) this.#send(viewer, { kind, format: "opus" }, bytes);
  }

  #send(viewer: Viewer, what: Pick<FrameHeader, "kind" | "format">, bytes: Uint8Array): void {
    this.#seq += 1;
    if (what.format !== "opus") this.sent += 1;
    const header = encodeFrameHeader({ ...what, flags: 0, seq: this.#seq, capturedAtMs: Date.now() });
    viewer.socket.send(Buffer.concat([header, bytes]));
  }

  #sendFrame(viewer: Viewer): void {
    if (viewer.socket.readyState !== viewer.socket.OPEN) return;
    const rotated = this.#team.phones.get(viewer.phoneId)?.rotated === true;
    const frames = rotated && this.rotatedFrames.length > 0 ? this.rotatedFrames : this.frames;
    const seq = ++this.#seq;
    const jpeg = frames[seq % frames.length];
    if (jpeg === undefined) return;
    viewer.waiting = true;
    const header = encodeFrameHeader({ kind: "image", format: "jpeg", flags: 0, seq, capturedAtMs: Date.now() });
    viewer.socket.send(Buffer.concat([header, jpeg]));
  }
}
