/** Screen sessions: tickets, who watches which phone, and ending them. */
import type { WebSocket } from "ws";
import { roleMay } from "../../shared/access.ts";
import type { CredentialId, PhoneId } from "../../shared/ids.ts";
import { type EndReason, SCREEN_PROTOCOL, TICKET_LIFETIME_MS } from "../../shared/screen-protocol.ts";
import type { Clock } from "../clock.ts";
import { PerchError } from "../errors.ts";
import { errorFields, type Log } from "../log.ts";
import type { DriverEvent, PhoneInput, ScreenSource } from "../phones/driver.ts";
import type { AccessChange } from "../teams/access-changes.ts";
import { createRoom, type Presence, type Room, type RoomCounts, type RoomPhone } from "./room.ts";
import type { ScreenTap } from "./screen-tap.ts";
import type { TicketGrant, TicketRow, TicketStore } from "./tickets.ts";
import { endSocket } from "./viewer.ts";

export const SCREEN_PATH = "/screen";
export const MAX_VIEWERS_PER_PHONE = 20;
/** What goes wrong unexpectedly is in the log, by the phone's id. */
export const SCREEN_FAILED = "The screen could not be opened. Try again.";
const TOO_MANY_VIEWERS = `This phone already has ${MAX_VIEWERS_PER_PHONE} viewers. Ask one to leave.`;
/** Said when access to the phone ends. */
const LEFT_TEAM = {
  member: "Your role in this phone's team no longer lets you watch it.",
  session: "You work in another team now. Switch back to see this phone.",
  stopped: "Your account does nothing with your data now. Allow it again under Privacy.",
} as const satisfies Record<Exclude<AccessChange["kind"], "missed">, string>;
const TICK_MS = 500;
/** How often the use of one phone is reported while it goes on. */
const INPUT_REPORT_MS = 1_000;
/** Inputs the driver has not taken yet, after which moves and scrolls are left out. */
const MAX_PENDING_INPUTS = 64;

/** The running phones, as the screen sees them. Methods throw `PerchError` when the phone does not run. */
export interface PhoneGate {
  screen(phoneId: PhoneId): ScreenSource;
  input(phoneId: PhoneId, input: PhoneInput): Promise<void>;
  rotate(phoneId: PhoneId): Promise<unknown>;
  clipboardWrite(phoneId: PhoneId, value: string): Promise<void>;
  /** `ended` is not acted on: whoever ends a phone calls `closePhone` with the reason people read. */
  onEvent(listener: (event: DriverEvent) => void): () => void;
}

export interface ScreenTicket {
  /** `ws://…/screen` or `wss://…/screen`. */
  readonly url: string;
  readonly protocol: string;
  readonly ticket: string;
  /** ISO 8601. */
  readonly expiresAt: string;
}

export interface ScreenService {
  /** A ticket for one connection; the caller has checked that the person may do this. */
  ticket(request: Omit<TicketRow, "expiresAt">): Promise<ScreenTicket>;
  /** Redeems a ticket; `undefined` when it is unknown, used, expired or its session ended. */
  consume(ticket: string): Promise<TicketGrant | undefined>;
  /** Which phone a ticket is for, without redeeming it. */
  phoneOf(ticket: string): Promise<PhoneId | undefined>;
  /** Takes over an open socket. Ends it with a reason when the phone cannot be shown. */
  attach(socket: WebSocket, grant: TicketGrant): void;
  /** Ends every connection opened with this session or token; the sockets are gone within a second. */
  closeSession(credentialId: CredentialId, reason?: EndReason): void;
  /** Ends what a person may no longer watch, and takes control from who may no longer control; at once. */
  accessChanged(change: AccessChange): void;
  /** Ends every connection to this phone. `message` replaces the reason's own sentence. */
  closePhone(phoneId: PhoneId, reason: EndReason, message?: string): void;
  closeAll(reason: EndReason): void;
  /** The phone is out of sight, but may come back: its viewers stay, and hear these words. */
  unreachable(phoneId: PhoneId, words: string): void;
  /** It is seen again: viewers get its new picture. */
  reachable(phoneId: PhoneId): void;
  /** How many watch this phone. */
  viewers(phoneId: PhoneId): number;
  /** Name of who drives this phone, if anybody does. */
  controllerName(phoneId: PhoneId): string | undefined;
  idleWarning(phoneId: PhoneId, parksAt: Date): void;
  coverWarning(phoneId: PhoneId, parksAt: Date | undefined): void;
  /** Sums over the phones watched now. */
  counts(): RoomCounts;
  /** Ends everything and stops listening to the phones. */
  close(): void;
}

