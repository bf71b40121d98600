/**
 * What of a device can be set over ADB without an app of ours on it: dark mode, time zone, language, location, airplane
 * mode, permissions. What a version of Android does not know is told as `capability_missing`, before anything else is done.
 * Commands: `cmd uimode|alarm|locale|location|connectivity|package|appops`, as their `help` of AOSP's services prints them.
 */
import { appId, type PhoneSettings } from "../../../../shared/phones.ts";
import { PerchError } from "../../../errors.ts";
import type { AndroidDevice, CommandResult } from "./ports.ts";

/** `cmd uimode night` (UiModeManagerService, Android 10). */
export async function setDarkMode(device: AndroidDevice, on: boolean): Promise<void> {
  demand(await device.run(["cmd", "uimode", "night", on ? "yes" : "no"]), "change its dark mode");
}
export async function darkMode(device: AndroidDevice): Promise<boolean> {
  const said = demand(await device.run(["cmd", "uimode", "night"]), "tell its dark mode");
  return /:\s*yes\b/i.test(said);
}

/** `cmd connectivity airplane-mode` (ConnectivityService, Android 11). */
export async function setAirplaneMode(device: AndroidDevice, on: boolean): Promise<void> {
  const said = await device.run(["cmd", "connectivity", "airplane-mode", on ? "enable" : "disable"]);
  demand(said, "go into airplane mode");
}
export async function airplaneMode(device: AndroidDevice): Promise<boolean> {
  return (await device.text(["settings", "get", "global", "airplane_mode_on"])).trim() === "1";
}

/** `cmd alarm set-timezone` (AlarmManagerService, Android 10); `setprop persist.sys.timezone` is not allowed to the shell. */
export async function setTimeZone(device: AndroidDevice, timeZone: string): Promise<void> {
  demand(await device.run(["cmd", "alarm", "set-timezone", timeZone]), "change its time zone");
}
export async function timeZone(device: AndroidDevice): Promise<string> {
  return (await device.text(["getprop", "persist.sys.timezone"])).trim();
}

/** `settings put system system_locales` (Settings.System.SYSTEM_LOCALES, Android 7): read when Android starts, not before. */
export async function setLocale(device: AndroidDevice, locale: string): Promise<void> {
  demand(await device.run(["settings", "put", "system", "system_locales", locale]), "change its language");
}
export async function locale(device: AndroidDevice): Promise<string | undefined> {
  const said = (await device.text(["settings", "get", "system", "system_locales"])).trim();
  return said === "" || said === "null" ? undefined : said;
}

export interface Place {
  readonly latitude: number;
  readonly longitude: number;
}
const PROVIDERS = ["gps", "network", "fused"] as const;

/**
 * Test providers of `cmd location` (LocationManagerService, Android 12) take the place of the real ones; `undefined` gives
 * those back. The shell must be the mock location app for it.
 */
export async function setLocation(device: AndroidDevice, place: Place | undefined): Promise<void> {
  const provider = (...rest: readonly string[]) => device.run(["cmd", "location", "providers", ...rest]);
  if (place === undefined) {
    await Promise.all(PROVIDERS.map((name) => provider("remove-test-provider", name)));
    await device.run(["appops", "set", "com.android.shell", "android:mock_location", "default"]);
    return;
  }
  const { latitude, longitude } = place;
  if (!(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)) {
    throw new PerchError("bad_input", "A latitude is between -90 and 90, a longitude between -180 and 180.");
  }
  await device.run(["appops", "set", "com.android.shell", "android:mock_location", "allow"]);
  await device.run(["cmd", "location", "set-location-enabled", "true"]);
  const at = `${latitude.toFixed(6)},${longitude.toFixed(6)}`;
  for (const name of PROVIDERS) {
    // Refused where it is there already, as by an earlier call.
    await provider("add-test-provider", name, "--supportsAltitude", "--powerRequirement", "1");
    demand(await provider("set-test-provider-enabled", name, "true"), "set its location");
    demand(await provider("set-test-provider-location", name, "--location", at, "--accuracy", "5"), "set its location");
  }
}

/** Names flows use (Maestro), and the permissions of Android behind each. */
const PERMISSIONS: Readonly<Record<string, readonly string[]>> = {
  location: ["ACCESS_FINE_LOCATION", "ACCESS_COARSE_LOCATION"],
  camera: ["CAMERA"],
  contacts: ["READ_CONTACTS", "WRITE_CONTACTS", "GET_ACCOUNTS"],
  phone: ["CALL_PHONE", "ANSWER_PHONE_CALLS", "READ_PHONE_STATE", "READ_PHONE_NUMBERS"],
  microphone: ["RECORD_AUDIO"],
  bluetooth: ["BLUETOOTH_CONNECT", "BLUETOOTH_SCAN", "BLUETOOTH_ADVERTISE"],
  storage: ["READ_EXTERNAL_STORAGE", "WRITE_EXTERNAL_STORAGE"],
  medialibrary: ["READ_EXTERNAL_STORAGE", "READ_MEDIA_IMAGES", "READ_MEDIA_VIDEO", "READ_MEDIA_AUDIO"],
  notifications: ["POST_NOTIFICATIONS"],
  calendar: ["READ_CALENDAR", "WRITE_CALENDAR"],
  sms: ["READ_SMS", "RECEIVE_SMS", "SEND_SMS"],
};
export type PermissionAnswer = "allow" | "deny" | "unset";
const MAX_PERMISSIONS = 200;
/** Names flows use for what only other systems ask. */
const ELSEWHERE: ReadonlySet<string> = new Set([
  ...["faceid", "health", "homekit", "motion", "photos", "reminders", "siri", "speech", "usertracking", "clipboard"],
]);

