/**
 * The screen socket (`/screen`, subprotocols `perch.screen.v1` and `ticket.<ticket>`).
 *
 * Server → viewer: text JSON (`ServerMessage`) and binary frames: a 16-byte little-endian header + payload.
 * Viewer → server: text JSON (`ViewerMessage`). Flow control is by credit: a viewer has at most one frame in
 * flight and gets the newest one when it acknowledges (`research/streaming.md` §1.7).
 */
import * as z from "zod/mini";

export const SCREEN_PROTOCOL = "perch.screen.v1";
export const TICKET_PROTOCOL_PREFIX = "ticket.";
export const TICKET_LIFETIME_MS = 30_000;
/** Largest message a viewer may send, in bytes: room for a pasted clipboard. */
export const MAX_VIEWER_MESSAGE_BYTES = 256 * 1024;
export const MAX_TEXT_LENGTH = 10_000;
export const MAX_CLIPBOARD_LENGTH = 50_000;

export const FRAME_HEADER_BYTES = 16;
/** `codecConfig`: what a decoder needs first (SPS and PPS); `audio`: sound, only to viewers that asked for it, never acknowledged. */
export const FRAME_KINDS = { image: 1, codecConfig: 2, keyFrame: 3, delta: 4, audioConfig: 5, audio: 6 } as const;
export type FrameKind = keyof typeof FRAME_KINDS;
/** `h264`: Annex B, one access unit a frame. `opus`: one packet a frame, 48 kHz stereo; its config is an OpusHead. */
export const FRAME_FORMATS = { jpeg: 1, webp: 2, h264: 3, png: 4, opus: 5 } as const;
export type FrameFormat = keyof typeof FRAME_FORMATS;
/** Bits of `flags`. `crisp`: a full-quality still sent when the picture rests. */
export const FRAME_FLAGS = { crisp: 1 } as const;

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly format: FrameFormat;
  readonly flags: number;
  readonly seq: number;
  /** Unix milliseconds, server clock. */
  readonly capturedAtMs: number;
}

/** Writes the header; the payload follows it in the same message. */
export function encodeFrameHeader(header: FrameHeader): Uint8Array {
  const bytes = new Uint8Array(FRAME_HEADER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, FRAME_KINDS[header.kind]);
  view.setUint8(1, FRAME_FORMATS[header.format]);
  view.setUint16(2, header.flags, true);
  view.setUint32(4, header.seq, true);
  view.setFloat64(8, header.capturedAtMs, true);
  return bytes;
}

const kindNames = invert(FRAME_KINDS);
const formatNames = invert(FRAME_FORMATS);

/** Reads a binary message; `undefined` when it is not a frame of this protocol. */
export function decodeFrame(message: ArrayBuffer): { header: FrameHeader; payload: Uint8Array } | undefined {
  if (message.byteLength < FRAME_HEADER_BYTES) return undefined;
  const view = new DataView(message);
  const kind = kindNames.get(view.getUint8(0));
  const format = formatNames.get(view.getUint8(1));
  if (kind === undefined || format === undefined) return undefined;
  return {
    header: {
      kind,
      format,
      flags: view.getUint16(2, true),
      seq: view.getUint32(4, true),
      capturedAtMs: view.getFloat64(8, true),
    },
    payload: new Uint8Array(message, FRAME_HEADER_BYTES),
  };
}

function invert<K extends string>(record: Readonly<Record<K, number>>): ReadonlyMap<number, K> {
  return new Map((Object.entries(record) as [K, number][]).map(([name, code]) => [code, name]));
}

export const SCREEN_MODES = ["control", "view"] as const;
export type ScreenMode = (typeof SCREEN_MODES)[number];

/** Hardware buttons and keys a viewer can press by name (Android's key names; DOM `KeyboardEvent.key` for the rest). */
export const PHONE_KEYS = [
  "Back",
  "Home",
  "AppSwitch",
  "Reload",
  "Enter",
  "Backspace",
  "Delete",
  "Tab",
  "Escape",
  "ArrowUp",
  "ArrowDown",
  "ArrowLeft",
  "ArrowRight",
  "PageUp",
  "PageDown",
  "SelectAll",
  "Copy",
  "Cut",
  "Undo",
  "VolumeUp",
  "VolumeDown",
  "VolumeMute",
  "Power",
] as const;
export type PhoneKey = (typeof PHONE_KEYS)[number];

const fraction = z.number().check(z.gte(0), z.lte(1));
const seq = z.int().check(z.gte(0), z.lte(0xffff_ffff));

