/**
 * A recording as a flow: Maestro YAML that parses without a remark and that formatting leaves as it is. What else is known
 * of a step's target stands in the header, under `x-targets`.
 */
import { Document, isMap, isSeq } from "yaml";
import { formatFlow } from "../flows/format.ts";
import type { Selector } from "../flows/model.ts";
import { parseFlow } from "../flows/parse.ts";
import { stepKey } from "../flows/targets.ts";
import { isAppId } from "../phone-model.ts";
import type { RecordedStep, Spot } from "../recording-model.ts";
import { percent } from "./candidates.ts";

/** Longest way of one swipe, in fractions of the screen. */
const LONGEST_SWIPE = 0.6;
/** So slow that the page follows the finger and is not flung. */
const SCROLL_MS = 800;
/** A touch on what still glides only stops it, so the next step waits until the picture is at rest. */
const SETTLE = { waitToSettleTimeoutMs: 2_000 };
/** What the language takes for granted. */
const SWIPE_MS = 400;
/** Of one flow; the parser allows 2,000. */
const MOST_COMMANDS = 1_900;

export interface WrittenRecording {
  readonly name?: string;
  /** Where it began: an address, or an app's package; undefined on the phone's home screen. */
  readonly startUrl: string | undefined;
  readonly steps: readonly Pick<RecordedStep, "action" | "candidates" | "chosen" | "fingerprint" | "waitMs">[];
}

type Command = string | { readonly [name: string]: unknown };

export function writeFlow({ name, startUrl, steps }: WrittenRecording): string {
  const commands: Command[] = [beginning(startUrl, steps)];
  const owners = new Map<number, (typeof steps)[number]>();
  for (const step of steps) {
    const made = commandsOf(step);
    if (commands.length + made.length > MOST_COMMANDS) break;
    for (const command of made) {
      commands.push(command);
      // The wait before a step looks for the same thing.
      if (hasTarget(step)) owners.set(commands.length - 1, step);
    }
  }
  const secrets = [...new Set(steps.flatMap(({ action }) => (action.kind === "inputSecret" ? [action.secret] : [])))];
  const header = {
    ...(startUrl !== undefined && isAppId(startUrl)
      ? { appId: startUrl }
      : { url: escapeTemplate(startUrl ?? "about:blank") }),
    ...(name !== undefined && { name }),
    ...(secrets.length > 0 && { secrets }),
  };
  const parsed = parseFlow(text(header, commands)).flow;
  const targets = (parsed?.steps ?? []).flatMap((step, index) => {
    const owner = owners.get(index);
    const others = owner === undefined ? [] : otherTargets(owner);
    return others.length === 0 ? [] : [[stepKey(step), others] as const];
  });
  const whole = targets.length === 0 ? header : { ...header, "x-targets": Object.fromEntries(targets) };
  return formatFlow(text(whole, commands));
}

/** Launching an app allows it everything. Where a person answered Android's question, it has to be asked again. */
function beginning(start: string | undefined, steps: WrittenRecording["steps"]): Command {
  if (start === undefined) return { pressKey: "Home" };
  const asked = steps.some(({ candidates }) =>
    candidates.some(({ selector }) => /^permission_(?:allow|deny)_/.test(selector.id ?? "")),
  );
  return asked && isAppId(start) ? { launchApp: { permissions: { all: "unset" } } } : "launchApp";
}

function text(header: object, commands: readonly Command[]): string {
  const write = (value: unknown) => {
    const document = new Document(value, { aliasDuplicateObjects: false });
    const targets = document.get("x-targets");
    // One line for each step: people read past them.
    if (isMap(targets)) for (const { value: list } of targets.items) if (isSeq(list)) list.flow = true;
    return document.toString({ indent: 2, lineWidth: 0, flowCollectionPadding: false });
  };
  return `${write(header)}---\n${write(commands)}`;
}

function hasTarget({ action, candidates }: WrittenRecording["steps"][number]): boolean {
  if (candidates.length === 0) return false;
  if (action.kind === "swipe") return action.direction !== undefined;
  return ["tap", "doubleTap", "longPress", "assertVisible"].includes(action.kind);
}

