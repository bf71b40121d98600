/**
 * The port every kind of phone is driven through. One driver makes phones of one kind (`web`, `adb`, `geelark`).
 * Nothing above this file knows what a phone is made of.
 */
import type { PhoneId } from "../../shared/ids.ts";
import type {
  DeviceProfile,
  DriverKind,
  PhoneApp,
  PhoneCapabilities,
  PhoneFile,
  PhoneModel,
  PhoneReason,
  PhoneSettings,
  WipeReceipt,
} from "../../shared/phones.ts";
import type { PhoneKey } from "../../shared/screen-protocol.ts";
import type { PhoneAutomation } from "./automation-port.ts";

export interface PhoneSpec {
  readonly id: PhoneId;
  readonly profile: DeviceProfile;
  /** One of `models`; web phones have none. */
  readonly model: string | undefined;
  readonly settings: PhoneSettings;
  readonly rotated: boolean;
}

/** The driver's own view of a phone. `unknown` is never read as failed. */
export type DriverState = "absent" | "parked" | "running" | "unknown";

/** Rate and size of moving pictures, best (4) to cheapest (0); the driver maps a level to its own means. */
export type ScreenLevel = 0 | 1 | 2 | 3 | 4;

export interface ScreenFrame {
  readonly format: "jpeg" | "png" | "h264";
  readonly kind: "image" | "codecConfig" | "keyFrame" | "delta";
  readonly bytes: Uint8Array;
  /** Unix milliseconds. */
  readonly capturedAtMs: number;
  /** True for a full-quality still taken while the picture rests. */
  readonly crisp: boolean;
}

/** The picture of one running phone. Costs nothing while nobody listens and while nothing moves. */
export interface ScreenSource {
  readonly codec: "jpeg" | "h264";
  /** Current size in CSS pixels, as turned. */
  size(): { width: number; height: number };
  /**
   * Frames flow to the listener until the returned function is called; the first is a whole picture of now. `level`: what
   * this listener needs by itself; it gets better frames while others ask for them, and makes nobody's worse.
   */
  listen(listener: (frame: ScreenFrame) => void, level?: ScreenLevel): () => void;
  /** Of listeners without one of their own. Takes effect with a whole new frame within ~15 ms. */
  setLevel(level: ScreenLevel): void;
  /** A whole frame of now, at once, at the current level: for a joiner, or after a gap. */
  refresh(): void;
  /** One full-quality still; the resulting frame is delivered to listeners with `crisp: true`. Does nothing for video. */
  still(): Promise<void>;
  /** Of a source of video: the same screen as pictures that stand alone, few a second, for who cannot decode it. */
  readonly pictures?: ScreenSource;
  readonly audio?: AudioSource;
}

/** The sound of one running phone: Opus, 48 kHz, stereo. Costs nothing while nobody listens. */
export interface AudioSource {
  /** The first packet is the config (an OpusHead, RFC 7845 §5.1). Nothing comes where the device has no sound to give. */
  listen(listener: (packet: AudioPacket) => void): () => void;
}
export interface AudioPacket {
  readonly kind: "config" | "packet";
  readonly bytes: Uint8Array;
  /** Unix milliseconds. */
  readonly capturedAtMs: number;
}

/** A picture that stands alone (JPEG, or PNG where the phone sends those) and its time in ms from the first. */
export interface TimedPicture {
  readonly jpeg: Uint8Array;
  readonly atMs: number;
}

/** One access unit of H.264 in Annex B and its time in ms from the first; a `key` one has its parameter sets before it. */
export interface TimedUnit {
  readonly bytes: Uint8Array;
  readonly key: boolean;
  readonly atMs: number;
}

export type PhoneInput =
  | {
      readonly type: "touch";
      readonly phase: "start" | "move" | "end" | "cancel";
      readonly id: number;
      readonly x: number;
      readonly y: number;
    }
  | { readonly type: "wheel"; readonly x: number; readonly y: number; readonly dx: number; readonly dy: number }
  | { readonly type: "text"; readonly value: string }
  | { readonly type: "compose"; readonly value: string }
  | { readonly type: "key"; readonly name: PhoneKey };

export type DriverEvent =
  | { readonly type: "ended"; readonly phoneId: PhoneId; readonly reason: PhoneReason }
  /** Cannot be reached, though it may well run: `state` says `unknown`. `found` or `ended` follows some time. */
  | { readonly type: "lost"; readonly phoneId: PhoneId; readonly reason: PhoneReason }
  | { readonly type: "found"; readonly phoneId: PhoneId }
  | { readonly type: "resized"; readonly phoneId: PhoneId; readonly width: number; readonly height: number }
  | { readonly type: "clipboard"; readonly phoneId: PhoneId; readonly value: string }
  | { readonly type: "keyboard"; readonly phoneId: PhoneId; readonly open: boolean };

export interface UiNode {
  readonly role: string;
  readonly name: string;
  /** Fractions of the screen, 0–1. */
  readonly bounds: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly children: readonly UiNode[];
}