export const viewerMessage = z.discriminatedUnion("type", [
  z.strictObject({ type: z.literal("ack"), seq }),
  z.strictObject({
    type: z.literal("touch"),
    phase: z.enum(["start", "move", "end", "cancel"]),
    /** Touch point number, 0–9. */
    id: z.int().check(z.gte(0), z.lte(9)),
    x: fraction,
    y: fraction,
    /** The frame the person was looking at. */
    seq,
  }),
  /** Wheel over the picture; `dx`/`dy` in fractions of the screen, positive = content moves up/left. */
  z.strictObject({
    type: z.literal("wheel"),
    x: fraction,
    y: fraction,
    dx: z.number().check(z.gte(-4), z.lte(4)),
    dy: z.number().check(z.gte(-4), z.lte(4)),
    seq,
  }),
  z.strictObject({ type: z.literal("text"), value: z.string().check(z.minLength(1), z.maxLength(MAX_TEXT_LENGTH)) }),
  /** Input-method composition in progress; empty text cancels it. Committed by a `text` message. */
  z.strictObject({ type: z.literal("compose"), value: z.string().check(z.maxLength(MAX_TEXT_LENGTH)) }),
  z.strictObject({ type: z.literal("key"), name: z.enum(PHONE_KEYS) }),
  /** Puts text on the phone's clipboard. */
  z.strictObject({ type: z.literal("clipboard"), value: z.string().check(z.maxLength(MAX_CLIPBOARD_LENGTH)) }),
  z.strictObject({ type: z.literal("rotate") }),
  /** The viewer cannot go on with the pictures it has: asks for a whole one (a key frame). */
  z.strictObject({ type: z.literal("refresh") }),
  /** This viewer has no decoder for video: it gets pictures that stand alone, fewer of them. */
  z.strictObject({ type: z.literal("pictures") }),
  /** Whether this viewer wants to hear the phone. */
  z.strictObject({ type: z.literal("audio"), on: z.boolean() }),
  /** Highest quality this viewer wants: 0 saves data … 4 sharpest. */
  z.strictObject({ type: z.literal("quality"), max: z.int().check(z.gte(0), z.lte(4)) }),
  /** `ask`: asks the controller for control, or gets it when there is none. `take`: for who may, whoever has it. */
  z.strictObject({ type: z.literal("control"), action: z.enum(["ask", "take", "give", "decline", "release"]) }),
]);
export type ViewerMessage = z.infer<typeof viewerMessage>;
/** Messages about one connection and what it is sent; the phone never hears of them. */
export type ConnectionMessage = Extract<ViewerMessage, { type: "ack" | "quality" | "refresh" | "pictures" | "audio" }>;

export type EndReason =
  | "parked"
  | "removed"
  | "failed"
  | "signed_out"
  | "server_stopping"
  | "not_allowed"
  | "protocol_error"
  | "too_slow";

export type ServerMessage =
  | {
      readonly type: "hello";
      readonly codec: "jpeg" | "h264";
      /** It can be heard. */
      readonly audio?: true;
      readonly width: number;
      readonly height: number;
      /** Whether this viewer controls the phone. */
      readonly controller: boolean;
      readonly viewers: number;
      /** Server clock at sending, Unix milliseconds, for the age readout. */
      readonly nowMs: number;
    }
  | { readonly type: "resize"; readonly width: number; readonly height: number }
  /** Who watches and who controls; sent when either changes. `asking`: someone wants control (sent to the controller). */
  | {
      readonly type: "state";
      readonly controller: boolean;
      readonly controllerName?: string;
      readonly viewers: number;
      readonly asking?: string;
      readonly declined?: boolean;
      /** This viewer could take control from who has it. */
      readonly mayTake?: boolean;
      /** Sent once to who drove until now: who took control. */
      readonly takenBy?: string;
    }
  | { readonly type: "clipboard"; readonly value: string }
  /** The server lost sight of the phone, or sees it again: the picture is of before. `message` says what is known. */
  | { readonly type: "unreachable"; readonly message: string }
  | { readonly type: "reachable" }
  /** The phone opened a field to type into (or left it): the viewer may raise its keyboard. */
  | { readonly type: "keyboard"; readonly open: boolean }
  /** Round trip of the last acknowledged frame in ms and the ladder level in use. */
  | { readonly type: "stats"; readonly roundTripMs: number; readonly level: number }
  /** The phone will be parked at this time (ISO 8601) unless used. */
  | { readonly type: "idle_warning"; readonly parksAt: string }
  /** The phone will be parked at this time (ISO 8601), used or not: nothing pays for it; without a time: something does again. */
  | { readonly type: "cover_warning"; readonly parksAt?: string }
  | { readonly type: "ended"; readonly reason: EndReason; readonly message: string };

/** Close codes of the screen socket (4000–4999 are ours). */
export const SCREEN_CLOSE = {
  signedOut: 4401,
  notAllowed: 4403,
  phoneEnded: 4410,
  protocolError: 4400,
  serverStopping: 1012,
  tooSlow: 4408,
} as const;
