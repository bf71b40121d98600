/**
 * A flow as read from its YAML: Maestro's flow language (https://docs.maestro.dev), two documents, a header and a list
 * of commands. Plain data that travels to the runner, the editor and reports. Times are milliseconds.
 */

import type { Fingerprint } from "./fingerprint.ts";

/** Where something stands in the source; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Diagnostic extends Place {
  readonly severity: "error" | "warning" | "info";
  /** What is wrong and what to write instead. */
  readonly message: string;
}

/** Text that may hold `${…}` expressions, evaluated right before it is used; `\${` stands for itself. */
export type Template = string;

/** Which element is meant (research/automation.md §1.4). All given parts must hold. */
export interface Selector {
  readonly text?: Template;
  readonly id?: Template;
  /** Which of several, sorted by top then left; negative counts from the end. */
  readonly index?: Template;
  /** "50%,50%" or "100,200": alone a place on the screen, beside other parts one in the element. */
  readonly point?: Template;
  readonly enabled?: boolean;
  readonly selected?: boolean;
  readonly checked?: boolean;
  readonly focused?: boolean;
  readonly width?: number;
  readonly height?: number;
  readonly tolerance?: number;
  readonly traits?: readonly ("text" | "square" | "long-text")[];
  readonly css?: Template;
  readonly below?: Selector;
  readonly above?: Selector;
  readonly leftOf?: Selector;
  readonly rightOf?: Selector;
  readonly containsChild?: Selector;
  readonly containsDescendants?: readonly Selector[];
  readonly childOf?: Selector;
}

export type Direction = "UP" | "DOWN" | "LEFT" | "RIGHT";
export type PermissionValue = "allow" | "deny" | "unset";

/** iOS has finer answers; a phone of ours gives or refuses. `undefined`: no such answer. */
export function permissionValue(text: string): PermissionValue | undefined {
  switch (text.toLowerCase()) {
    case "allow":
    case "always":
    case "inuse":
    case "limited":
      return "allow";
    case "deny":
    case "never":
      return "deny";
    case "unset":
      return "unset";
    default:
      return undefined;
  }
}
export type Platform = "android" | "ios" | "web";

export interface TapOptions {
  readonly repeat?: Template;
  /** Between repetitions. */
  readonly delayMs?: number;
  readonly retryTapIfNoChange?: boolean;
  readonly waitUntilVisible?: boolean;
  readonly waitToSettleTimeoutMs?: number;
}

export interface Condition {
  readonly visible?: Selector;
  readonly notVisible?: Selector;
  /** Truthy unless blank, "false", "undefined", "null" or 0. */
  readonly true?: Template;
  readonly platform?: Platform;
}

/** Steps in a file of the workspace, or in place. */
export type Steps = { readonly file: Template } | { readonly commands: readonly Step[] };