/**
 * `pm grant`, `pm revoke` and, for `unset`, `pm clear-permission-flags … user-set user-fixed` after a revoke, so that the
 * app asks again. Of what the app does not ask for nothing is changed. `all` comes first, single names after it.
 * @throws PerchError `bad_input` for an app that is no package name, and for names that are no permission
 */
export async function setPermissions(
  device: AndroidDevice,
  app: string,
  values: Readonly<Record<string, PermissionAnswer>>,
): Promise<void> {
  const known = appId.safeParse(app).data;
  if (known === undefined) throw new PerchError("bad_input", "A package name looks like com.example.app.");
  const asked = await askedPermissions(device, known);
  const order = Object.entries(values).sort(([one], [other]) => Number(other === "all") - Number(one === "all"));
  const answers = new Map<string, PermissionAnswer>();
  for (const [name, answer] of order) {
    for (const permission of name === "all" ? asked.keys() : permissionsOf(name)) {
      if (asked.has(permission)) answers.set(permission, answer);
    }
  }
  for (const [permission, answer] of answers) {
    if (answer === "allow" && asked.get(permission) === true) continue;
    // Normal permissions are never changed by the shell, and `pm` says so; they are given anyway.
    await device.run(["pm", answer === "allow" ? "grant" : "revoke", known, permission]);
    if (answer !== "unset") continue;
    await device.run(["pm", "clear-permission-flags", known, permission, "user-set", "user-fixed"]);
  }
}

function permissionsOf(name: string): readonly string[] {
  const found = Object.hasOwn(PERMISSIONS, name) ? PERMISSIONS[name] : undefined;
  if (found !== undefined) return found.map((permission) => `android.permission.${permission}`);
  if (ELSEWHERE.has(name.toLowerCase())) return [];
  if (/^[A-Za-z][\w]*(\.\w+)+$/.test(name) && name.length <= 200) return [name];
  const names = Object.keys(PERMISSIONS).join(", ");
  throw new PerchError("bad_input", `“${name.slice(0, 60)}” is no permission. Use one of: all, ${names}.`);
}

/**
 * What the manifest asks for and whether it is granted, from `dumpsys package`: "requested permissions:", and those with a
 * state of their own. What is given with the installation is not among them where Android says which those are.
 */
async function askedPermissions(device: AndroidDevice, app: string): Promise<ReadonlyMap<string, boolean>> {
  const dump = await device.text(["dumpsys", "package", app]);
  const requested = [...sectionOf(dump, "requested permissions").matchAll(/^[ \t]+([\w.]+)/gm)];
  const installed = new Set(
    [...sectionOf(dump, "install permissions").matchAll(/^[ \t]+([\w.]+)/gm)].map(([, name]) => name),
  );
  const decided = [...dump.matchAll(/^[ \t]+([\w.]+): granted=(true)?/gm)];
  const states = new Map(decided.map(([, name, yes]) => [name, yes === "true"]));
  const names = [...requested, ...decided].flatMap(([, name]) => (name?.includes(".") === true ? [name] : []));
  const asked = [...new Set(names)].filter((name) => !installed.has(name)).slice(0, MAX_PERMISSIONS);
  return new Map(asked.map((name) => [name, states.get(name) ?? false]));
}

function sectionOf(dump: string, title: string): string {
  return new RegExp(`${title}:\\n((?:[ \\t]+[\\w.]+(?::.*)?\\n)*)`).exec(dump)?.[1] ?? "";
}

/** What a phone's owner chose, as far as this Android takes it; the rest stays as it is. */
export async function configureDevice(device: AndroidDevice, settings: PhoneSettings): Promise<void> {
  const { colorScheme, timeZone: zone, locale: language, geolocation } = settings;
  if (colorScheme !== undefined) await tolerant(() => setDarkMode(device, colorScheme === "dark"));
  if (zone !== undefined) await tolerant(() => setTimeZone(device, zone));
  if (language !== undefined) await tolerant(() => setLocale(device, language));
  await tolerant(() => setLocation(device, geolocation));
}

async function tolerant(work: () => Promise<void>): Promise<void> {
  await work().catch((error: unknown) => {
    if (!(error instanceof PerchError) || error.code !== "capability_missing") throw error;
  });
}

/** Output of a command that worked. `cmd` ends with 0 for some errors and says them instead. */
function demand({ exitCode, stdout, stderr }: CommandResult, what: string): string {
  const said = Buffer.from(stdout).toString("utf8");
  const failed =
    exitCode !== 0 || /^(unknown command|error|exception|invalid|can't find service)\b/im.test(said + stderr);
  if (failed) throw new PerchError("capability_missing", `This phone cannot ${what}.`);
  return said;
}
