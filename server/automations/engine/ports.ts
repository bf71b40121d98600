/** What the interpreter needs of the world; tests give it small fakes of these. */
import type { Flow, Selector } from "../../../shared/flows/model.ts";
import type { UiElement, UiTree } from "../../../shared/ui-tree.ts";
import type { AutomationCapabilities, LaunchArguments, UiTarget } from "../../phones/automation-port.ts";
import type { PhoneDriver, PhoneInput, ScreenFrame, ScreenLevel } from "../../phones/driver.ts";

/** Time of a run: waits end early, by throwing the signal's reason, when the run has to end. */
export interface Pace {
  /** Milliseconds on a clock that only goes forward. */
  now(): number;
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** One phone in the hands of one run. Calls throw when the run has to end or lost its lease. */
export interface FlowPhone {
  readonly can: AutomationCapabilities & { readonly rotate: boolean; readonly clipboard: boolean };
  /** As turned: CSS pixels, or the device's where flows of its kind count those. */
  size(): { readonly width: number; readonly height: number };
  opened(withinMs: number): Promise<void>;
  elements(): Promise<UiTree>;
  findByCss(css: string): Promise<readonly string[]>;
  target(ref: string, withinMs: number): Promise<UiTarget | undefined>;
  still(withinMs: number): Promise<boolean>;
  screenshot(): Promise<{ readonly png: Uint8Array; readonly width: number; readonly height: number }>;
  readClipboard(): Promise<string>;
  /** From here on the phone changes. */
  input(input: PhoneInput): Promise<void>;
  openUrl(url: string): Promise<void>;
  /** Opens an app; only where `can.apps`. */
  launchApp(app: string, values: LaunchArguments): Promise<void>;
  /** Hands a link of any scheme to what opens it; only where `can.apps`. */
  openLink(link: string, browser: boolean): Promise<void>;
  /** Answers what the phone asks for in its own way (a date, say); false, and nothing changed, where it asks nothing. */
  answerPicker(text: string): Promise<boolean>;
  hideKeyboard(): Promise<void>;
  /** Of an address, or an app where `can.apps`; so are the next two. */
  closeApp(app: string, how: "stop" | "kill"): Promise<void>;
  clearState(app: string): Promise<void>;
  setPermissions(values: Readonly<Record<string, "allow" | "deny" | "unset">>, app: string | undefined): Promise<void>;
  /** A key that only some phones have, by its name in small letters; false, and nothing changed, where there is none such. */
  pressKey(name: string): Promise<boolean>;
  /** So many Backspaces. */
  erase(count: number): Promise<void>;
  setAirplaneMode(on: boolean): Promise<void>;
  writeClipboard(text: string): Promise<void>;
  /** Puts a file among the phone's own. */
  addMedia(name: string, bytes: Uint8Array): Promise<void>;
  turn(rotated: boolean): Promise<void>;
  configure(change: {
    readonly colorScheme?: "light" | "dark";
    readonly geolocation?: { readonly latitude: number; readonly longitude: number };
  }): Promise<void>;
  /** The colour scheme pages and apps are told of. */
  colorScheme(): Promise<"light" | "dark">;
  /** Whether this run turned airplane mode on. */
  airplane(): boolean;
}

/** The phone for one step at a time: `effect` is awaited before each thing that changes the phone. */
export interface PhoneHands {
  during(effect: () => Promise<void>): FlowPhone;
  /** The screen for a report, also when the run is over. */
  look(): Promise<{ readonly png: Uint8Array; readonly tree: UiTree }>;
  /** What is on the screen now, without being a step's; and what a step saw last. `over`: no step comes any more. */
  tree(over?: AbortSignal): Promise<UiTree>;
  lastTree(): UiTree | undefined;
  /** The moving picture, until the returned function is called. Throws for a phone that is gone. */
  watch(listener: (frame: ScreenFrame) => void, level: ScreenLevel): () => void;
  /** Has whoever watches get a picture of now. False where pictures come by themselves as the screen changes. */
  askPicture(): boolean;
  /** The same for a recording: as video, where the phone sends it. */
  film(listener: (frame: ScreenFrame) => void, level: ScreenLevel): () => void;
  /** Make a file of what `film` gave: of pictures, and of video. With neither this phone cannot be recorded. */
  readonly encodeVideo?: NonNullable<PhoneDriver["encodeVideo"]>;
  readonly packVideo?: NonNullable<PhoneDriver["packVideo"]>;
  /** Takes back what the run set on the phone for its own time. */
  release(): Promise<void>;
}

/** `findElements` of shared/flows: elements that fit, best first; `cssRefs` are what the phone found for its CSS. */
export type FindElements = (tree: UiTree, selector: Selector, cssRefs: ReadonlySet<string>) => readonly UiElement[];

export type Env = Readonly<Record<string, string>>;

/** In which step a script runs. */
export interface ScriptCall {
  readonly signal: AbortSignal;
  /** `seq` of the step; 0 before the first. */
  readonly step: number;
  /** Awaited before a request that may change something. */
  readonly effect: () => Promise<void>;
}

/** JavaScript of one run. Throws `StepFailure("script")` with a sentence, or the signal's reason. */
export interface Scripts {
  /** Replaces every `${…}` by its value; `\${` stands for itself. */
  expand(template: string, env: Env, call: ScriptCall): Promise<string>;
  run(script: string, env: Env, call: ScriptCall): Promise<void>;
  /** What a run that goes on after a crash needs: `output` and the like, as text. */
  snapshot(): string;
  restore(state: string): void;
  /** What `maestro.copiedText` gives. */
  copied(text: string): void;
  close(): Promise<void>;
}

/** Files of the run as they were when it was asked for, by path. All but `has` throw `StepFailure` for what is not there. */
export interface RunFiles {
  has(path: string): boolean;
  flow(path: string): Flow;
  text(path: string): string;
  bytes(path: string): Uint8Array;
}

export interface PictureUse {
  /** Shows where two pictures differ. */
  readonly difference?: true;
  /** The file of the team this picture was compared with and may become. */
  readonly baseline?: string;
}

/** Keeps a picture of the run; a second one of the same name stands beside the first. */
export type ScreenshotSink = (name: string, png: Uint8Array, step: number, use?: PictureUse) => Promise<void>;

/** The run's recording of its screen; one at a time. */
export interface Recordings {
  readonly can: boolean;
  /** Of the one that goes on. */
  readonly name: string | undefined;
  /** Begun so far. */
  readonly count: number;
  start(name: string, step: number): void;
  /** The video is stored behind the steps that follow. */
  stop(): void;
}
