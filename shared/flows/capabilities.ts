/** What a phone can do of the language, and what a flow asks of it: reported before any effect. */
import type { Command, Condition, Diagnostic, Flow, Selector, Step } from "./model.ts";

export interface AutomationCapabilities {
  /** Apps are packages, and links of their schemes open; else an app is an address. */
  readonly apps: boolean;
  readonly css: boolean;
  readonly clearState: boolean;
  readonly permissions: boolean;
  readonly location: boolean;
  readonly darkMode: boolean;
  readonly airplaneMode: boolean;
  readonly addMedia: boolean;
  readonly recording: boolean;
}
type Need = Exclude<keyof AutomationCapabilities, "apps">;

const WORDS: Readonly<Record<Need, string>> = {
  css: "find elements by `css`",
  clearState: "clear an app's state",
  permissions: "set permissions",
  location: "set its location",
  darkMode: "change or tell its dark mode",
  airplaneMode: "go into airplane mode",
  addMedia: "take media files",
  recording: "be recorded: this server makes no videos of it",
};

/**
 * One diagnostic for each step the phone cannot do: an error, or a warning where the step is optional. Steps of other
 * files are not looked into.
 */
export function validateFor(flow: Flow, can: AutomationCapabilities): readonly Diagnostic[] {
  const { onFlowStart, onFlowComplete, onFlowFailure } = flow.header;
  return [...onFlowStart, ...flow.steps, ...onFlowComplete, ...onFlowFailure]
    .flatMap((step) => validateStep(step, can))
    .sort((a, b) => a.line - b.line || a.column - b.column);
}

function validateStep(step: Step, can: AutomationCapabilities): readonly Diagnostic[] {
  const { command } = step;
  const missing = [...needs(command)].filter((need) => !can[need]).map((need) => `This phone cannot ${WORDS[need]}.`);
  const sentences =
    command.name === "unsupported"
      ? [`No phone can do \`${command.command}\`: it needs Maestro's own cloud.`]
      : missing;
  const own = sentences.map(
    (message): Diagnostic => ({
      ...step.place,
      severity: step.optional ? "warning" : "error",
      message: `${message} Remove the step, or run it elsewhere.`,
    }),
  );
  return [...own, ...innerSteps(command).flatMap((inner) => validateStep(inner, can))];
}

/** The steps that stand in a command itself. */
export function innerSteps(command: Command): readonly Step[] {
  if (command.name === "repeat") return command.commands;
  if (command.name !== "runFlow" && command.name !== "retry") return [];
  return "commands" in command.steps ? command.steps.commands : [];
}

function needs(command: Command): ReadonlySet<Need> {
  const found = new Set<Need>();
  if (selectorsOf(command).some(usesCss)) found.add("css");
  switch (command.name) {
    case "launchApp":
      if (command.clearState === true) found.add("clearState");
      if (Object.keys(command.permissions ?? {}).length > 0) found.add("permissions");
      break;
    case "clearState":
      found.add("clearState");
      break;
    case "setPermissions":
      found.add("permissions");
      break;
    case "setLocation":
    case "travel":
      found.add("location");
      break;
    case "setDarkMode":
    case "toggleDarkMode":
    case "assertDarkMode":
    case "assertLightMode":
      found.add("darkMode");
      break;
    case "setAirplaneMode":
    case "toggleAirplaneMode":
      found.add("airplaneMode");
      break;
    case "addMedia":
      found.add("addMedia");
      break;
    case "startRecording":
      found.add("recording");
      break;
  }
  return found;
}

/** Every selector a command names itself, those of its conditions included. */
export function selectorsOf(command: Command): readonly Selector[] {
  const of = (condition: Condition | undefined) => [condition?.visible, condition?.notVisible];
  const all = (): readonly (Selector | undefined)[] => {
    switch (command.name) {
      case "tapOn":
      case "doubleTapOn":
      case "longPressOn":
      case "copyTextFrom":
      case "assertVisible":
      case "assertNotVisible":
        return [command.selector];
      case "scrollUntilVisible":
        return [command.element];
      case "swipe":
        return [command.from];
      case "takeScreenshot":
      case "assertScreenshot":
        return [command.cropOn];
      case "extendedWaitUntil":
        return of(command.condition);
      case "runFlow":
      case "runScript":
        return of(command.when);
      case "repeat":
        return of(command.while);
      default:
        return [];
    }
  };
  return all().filter((selector) => selector !== undefined);
}

function usesCss(selector: Selector): boolean {
  if (selector.css !== undefined) return true;
  const { below, above, leftOf, rightOf, containsChild, containsDescendants = [], childOf } = selector;
  return [below, above, leftOf, rightOf, containsChild, childOf, ...containsDescendants].some(
    (inner) => inner !== undefined && usesCss(inner),
  );
}
