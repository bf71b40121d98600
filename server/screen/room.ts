/** Everyone who watches one phone: its hub, who controls it, and what they tell each other. */

import type { WebSocket } from "ws";
import { type CredentialId, newId, type ViewerId } from "../../shared/ids.ts";
import type { ConnectionMessage, EndReason, ServerMessage, ViewerMessage } from "../../shared/screen-protocol.ts";
import type { Clock } from "../clock.ts";
import type { PhoneInput, ScreenSource } from "../phones/driver.ts";
import { type Control, createControl } from "./control.ts";
import { createFrameHub, type FrameHub, frameNumbers } from "./frame-hub.ts";
import { createSound } from "./sound.ts";
import type { TicketGrant } from "./tickets.ts";
import { createViewer, type Viewer } from "./viewer.ts";

/** What a room does to its phone. None of these throws. */
export interface RoomPhone {
  readonly source: ScreenSource;
  /** `taken` is called when the phone has it, or refused it. */
  input(input: PhoneInput, taken?: () => void): void;
  rotate(taken?: () => void): void;
  clipboardWrite(value: string): void;
  /** The driver could not take the still of a resting picture. */
  stillFailed(error: unknown): void;
}

export interface RoomOptions {
  readonly phone: RoomPhone;
  readonly clock: Clock;
  /** The controller did something to the phone. */
  readonly onInput: (grant: TicketGrant) => void;
  /** Of this room's phone alone. */
  readonly tap?: {
    frame(seq: number): void;
    input(grant: TicketGrant, message: PhoneMessage): (() => void) | undefined;
  };
  /** Somebody came to watch, or drives from now on; once for each time they do. */
  readonly onPresence: (grant: TicketGrant, presence: Presence) => void;
  /** The last viewer left and nobody's control is being kept. */
  readonly onEmpty: () => void;
}

/** What a person does with a phone they look at. */
export type Presence = "watched" | "driven" | "taken";

export interface RoomCounts {
  readonly viewers: number;
  readonly framesSent: number;
  readonly framesDropped: number;
  /** Input of viewers without control, or out of sequence, or over the rate. */
  readonly inputsIgnored: number;
}

export interface Room {
  join(socket: WebSocket, grant: TicketGrant): void;
  size(): number;
  tick(): void;
  broadcast(message: ServerMessage): void;
  toController(message: ServerMessage): void;
  /** Name of who drives, if anybody does. */
  controllerName(): string | undefined;
  /** What these viewers may do from now on. */
  allow(which: (grant: TicketGrant) => boolean, rights: { mayControl: boolean; mayTake: boolean }): void;
  /** The phone cannot be seen now; said to who comes, too. */
  unreachable(message: string): void;
  /** The phone is seen again, by way of this source. */
  reachable(source: ScreenSource): void;
  /** Ends the viewers a condition picks; all of them without one. */
  end(reason: EndReason, message: string | undefined, which?: (grant: TicketGrant) => boolean): void;
  close(): void;
  counts(): RoomCounts;
}

/** Where a viewer gets its frames. */
interface Seat {
  readonly hub: FrameHub;
  leave(): void;
}

type PhoneMessage = Exclude<ViewerMessage, ConnectionMessage | { type: "control" }>;