export interface ScreenServiceOptions {
  readonly phones: PhoneGate;
  readonly tickets: TicketStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly publicUrl: string;
  /** A controller used the phone; at most once a second and phone. */
  readonly onInput: (phoneId: PhoneId, grant: TicketGrant) => void;
  /** Somebody came to watch a phone, or drives it from now on; once for each time they do. */
  readonly onPresence: (phoneId: PhoneId, grant: TicketGrant, presence: Presence) => void;
  readonly tap?: ScreenTap;
}

export function createScreenService(options: ScreenServiceOptions): ScreenService {
  const { phones, tickets, clock, log, onInput, onPresence, tap } = options;
  const url = new URL(SCREEN_PATH, options.publicUrl);
  url.protocol = url.protocol === "https:" ? "wss:" : "ws:";
  const rooms = new Map<PhoneId, Room>();
  /** Of rooms that are gone: what is counted never goes back. */
  const past = { framesSent: 0, framesDropped: 0, inputsIgnored: 0 };
  /** What was said of phones that are out of sight. */
  const lost = new Map<PhoneId, string>();
  let ticker: NodeJS.Timeout | undefined;

  const stopListening = phones.onEvent((event) => {
    const room = rooms.get(event.phoneId);
    if (room === undefined) return;
    if (event.type === "resized") room.broadcast({ type: "resize", width: event.width, height: event.height });
    // What was copied and where a person types is for the one who drives, not for those who watch.
    else if (event.type === "clipboard") room.toController({ type: "clipboard", value: event.value });
    else if (event.type === "keyboard") room.toController({ type: "keyboard", open: event.open });
  });

  function roomFor(phoneId: PhoneId): Room {
    const existing = rooms.get(phoneId);
    if (existing !== undefined) return existing;
    let reportedAt = Number.NEGATIVE_INFINITY;
    const room = createRoom({
      phone: openPhone(phones, phoneId, log),
      clock,
      onInput(grant) {
        if (clock.now() - reportedAt < INPUT_REPORT_MS) return;
        reportedAt = clock.now();
        onInput(phoneId, grant);
      },
      onPresence: (grant, presence) => onPresence(phoneId, grant, presence),
      onEmpty: () => forget(phoneId, room),
      ...(tap !== undefined && {
        tap: {
          frame: (seq) => tap.frame(phoneId, seq),
          input: (grant, message) => tap.input(phoneId, grant, message),
        },
      }),
    });
    const words = lost.get(phoneId);
    if (words !== undefined) room.unreachable(words);
    rooms.set(phoneId, room);
    ticker ??= setInterval(() => {
      for (const one of [...rooms.values()]) one.tick();
    }, TICK_MS);
    return room;
  }

  function forget(phoneId: PhoneId, room: Room): void {
    if (rooms.get(phoneId) !== room) return;
    addCounts(past, room.counts());
    room.close();
    rooms.delete(phoneId);
    if (rooms.size > 0) return;
    clearInterval(ticker);
    ticker = undefined;
  }

  function closePhone(phoneId: PhoneId, reason: EndReason, message?: string): void {
    lost.delete(phoneId);
    const room = rooms.get(phoneId);
    if (room === undefined) return;
    room.end(reason, message);
    forget(phoneId, room);
  }

  function closeAll(reason: EndReason): void {
    for (const phoneId of [...rooms.keys()]) closePhone(phoneId, reason);
  }

  return {
    async ticket(request) {
      const expiresAt = clock.now() + TICKET_LIFETIME_MS;
      const ticket = await tickets.issue({ ...request, expiresAt });
      return { url: url.href, protocol: SCREEN_PROTOCOL, ticket, expiresAt: new Date(expiresAt).toISOString() };
    },
    consume: (ticket) => tickets.consume(ticket),
    phoneOf: (ticket) => tickets.phoneOf(ticket),
    attach(socket, grant) {
      try {
        const room = roomFor(grant.phoneId);
        if (room.size() < MAX_VIEWERS_PER_PHONE) room.join(socket, grant);
        else endSocket(socket, "not_allowed", TOO_MANY_VIEWERS);
      } catch (error) {
        if (error instanceof PerchError) {
          endSocket(socket, "parked", error.message);
        } else {
          log.error("screen not available", { phoneId: grant.phoneId, ...errorFields(error) });
          endSocket(socket, "failed", SCREEN_FAILED);
        }
      }
    },
    closeSession(credentialId, reason = "signed_out") {
      for (const room of rooms.values()) room.end(reason, undefined, (grant) => grant.credentialId === credentialId);
    },
    accessChanged(change) {
      // Viewers connect again by themselves, with a new ticket.
      if (change.kind === "missed") return closeAll("server_stopping");
      const isTheirs = (grant: TicketGrant) => {
        if (change.kind === "stopped") return grant.userId === change.userId;
        if (grant.teamId !== change.teamId) return false;
        return change.kind === "session" ? grant.credentialId === change.sessionId : grant.userId === change.userId;
      };
      const role = change.kind === "member" ? change.role : undefined;
      for (const room of rooms.values()) {
        if (role !== undefined && roleMay(role, "phones:view")) {
          room.allow(isTheirs, { mayControl: roleMay(role, "phones:control"), mayTake: roleMay(role, "phones:take") });
        } else room.end("not_allowed", LEFT_TEAM[change.kind], isTheirs);
      }
    },
    closePhone,
    closeAll,
    unreachable(phoneId, words) {
      lost.set(phoneId, words);
      rooms.get(phoneId)?.unreachable(words);
    },
    reachable(phoneId) {
      lost.delete(phoneId);
      const room = rooms.get(phoneId);
      if (room === undefined) return;
      try {
        room.reachable(phones.screen(phoneId));
      } catch (error) {
        // It is gone again; whoever notices says so.
        log.warn("found phone has no screen", { phoneId, ...errorFields(error) });
      }
    },
    viewers: (phoneId) => rooms.get(phoneId)?.size() ?? 0,
    controllerName: (phoneId) => rooms.get(phoneId)?.controllerName(),
    idleWarning(phoneId, parksAt) {
      rooms.get(phoneId)?.broadcast({ type: "idle_warning", parksAt: parksAt.toISOString() });
    },
    coverWarning(phoneId, parksAt) {
      rooms.get(phoneId)?.broadcast({ type: "cover_warning", ...(parksAt && { parksAt: parksAt.toISOString() }) });
    },
    counts() {
      const sum = { viewers: 0, ...past };
      for (const room of rooms.values()) {
        const counts = room.counts();
        sum.viewers += counts.viewers;
        addCounts(sum, counts);
      }
      return sum;
    },
    close() {
      closeAll("server_stopping");
      stopListening();
    },
  };
}

