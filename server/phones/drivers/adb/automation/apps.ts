/**
 * Apps of one Android: opening, stopping, links, keys. Programs get argument vectors, and what stands in them was checked
 * before: a package name begins with a letter, so it can be no option; every other value follows an option that takes one.
 * Commands: AOSP `ActivityManagerShellCommand` (`am`), `PackageManagerShellCommand` (`pm`, `cmd package`), `Input`.
 */

import { parseAppLink } from "../../../../../shared/phone-model.ts";
import { appId as appIdSchema } from "../../../../../shared/phones.ts";
import { PerchError } from "../../../../errors.ts";
import type { LaunchArguments } from "../../../automation-port.ts";
import type { AndroidDevice, CommandResult } from "../ports.ts";

const LAUNCHER = ["-a", "android.intent.action.MAIN", "-c", "android.intent.category.LAUNCHER"] as const;
const HOME = ["-a", "android.intent.action.MAIN", "-c", "android.intent.category.HOME"] as const;
const VIEW = ["-a", "android.intent.action.VIEW", "-c", "android.intent.category.BROWSABLE"] as const;
const START_MS = 20_000;
const CLEAR_MS = 30_000;
const MOST_ARGUMENTS = 100;
const [LEAST_INT, MOST_INT] = [-(2 ** 31), 2 ** 31 - 1];
const BROWSERS = ["com.android.chrome", "org.mozilla.firefox"] as const;

/** @throws PerchError `bad_input` */
export function packageName(text: string): string {
  const known = appIdSchema.safeParse(text).data;
  if (known !== undefined) return known;
  throw new PerchError("bad_input", `“${text.slice(0, 80)}” is no app: a package name looks like com.example.app.`);
}

/** Opens an app as its icon does. @throws PerchError `bad_input` for one that is not installed or has no screen */
export async function launch(device: AndroidDevice, app: string, values: LaunchArguments = {}): Promise<void> {
  const name = packageName(app);
  const extras = extrasOf(values);
  const component = await resolved(device, [...LAUNCHER, name]);
  if (component?.startsWith(`${name}/`) !== true) {
    throw new PerchError(
      "bad_input",
      (await isInstalled(device, name))
        ? `${name} has nothing to open: no screen of it is on the phone's list of apps.`
        : `${name} is not installed on this phone. Install it first.`,
    );
  }
  const said = await device.run(["am", "start", ...LAUNCHER, "-f", "0x10200000", "-n", component, ...extras], {
    timeoutMs: START_MS,
  });
  started(said, `${name} could not be opened.`);
}

/** `--es` for texts, `--ez` for yes and no, `--ei` or `--el` for whole numbers, `--ef` for others. */
function extrasOf(values: LaunchArguments): readonly string[] {
  const entries = Object.entries(values);
  if (entries.length > MOST_ARGUMENTS) {
    throw new PerchError("bad_input", `An app is opened with at most ${MOST_ARGUMENTS} arguments.`);
  }
  return entries.flatMap(([key, value]) => {
    if (typeof value === "boolean") return ["--ez", key, String(value)];
    if (typeof value === "string") return ["--es", key, value];
    if (!Number.isInteger(value)) return ["--ef", key, String(value)];
    return [value >= LEAST_INT && value <= MOST_INT ? "--ei" : "--el", key, String(value)];
  });
}

/** Force-stops. */
export async function stop(device: AndroidDevice, app: string): Promise<void> {
  await device.run(["am", "force-stop", packageName(app)]);
}

/** Ends its processes as Android itself does when it needs memory: only those in the background. */
export async function kill(device: AndroidDevice, app: string): Promise<void> {
  await device.run(["am", "kill", packageName(app)]);
}

/** Everything it stored, and its permissions. An app that is not there stored nothing. */
export async function clear(device: AndroidDevice, app: string): Promise<void> {
  const name = packageName(app);
  if (!(await isInstalled(device, name))) return;
  const said = await device.run(["pm", "clear", name], { timeoutMs: CLEAR_MS });
  if (said.exitCode === 0 && /^Success/m.test(outputOf(said))) return;
  throw new PerchError("bad_input", `Android did not clear what ${name} stored. System apps may refuse it.`);
}

export async function isInstalled(device: AndroidDevice, app: string): Promise<boolean> {
  const said = await device.run(["pm", "path", packageName(app)]);
  return /^package:/m.test(outputOf(said));
}