/** Every command of Maestro that Perch reads; `unsupported` ones are valid Maestro that no phone of ours can do. */
export type Command =
  | {
      readonly name: "launchApp";
      readonly appId?: Template;
      readonly clearState?: boolean;
      /** Absent: true. */
      readonly stopApp?: boolean;
      /** After evaluation, `permissionValue` reads the answers. */
      readonly permissions?: Readonly<Record<string, Template>>;
      readonly arguments?: Readonly<Record<string, Template | number | boolean>>;
    }
  | { readonly name: "stopApp" | "killApp" | "clearState"; readonly appId?: Template }
  | { readonly name: "openLink"; readonly link: Template; readonly browser?: boolean }
  | ({ readonly name: "tapOn" | "doubleTapOn" | "longPressOn"; readonly selector: Selector } & TapOptions)
  | { readonly name: "inputText"; readonly text: Template }
  /** Absent: 50 characters. */
  | { readonly name: "eraseText"; readonly characters?: Template }
  | { readonly name: "pasteText" | "back" | "hideKeyboard" | "scroll" | "clearKeychain" }
  | { readonly name: "copyTextFrom"; readonly selector: Selector }
  | { readonly name: "pressKey"; readonly key: Template }
  | {
      readonly name: "swipe";
      readonly direction?: Direction;
      readonly start?: Template;
      readonly end?: Template;
      readonly from?: Selector;
      readonly durationMs: number;
      readonly waitToSettleTimeoutMs?: number;
    }
  | {
      readonly name: "scrollUntilVisible";
      readonly element: Selector;
      readonly direction: Direction;
      readonly timeoutMs: Template;
      /** 0–100. */
      readonly speed: Template;
      readonly visibilityPercentage: number;
      readonly centerElement: boolean;
      readonly waitToSettleTimeoutMs?: number;
    }
  | { readonly name: "assertVisible" | "assertNotVisible"; readonly selector: Selector }
  | { readonly name: "assertTrue"; readonly condition: Template }
  /** Without a time it waits as long as any look-up. */
  | { readonly name: "extendedWaitUntil"; readonly condition: Condition; readonly timeoutMs?: Template }
  | { readonly name: "waitForAnimationToEnd"; readonly timeoutMs: Template }
  | { readonly name: "takeScreenshot"; readonly path: Template; readonly cropOn?: Selector }
  | {
      readonly name: "assertScreenshot";
      readonly path: Template;
      readonly thresholdPercentage: Template;
      readonly cropOn?: Selector;
    }
  | { readonly name: "startRecording"; readonly path: Template }
  | { readonly name: "stopRecording" }
  | {
      readonly name: "runFlow";
      readonly steps: Steps;
      readonly when?: Condition;
      readonly env: Readonly<Record<string, Template>>;
    }
  | {
      readonly name: "repeat";
      readonly times?: Template;
      readonly while?: Condition;
      readonly commands: readonly Step[];
    }
  | {
      readonly name: "retry";
      readonly maxRetries: Template;
      readonly steps: Steps;
      readonly env: Readonly<Record<string, Template>>;
    }
  | { readonly name: "evalScript"; readonly script: string }
  | {
      readonly name: "runScript";
      readonly file: Template;
      readonly env: Readonly<Record<string, Template>>;
      readonly when?: Condition;
    }
  | { readonly name: "setLocation"; readonly latitude: Template; readonly longitude: Template }
  | {
      readonly name: "travel";
      readonly points: readonly Template[];
      /** Metres per second. */
      readonly speed?: number;
    }
  | { readonly name: "setOrientation"; readonly orientation: Template }
  | {
      readonly name: "setPermissions";
      readonly appId?: Template;
      readonly permissions: Readonly<Record<string, Template>>;
    }
  | { readonly name: "setClipboard"; readonly text: Template }
  | {
      readonly name:
        | "inputRandomText"
        | "inputRandomNumber"
        | "inputRandomEmail"
        | "inputRandomPersonName"
        | "inputRandomCityName"
        | "inputRandomCountryName"
        | "inputRandomColorName";
      readonly length?: number;
    }
  | { readonly name: "setDarkMode"; readonly value: Template }
  | { readonly name: "toggleDarkMode" | "assertDarkMode" | "assertLightMode" | "toggleAirplaneMode" }
  | { readonly name: "setAirplaneMode"; readonly value: Template }
  | { readonly name: "addMedia"; readonly files: readonly Template[] }
  | { readonly name: "unsupported"; readonly command: string };

export type CommandName = Command["name"];

export interface Step {
  readonly command: Command;
  readonly place: Place;
  /** What stands in for the command in reports. */
  readonly label?: Template;
  /** A failure is a warning and the flow goes on. */
  readonly optional: boolean;
  /** Where in the flow, e.g. "4.commands.1", counting from 0; the key of `x-targets`. */
  readonly path: string;
}

/** An input a flow asks for before it runs. */
export interface FlowInput {
  readonly name: string;
  readonly description?: string;
  readonly required: boolean;
  readonly default?: string;
}

/** Limits of one run; each only tightens or loosens within what the server allows. */
export interface FlowLimits {
  readonly timeoutMs?: number;
  readonly lookupMs?: number;
  readonly optionalMs?: number;
  readonly maxSteps?: number;
  readonly healing?: "off" | "suggest" | "auto";
  readonly onCrash?: "fail" | "restart" | "resume";
  readonly cleanupOnCancelMs?: number;
}

/** A recorded step's other ways to find its target, best first (research/automation.md §3). */
export interface StepTargets {
  /** `<step path>#<hash of the step>`: an edited step no longer has them. */
  readonly key: string;
  readonly selectors: readonly Selector[];
  /** What the target was like when it was recorded; the list's last item, `fingerprint:`. */
  readonly fingerprint?: Fingerprint;
}

export interface FlowHeader {
  /** An app's id, or for web phones the address to start from. One of the two is there. */
  readonly appId?: Template;
  readonly url?: Template;
  readonly name?: string;
  readonly tags: readonly string[];
  readonly env: Readonly<Record<string, Template>>;
  readonly onFlowStart: readonly Step[];
  readonly onFlowComplete: readonly Step[];
  /** Ours; Maestro ignores it. */
  readonly onFlowFailure: readonly Step[];
  /** Go into the JUnit report as they are. */
  readonly properties: Readonly<Record<string, string>>;
  /** Ours, as the rest below: Maestro ignores keys it does not know. */
  readonly inputs: readonly FlowInput[];
  readonly secrets: readonly string[];
  readonly limits: FlowLimits;
  readonly targets: readonly StepTargets[];
}

export interface Flow {
  readonly header: FlowHeader;
  readonly steps: readonly Step[];
}

/** What reading a flow gives: never an exception. `flow` is absent when an error keeps it from running. */
export interface ParsedFlow {
  readonly flow?: Flow;
  readonly diagnostics: readonly Diagnostic[];
  /** Number of commands, those of nested lists and hooks included. */
  readonly commands: number;
  /** Whether the Maestro CLI would run it and do the same. */
  readonly portable: boolean;
}