export function createRoom({ phone, clock, onInput, onPresence, onEmpty, tap }: RoomOptions): Room {
  let { source } = phone;
  const nextSeq = frameNumbers();
  const hubOf = (one: ScreenSource) =>
    createFrameHub({
      source: one,
      clock,
      nextSeq,
      onStillFailed: (error) => phone.stillFailed(error),
      ...(tap !== undefined && { onFrame: (seq) => tap.frame(seq) }),
    });
  const hub = hubOf(source);
  /** Of the same phone, for who cannot show video; made when the first one comes. */
  let pictureHub: FrameHub | undefined;
  const sound = createSound(source.audio);
  /** Said when the phone was lost, until it is found. */
  let lostWords: string | undefined;
  const control = createControl();
  const viewers = new Map<string, Viewer>();
  const seats = new Map<ViewerId, Seat>();
  let gone = { framesSent: 0, framesDropped: 0 };
  let inputsIgnored = 0;
  let keyboardOpen = false;
  /** Whose time at the controls it is, a lost connection and its return included. */
  let driving: CredentialId | undefined;
  const watchers = new Set<CredentialId>();

  function stateFor(viewer: Viewer, news: { declined?: boolean; takenBy?: string } = {}): ServerMessage {
    const controller = control.controller();
    const isController = controller?.id === viewer.id;
    const asking = isController ? control.asking()?.name : undefined;
    return {
      type: "state",
      controller: isController,
      viewers: viewers.size,
      ...(controller === undefined ? {} : { controllerName: controller.name }),
      ...(asking === undefined ? {} : { asking }),
      ...(control.couldTake(viewer.id) ? { mayTake: true } : {}),
      ...news,
    };
  }

  function broadcast(message: ServerMessage): void {
    for (const viewer of viewers.values()) viewer.send(message);
  }

  /** The same phone, reached another way: everybody goes on where they sit. */
  function rebind(next: ScreenSource): void {
    const codec = hub.codec;
    source = next;
    const seated = [...viewers.values()].filter(({ id }) => seats.get(id)?.hub === hub);
    if (next.codec !== codec) {
      for (const viewer of seated) {
        viewer.restart(next.codec);
        greet(viewer, next.codec);
      }
    }
    broadcast({ type: "resize", ...next.size() });
    hub.replace(next);
    pictureHub?.replace(next.pictures ?? next);
    sound.replace(next.audio);
  }

  function tellAll(): void {
    for (const viewer of viewers.values()) viewer.send(stateFor(viewer));
  }

  /** Does something to `control` and settles what follows: no touch of the old controller stays down. */
  function changeControl(change: (control: Control) => void, presence: Presence = "driven"): void {
    const before = control.controller();
    change(control);
    const after = control.controller();
    const driver = after === undefined ? undefined : viewers.get(after.id);
    if (driver !== undefined && driver.grant.credentialId !== driving) onPresence(driver.grant, presence);
    if (driver !== undefined || !control.reserved()) driving = driver?.grant.credentialId;
    if (before?.id === after?.id) return;
    const lost = before === undefined ? undefined : viewers.get(before.id);
    if (lost !== undefined) cancelTouches(lost);
    if (keyboardOpen) driver?.send({ type: "keyboard", open: true });
  }

  function cancelTouches(viewer: Viewer): void {
    for (const input of viewer.input.cancel()) phone.input(input);
  }

  /** Gives a viewer the frames of one hub, and no other's. */
  function seat(viewer: Viewer, at: FrameHub): void {
    const before = seats.get(viewer.id);
    before?.leave();
    if (before !== undefined) viewer.restart(at.codec);
    // The first frame may find the connection gone, which ends what is not there yet.
    seats.set(viewer.id, { hub: at, leave: () => {} });
    const leave = at.join(viewer);
    if (viewers.has(viewer.id)) seats.set(viewer.id, { hub: at, leave });
    else leave();
  }

  function showPictures(viewer: Viewer): void {
    const { pictures } = source;
    if (pictures === undefined || seats.get(viewer.id)?.hub !== hub) return;
    pictureHub ??= hubOf(pictures);
    seat(viewer, pictureHub);
  }

  function greet(viewer: Viewer, codec: ScreenSource["codec"]): void {
    viewer.send({
      type: "hello",
      codec,
      ...(source.audio !== undefined && { audio: true }),
      ...hub.size(),
      controller: control.controller()?.id === viewer.id,
      viewers: viewers.size,
      nowMs: clock.now(),
    });
  }

  function leave(viewer: Viewer): void {
    viewers.delete(viewer.id);
    seats.get(viewer.id)?.leave();
    seats.delete(viewer.id);
    sound.leave(viewer);
    cancelTouches(viewer);
    const counts = viewer.counts();
    gone = { framesSent: gone.framesSent + counts.sent, framesDropped: gone.framesDropped + counts.dropped };
    changeControl(() => control.leave(clock.now(), viewer.id));
    tellAll();
  }

  function receive(viewer: Viewer, message: Exclude<ViewerMessage, ConnectionMessage>): void {
    if (message.type === "control") {
      receiveControl(viewer, message.action);
      return;
    }
    const isController = control.controller()?.id === viewer.id;
    if (!isController || !act(viewer, message)) {
      inputsIgnored += 1;
      return;
    }
    onInput(viewer.grant);
  }

  /** Passes a controller's message to the phone; false when it must not reach it. */
  function act(viewer: Viewer, message: PhoneMessage): boolean {
    if (message.type === "rotate" || message.type === "clipboard") {
      if (!viewer.input.allow(clock.now())) return false;
      const taken = tap?.input(viewer.grant, message);
      if (message.type === "rotate") phone.rotate(taken);
      else phone.clipboardWrite(message.value);
      return true;
    }
    const input = viewer.input.accept(clock.now(), message);
    if (input === undefined) return false;
    phone.input(input, tap?.input(viewer.grant, message));
    return true;
  }

  function receiveControl(viewer: Viewer, action: Extract<ViewerMessage, { type: "control" }>["action"]): void {
    // Each of these tells every viewer something.
    if (!viewer.input.allow(clock.now())) return;
    const before = control.controller();
    const takes = action === "take" && control.couldTake(viewer.id);
    let declined: ViewerId | undefined;
    changeControl(
      () => {
        if (action === "ask") control.ask(clock.now(), viewer.id);
        else if (action === "take") control.take(viewer.id);
        else if (action === "give") control.give(viewer.id);
        else if (action === "decline") declined = control.decline(viewer.id);
        else control.release(viewer.id);
      },
      takes ? "taken" : "driven",
    );
    for (const one of viewers.values()) {
      const lostIt = takes && one.id === before?.id;
      one.send(
        stateFor(one, {
          ...(one.id === declined && { declined: true }),
          ...(lostIt && { takenBy: viewer.grant.name }),
        }),
      );
    }
  }

  return {
    join(socket, grant) {
      const viewer: Viewer = createViewer({
        id: newId("viewer"),
        socket,
        grant,
        codec: hub.codec,
        clock,
        events: {
          message: (message) => receive(viewer, message),
          closed: () => leave(viewer),
          levelChanged: () => seats.get(viewer.id)?.hub.levelChanged(),
          needsKeyFrame: () => seats.get(viewer.id)?.hub.refresh(),
          pictures: () => showPictures(viewer),
          video() {
            if (seats.get(viewer.id)?.hub === pictureHub) seat(viewer, hub);
          },
          audio: (on) => (on ? sound.join(viewer) : sound.leave(viewer)),
        },
      });
      viewers.set(viewer.id, viewer);
      const { credentialId: sessionId, name, mayTake } = grant;
      const mayControl = grant.mode === "control";
      changeControl(() => control.join(clock.now(), { id: viewer.id, sessionId, name, mayControl, mayTake }));
      const controller = control.controller();
      if (controller?.sessionId !== sessionId && !watchers.has(sessionId)) {
        watchers.add(sessionId);
        onPresence(grant, "watched");
      }
      if (controller !== undefined && controller.id !== viewer.id && controller.sessionId === sessionId) {
        // Perhaps this is a return and the connection before it is dead without the server knowing yet.
        viewers.get(controller.id)?.probe();
      }
      greet(viewer, hub.codec);
      if (lostWords !== undefined) viewer.send({ type: "unreachable", message: lostWords });
      tellAll();
      seat(viewer, hub);
    },
    size: () => viewers.size,
    tick() {
      for (const viewer of [...viewers.values()]) viewer.tick();
      let expired = false;
      changeControl(() => {
        expired = control.expire(clock.now());
      });
      if (expired) tellAll();
      if (viewers.size === 0 && !control.reserved()) onEmpty();
    },
    broadcast,
    unreachable(message) {
      lostWords = message;
      broadcast({ type: "unreachable", message });
    },
    reachable(next) {
      lostWords = undefined;
      rebind(next);
      broadcast({ type: "reachable" });
    },
    toController(message) {
      if (message.type === "keyboard") keyboardOpen = message.open;
      const controller = control.controller();
      if (controller !== undefined) viewers.get(controller.id)?.send(message);
    },
    controllerName: () => control.controller()?.name,
    allow(which, { mayControl, mayTake }) {
      changeControl(() => {
        for (const { id, grant } of viewers.values()) {
          if (which(grant)) control.allow(id, { mayControl: mayControl && grant.mode === "control", mayTake });
        }
      });
      tellAll();
    },
    end(reason, message, which = () => true) {
      for (const viewer of [...viewers.values()]) if (which(viewer.grant)) viewer.end(reason, message);
    },
    close() {
      hub.close();
      pictureHub?.close();
      sound.close();
    },
    counts() {
      let { framesSent, framesDropped } = gone;
      for (const viewer of viewers.values()) {
        framesSent += viewer.counts().sent;
        framesDropped += viewer.counts().dropped;
      }
      return { viewers: viewers.size, framesSent, framesDropped, inputsIgnored };
    },
  };
}