function otherTargets({ candidates, chosen, fingerprint }: WrittenRecording["steps"][number]): readonly unknown[] {
  const used = candidates[chosen]?.selector;
  const others = candidates.flatMap(({ selector }) => (selector === used ? [] : [written(selector)]));
  if (fingerprint === undefined) return others;
  const { bounds, ...rest } = fingerprint;
  const place = bounds && [bounds.x, bounds.y, bounds.width, bounds.height];
  return [...others, { fingerprint: { ...rest, ...(place && { bounds: place }) } }];
}

function commandsOf(step: WrittenRecording["steps"][number]): readonly Command[] {
  const { action, waitMs } = step;
  const selector = step.candidates[step.chosen]?.selector;
  const waitable =
    selector !== undefined && (selector.text !== undefined || selector.id !== undefined || selector.css !== undefined);
  const { point: _, ...seen } = selector ?? {};
  const wait: Command[] =
    waitMs === undefined || !waitable ? [] : [{ extendedWaitUntil: { visible: written(seen), timeout: waitMs } }];
  switch (action.kind) {
    case "tap":
    case "doubleTap":
    case "longPress": {
      if (selector === undefined) return [];
      const command = { tap: "tapOn", doubleTap: "doubleTapOn", longPress: "longPressOn" }[action.kind];
      return [...wait, { [command]: written(selector) }];
    }
    case "assertVisible":
      return selector === undefined || !waitable ? [] : [...wait, { assertVisible: written(seen) }];
    case "swipe": {
      const duration = action.durationMs === SWIPE_MS ? {} : { duration: action.durationMs };
      if (action.direction !== undefined && waitable)
        return [...wait, { swipe: { from: written(selector), direction: action.direction, ...duration, ...SETTLE } }];
      return [{ swipe: { start: percent(action.start), end: percent(action.end), ...duration, ...SETTLE } }];
    }
    case "scroll":
      return scrollSwipes(action.at, action.dx, action.dy);
    case "inputText":
      return [{ inputText: escapeTemplate(action.text) }];
    case "inputSecret":
      return [{ inputText: `\${${action.secret}}` }];
    case "eraseText":
      return action.characters === undefined ? ["eraseText"] : [{ eraseText: action.characters }];
    case "pressKey":
      return [{ pressKey: action.key }];
    case "back":
      return ["back"];
    case "openLink":
      return [{ openLink: escapeTemplate(action.link) }];
    case "setOrientation":
      return [{ setOrientation: action.orientation }];
  }
}

/** What a wheel did, as a finger does it: against the wheel, in ways that fit on the screen. */
function scrollSwipes(at: Spot, dx: number, dy: number): readonly Command[] {
  const along = Math.abs(dy) >= Math.abs(dx);
  const whole = along ? dy : dx;
  const count = Math.max(1, Math.ceil(Math.abs(whole) / LONGEST_SWIPE));
  const half = whole / count / 2;
  const across = Math.min(Math.max(along ? at.x : at.y, 0.1), 0.9);
  const spot = (value: number) => percent(along ? { x: across, y: value } : { x: value, y: across });
  const swipe = { swipe: { start: spot(0.5 + half), end: spot(0.5 - half), duration: SCROLL_MS, ...SETTLE } };
  return Array.from({ length: count }, () => swipe);
}

/** A text alone in its short form; recorded texts hold no expressions. */
function written(selector: Selector): unknown {
  const { text, ...rest } = selector;
  if (text !== undefined && Object.keys(rest).length === 0) return escapeTemplate(text);
  return mapOf(selector);
}

function mapOf(selector: Selector): unknown {
  return Object.fromEntries(
    Object.entries(selector).map(([key, value]) => {
      if (key === "index" && typeof value === "string") return [key, Number(value)];
      if (typeof value === "string") return [key, escapeTemplate(value)];
      return [key, typeof value === "object" && value !== null && !Array.isArray(value) ? written(value) : value];
    }),
  );
}

/** `\${` stands for itself. */
export function escapeTemplate(value: string): string {
  return value.replaceAll("${", "\\${");
}