/**
 * Hands a link to the app Android has for it, or to a browser. Gives the package it went to; undefined where Android does
 * not say. @throws PerchError `address_not_allowed`, `bad_input`
 */
export async function openLink(device: AndroidDevice, link: string, browser: boolean): Promise<string | undefined> {
  const parsed = parseAppLink(link);
  if ("problem" in parsed) throw new PerchError("address_not_allowed", parsed.problem);
  const to = browser ? await browserOf(device) : undefined;
  const intent = [...VIEW, ...(to === undefined ? [] : ["-p", to]), "-d", parsed.link];
  const [said, opener] = await Promise.all([
    device.run(["am", "start", "-f", "0x10000000", ...intent], { timeoutMs: START_MS }),
    to ?? resolved(device, intent).catch(() => undefined),
  ]);
  started(said, "No app on this phone opens this link. Install the app that does.");
  return opener?.split("/")[0];
}

async function browserOf(device: AndroidDevice): Promise<string | undefined> {
  for (const name of BROWSERS) if (await isInstalled(device, name)) return name;
  return undefined;
}

/** `am` ends with 0 for most of what went wrong, and says so. */
function started(said: CommandResult, words: string): void {
  const text = outputOf(said);
  if (said.exitCode === 0 && !/^(Error|Exception|Security exception|java\.lang\.)/im.test(text)) return;
  throw new PerchError("bad_input", words);
}

/** The home screen's package. */
export async function homeApp(device: AndroidDevice): Promise<string | undefined> {
  return (await resolved(device, HOME))?.split("/")[0];
}

/** `package/activity`. */
async function resolved(device: AndroidDevice, intent: readonly string[]): Promise<string | undefined> {
  const said = await device.run(["cmd", "package", "resolve-activity", "--brief", ...intent]);
  return outputOf(said)
    .split("\n")
    .map((line) => line.trim())
    .findLast((line) => /^[\w.]+\/[\w.$]+$/.test(line));
}

function outputOf({ stdout, stderr }: CommandResult): string {
  return `${Buffer.from(stdout).toString("utf8").slice(0, 100_000)}\n${stderr}`;
}

/** Keys flows know and a screen's keyboard has not, by their names in small letters; the codes are `KeyEvent`'s. */
const KEYS: Readonly<Record<string, number>> = {
  "volume up": 24,
  "volume down": 25,
  power: 26,
  menu: 82,
  lock: 276,
  "remote dpad center": 23,
  "remote media play pause": 85,
  "remote media stop": 86,
  "remote media next": 87,
  "remote media previous": 88,
  "remote media rewind": 89,
  "remote media fast forward": 90,
  "remote system navigation up": 280,
  "remote system navigation down": 281,
  "remote button a": 96,
  "remote button b": 97,
  "remote menu": 82,
  "tv input": 178,
  "tv input hdmi 1": 243,
  "tv input hdmi 2": 244,
  "tv input hdmi 3": 245,
};

/** False: there is no such key. */
export async function pressKey(device: AndroidDevice, name: string): Promise<boolean> {
  const code = Object.hasOwn(KEYS, name) ? KEYS[name] : undefined;
  if (code === undefined) return false;
  await input(device, [String(code)]);
  return true;
}

const [BACK, DEL] = ["4", "67"] as const;
const BATCH = 100;

/** Backspaces, many a call. */
export async function erase(device: AndroidDevice, count: number): Promise<void> {
  for (let left = count; left > 0; left -= BATCH) {
    await input(
      device,
      Array.from({ length: Math.min(left, BATCH) }, () => DEL),
    );
  }
}

async function input(device: AndroidDevice, codes: readonly string[]): Promise<void> {
  const { exitCode } = await device.run(["input", "keyevent", ...codes], { timeoutMs: START_MS });
  if (exitCode !== 0) throw new PerchError("capability_missing", "This phone did not take the key.");
}

/** InputMethodManagerService's dump; Back with no keyboard there would leave the screen. */
export async function hideKeyboard(device: AndroidDevice): Promise<void> {
  const said = await device.run(["dumpsys", "input_method"], { maxBytes: 4 * 1024 * 1024 });
  if (/\bmInputShown=true\b/.test(Buffer.from(said.stdout).toString("utf8"))) await input(device, [BACK]);
}