/** A file on its way to a phone. */
export interface FileToPut {
  /** A plain file name: no path, no control characters. */
  readonly name: string;
  readonly size: number;
  /** The bytes; `size` of them. */
  readonly content: ReadableStream<Uint8Array>;
}

/**
 * Methods throw `PerchError` with a sentence for people. Coordinates are fractions (0–1) of the screen as turned.
 * `create` and `remove` are idempotent; `park` and `remove` of a phone that is not there succeed.
 */
export interface PhoneDriver {
  readonly kind: DriverKind;
  /** Set where this process has no phones of the kind, and other nodes do. */
  readonly isElsewhere?: true;
  readonly capabilities: PhoneCapabilities;
  /** What a phone can be made of; none for kinds that have profiles instead. */
  models(): Promise<readonly PhoneModel[]>;
  /** Makes the phone's storage. */
  create(spec: PhoneSpec): Promise<void>;
  /** Resolves when the phone shows something and takes input. Opens `url`, else what was open, else the home screen. */
  start(spec: PhoneSpec, url?: string): Promise<void>;
  /** Closes the phone and keeps its state. */
  park(id: PhoneId): Promise<void>;
  /** Ends what this process has with a phone that goes on by itself: another one takes it up. Absent: none does. */
  letGo?(id: PhoneId): Promise<void>;
  /** Closes the phone, wipes everything it stored and looks that it is gone. */
  remove(id: PhoneId): Promise<WipeReceipt>;
  /** Wipes what this machine has of a phone that is another node's, and nothing else. Absent: phones of this kind leave nothing. */
  leave?(id: PhoneId): Promise<void>;
  state(id: PhoneId): Promise<DriverState>;
  openUrl(id: PhoneId, url: string): Promise<void>;
  input(id: PhoneId, input: PhoneInput): Promise<void>;
  rotate(id: PhoneId): Promise<{ rotated: boolean; width: number; height: number }>;
  configure(spec: PhoneSpec): Promise<void>;
  screen(id: PhoneId): ScreenSource;
  /** PNG of the screen in device pixels. */
  screenshot(id: PhoneId): Promise<{ png: Uint8Array; width: number; height: number }>;
  tree(id: PhoneId): Promise<UiNode>;
  /** A WebM of pictures in order; the last one stays until `durationMs`. Absent: phones of this kind are not recorded. */
  encodeVideo?(pictures: readonly TimedPicture[], durationMs: number): Promise<Uint8Array>;
  /** An MP4 of what the screen sent as H.264, from a key one on, as it is. Absent: phones of this kind send pictures. */
  packVideo?(units: readonly TimedUnit[], durationMs: number): Promise<Uint8Array>;
  /** Absent: phones of this kind run no automations. */
  readonly automation?: PhoneAutomation;
  /** Adds a web app from the page's manifest to the phone's home screen. */
  installWebApp(id: PhoneId, url: string): Promise<{ name: string }>;
  /** Absent: phones of this kind have no apps of their own. Package names are checked before they come here. */
  readonly apps?: {
    list(id: PhoneId): Promise<readonly PhoneApp[]>;
    launch(id: PhoneId, app: string): Promise<void>;
    stop(id: PhoneId, app: string): Promise<void>;
    /** Everything the app stored. */
    clear(id: PhoneId, app: string): Promise<void>;
    uninstall(id: PhoneId, app: string): Promise<void>;
    /**
     * Installs an APK, as new or over the older one. `done`: bytes the device has so far.
     * @throws PerchError `bad_input` with the phone's reason in words, for what it does not take
     */
    install(id: PhoneId, apk: FileToPut, done: (bytes: number) => void): Promise<void>;
  };
  readonly files: {
    /** Absent: nothing can be put on phones of this kind. A name that is taken gets a number; returns the name it got. */
    write?(id: PhoneId, file: FileToPut, done: (bytes: number) => void): Promise<string>;
    list(id: PhoneId): Promise<readonly PhoneFile[]>;
    read(id: PhoneId, name: string): Promise<ReadableStream<Uint8Array>>;
    remove(id: PhoneId, name: string): Promise<void>;
  };
  readonly clipboard: {
    write(id: PhoneId, value: string): Promise<void>;
    read(id: PhoneId): Promise<string>;
  };
  /** Everything that happens by itself. When `ended` is told, `state` no longer says running. */
  onEvent(listener: (event: DriverEvent) => void): () => void;
  /** After a crash of the server: ends leftovers of earlier processes; returns what is still there. */
  recover(): Promise<readonly { id: PhoneId; state: DriverState }[]>;
  /** Phones that live now. */
  runningPhones(): ReadonlySet<PhoneId>;
  /** Number of phones whose picture is watched and moving now; the only thing that costs CPU. */
  movingPhones(): number;
  /** Parks everything and releases all resources. */
  close(): Promise<void>;
}
