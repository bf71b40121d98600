/**
 * What the parts of the Android drivers ask of each other. An `AndroidSource` says which Androids there are and turns them
 * on and off; an `AdbEndpoint` reaches one; an `AndroidDevice` is one that answers. Screen, automation, apps and files are
 * made of a device and nothing else, so they are the same for a phone on a cable, in a container and at a partner.
 */
import type { Adb } from "@yume-chan/adb";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { PhoneModel, PhoneReason, WipeReceipt } from "../../../../shared/phones.ts";
import type { PhoneAutomation } from "../../automation-port.ts";
import type { DriverState, PhoneInput, PhoneSpec, ScreenSource } from "../../driver.ts";

/** How one Android is reached. */
export interface AdbEndpoint {
  /** For people and logs: a serial or an address, never a password. */
  readonly words: string;
  /**
   * A new ADB connection. Ends by itself in time.
   * @throws PerchError `phone_unavailable`; `AdbUnavailable` says the reason
   */
  open(signal: AbortSignal): Promise<Adb>;
}

/** Why an endpoint does not answer, as a phone's reason. */
export type AdbReason = Extract<
  PhoneReason,
  "device_gone" | "device_unauthorized" | "host_gone" | "partner_down" | "partner_stopped" | "partner_ended"
>;

/** What an Android says about itself. */
export interface AndroidFacts {
  /** API level, 34 for Android 14. */
  readonly sdk: number;
  readonly release: string;
  readonly model: string;
  readonly abi: string;
  /** Physical pixels, as the screen stands unturned, and dots an inch. */
  readonly width: number;
  readonly height: number;
  readonly density: number;
}

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: Uint8Array;
  readonly stderr: string;
}
export interface CommandOptions {
  /** Ten seconds by default. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  /** More output than this ends the command. 16 MB by default. */
  readonly maxBytes?: number;
}

/**
 * One Android that answers over ADB. Every call ends by itself; a call that did not says so with `phone_unavailable`.
 * Commands are argument vectors: each argument reaches the program as it is, whatever is in it.
 */
export interface AndroidDevice {
  readonly words: string;
  readonly facts: AndroidFacts;
  /** For what needs ADB itself: scrcpy's sockets, forwards. */
  readonly adb: Adb;
  /** Runs a program and waits for its end. Not every exit code but 0 is a failure, so it is the caller's to judge. */
  run(argv: readonly [string, ...string[]], options?: CommandOptions): Promise<CommandResult>;
  /** The same, and what it wrote as text. @throws PerchError `phone_unavailable` for an exit code that is not 0 */
  text(argv: readonly [string, ...string[]], options?: CommandOptions): Promise<string>;
  /** Bytes a program goes on to write, until the returned stream is cancelled or ends. */
  stream(argv: readonly [string, ...string[]], signal: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  push(path: string, content: ReadableStream<Uint8Array>, options?: { readonly mode?: number }): Promise<void>;
  pull(path: string): Promise<ReadableStream<Uint8Array>>;
  /** Settles when the connection is over, whatever ended it. */
  readonly gone: Promise<void>;
  close(): Promise<void>;
}

/** The live picture, sound and hands of one device, made by `openAndroidScreen`. */
export interface AndroidScreen {
  readonly source: ScreenSource;
  /** CSS pixels as turned now. */
  size(): { readonly width: number; readonly height: number };
  input(input: PhoneInput): Promise<void>;
  readonly clipboard: {
    write(value: string): Promise<void>;
    read(): Promise<string>;
  };
  rotate(): Promise<{ rotated: boolean; width: number; height: number }>;
  readonly moving: boolean;
  /** What those of these packages call themselves that are known by name. */
  appNames(packages: readonly string[]): Promise<ReadonlyMap<string, string>>;
  close(): Promise<void>;
}
export interface AndroidScreenEvents {
  resized(size: { readonly width: number; readonly height: number }): void;
  clipboard(value: string): void;
  keyboard(open: boolean): void;
}

/** What flows and the recorder do on one device, made by `createAndroidAutomation`: the port without the phone's id. */
export type AndroidAutomation = {
  readonly [Name in keyof PhoneAutomation]: NonNullable<PhoneAutomation[Name]> extends (
    id: PhoneId,
    ...rest: infer Rest
  ) => infer Result
    ? (...rest: Rest) => Result
    : PhoneAutomation[Name];
} & {
  /** Ends what it started on the device. */
  close(): Promise<void>;
};

export type SourceEvent =
  /** It is over: turned off, removed or broken where it runs. */
  | { readonly type: "ended"; readonly phoneId: PhoneId; readonly reason: PhoneReason }
  /** It may have come back, or changed: worth another look now. */
  | { readonly type: "hint"; readonly phoneId: PhoneId };

/**
 * Where Androids come from: registered devices, containers on Docker hosts, a partner. The driver connects, keeps the
 * connection and comes back after it broke; a source knows how to make, start, park and wipe. Methods are idempotent
 * and throw `PerchError` with a sentence for people.
 */
export interface AndroidSource {
  /** `device`, `container` or the partner's name: the first part of a model's id, `container:android-14`. */
  readonly name: string;
  models(): Promise<readonly PhoneModel[]>;
  /** Takes a place for the phone and makes its storage. */
  create(spec: PhoneSpec): Promise<void>;
  /** Turns it on and resolves when ADB can be tried. `signal` ends the wait. */
  start(spec: PhoneSpec, signal: AbortSignal): Promise<AdbEndpoint>;
  /** Turns it off; what is on it stays. */
  park(id: PhoneId): Promise<void>;
  /**
   * Wipes everything the phone stored, gives its place back and looks that it is gone. `device`: a connection to it where
   * one could be had, for what is wiped from inside.
   */
  remove(id: PhoneId, device: AndroidDevice | undefined): Promise<WipeReceipt>;
  /** Where it runs; `unknown` when that cannot be asked. Says nothing about ADB. */
  state(id: PhoneId): Promise<DriverState>;
  onEvent(listener: (event: SourceEvent) => void): () => void;
  /** After a start of the server: what is there of this source's. */
  recover(): Promise<readonly { readonly id: PhoneId; readonly state: DriverState }[]>;
  close(): Promise<void>;
}