function addCounts(sum: Mutable<Omit<RoomCounts, "viewers">>, counts: RoomCounts): void {
  sum.framesSent += counts.framesSent;
  sum.framesDropped += counts.framesDropped;
  sum.inputsIgnored += counts.inputsIgnored;
}
type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** One running phone behind calls that return at once; what the driver refuses is logged. Throws when it does not run. */
function openPhone(phones: PhoneGate, phoneId: PhoneId, log: Log): RoomPhone {
  const source = phones.screen(phoneId);
  let pending = 0;
  const refused = (kind: string) => (error: unknown) =>
    log.warn("phone did not take input", { phoneId, kind, ...errorFields(error) });
  return {
    source,
    input(input, taken) {
      const passing = input.type === "wheel" || (input.type === "touch" && input.phase === "move");
      if (passing && pending >= MAX_PENDING_INPUTS) return;
      pending += 1;
      phones
        .input(phoneId, input)
        .catch(refused(input.type))
        .finally(() => {
          pending -= 1;
          taken?.();
        });
    },
    rotate: (taken) => void phones.rotate(phoneId).catch(refused("rotate")).finally(taken),
    clipboardWrite: (value) => void phones.clipboardWrite(phoneId, value).catch(refused("clipboard")),
    stillFailed: (error) => log.warn("no still of the resting picture", { phoneId, ...errorFields(error) }),
  };
}
