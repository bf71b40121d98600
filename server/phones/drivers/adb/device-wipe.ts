/**
 * What is done to a registered device when the phone it was is removed. It is no factory reset, which ADB cannot ask for
 * without taking away the connection that proves it. Apps that were added go, what other apps stored is cleared, and
 * everything in shared storage is deleted and looked for again. Accounts signed in to in Android's own settings, saved Wi-Fi
 * networks and the like stay: docs/android.md tells operators so.
 */
import { z } from "zod";
import type { PhoneId } from "../../../../shared/ids.ts";
import { appId } from "../../../../shared/phones.ts";
import { PerchError } from "../../../errors.ts";
import { addedApps, listApps, uninstallApp } from "./android-apps.ts";
import { clear } from "./automation/apps.ts";
import { darkMode, locale, setDarkMode, setLocale, setLocation, setTimeZone, timeZone } from "./device-settings.ts";
import type { AndroidDevice } from "./ports.ts";
import { listFolder, type SyncEntry } from "./sync.ts";

const STORAGE = "/sdcard/";
/** In the shell's own folder, where apps cannot write. */
const NOTE = "/data/local/tmp/perch-phone.json";
const MAX_NOTE = 256 * 1024;
const MAX_DEPTH = 40;
const MAX_FILES = 200_000;
/** Apps of Android that keep what a person did: people, messages, calls, dates, words typed, downloads, pictures. */
const KEEPERS = [
  ...["contacts", "telephony", "calendar", "userdictionary", "downloads", "downloads.ui", "media.module", "media"],
].map((name) => `com.android.providers.${name}`);
const BROWSERS = ["com.android.chrome", "org.mozilla.firefox", "com.android.browser", "org.chromium.webview_shell"];
/** Cleared, it would close the connection: whether USB debugging is on is kept there. */
const UNTOUCHED: ReadonlySet<string> = new Set(["com.android.settings"]);
/** Made anew by Android itself, and empty of what a person did. */
const OWN_FILES = /(^|\/)(\.nomedia|\.database_uuid)$/;

const note = z.object({
  phone: z.string(),
  apps: z.array(appId).max(5_000),
  darkMode: z.boolean().optional(),
  timeZone: z.string().max(64).optional(),
  locale: z.string().max(100).optional(),
});
type Note = z.infer<typeof note>;

/**
 * Writes down on the device what was there before the phone, once. A note of another phone is there only when that one was
 * never wiped, because its rows went another way: then it is now.
 * @throws PerchError `phone_unavailable` when an earlier phone's data does not go away
 */
export async function rememberBefore(device: AndroidDevice, id: PhoneId): Promise<void> {
  const earlier = await readNote(device);
  if (earlier?.phone === id) return;
  if (earlier !== undefined && !(await wipeDevice(device, earlier.phone)).verifiedAbsent) {
    throw new PerchError(
      "phone_unavailable",
      "What an earlier phone stored on this device could not be wiped. Choose another one.",
    );
  }
  const zone = await timeZone(device);
  const language = await locale(device);
  const before: Note = {
    phone: id,
    apps: [...(await addedApps(device))],
    ...(await darkMode(device).then(
      (on) => ({ darkMode: on }),
      () => ({}),
    )),
    ...(zone !== "" && { timeZone: zone }),
    ...(language !== undefined && { locale: language }),
  };
  await device.push(NOTE, new Blob([JSON.stringify(before)]).stream(), { mode: 0o600 });
}

async function readNote(device: AndroidDevice): Promise<Note | undefined> {
  const { exitCode, stdout } = await device.run(["cat", NOTE], { maxBytes: MAX_NOTE });
  if (exitCode !== 0) return undefined;
  try {
    return note.safeParse(JSON.parse(Buffer.from(stdout).toString("utf8"))).data;
  } catch {
    return undefined;
  }
}

export interface Wiped {
  readonly files: number;
  readonly bytes: number;
  readonly verifiedAbsent: boolean;
}

/** @throws PerchError when the device does not answer; then nothing is known to be wiped */
export async function wipeDevice(device: AndroidDevice, id: string): Promise<Wiped> {
  const kept = await readNote(device);
  // Without the note of this phone nobody knows what was there before: then all that was added goes.
  const before = kept?.phone === id ? kept : undefined;
  const stored = await storedFiles(device);
  const strangers = (await addedApps(device)).filter((app) => before?.apps.includes(app) !== true);
  await someAtOnce(strangers, async (app) => {
    await device.run(["am", "force-stop", app]);
    await tolerant(uninstallApp(device, app));
  });
  const apps = new Set([...(await listApps(device)).map(({ id: app }) => app), ...(await keepers(device))]);
  await someAtOnce(
    [...apps].filter((app) => !UNTOUCHED.has(app)),
    (app) => tolerant(clear(device, app)),
  );
  const tops = (await listFolder(device.adb, device.words, STORAGE)).map(({ name }) => `${STORAGE}${name}`);
  // What cannot be deleted is found below.
  if (tops.length > 0) await device.run(["rm", "-rf", ...tops], { timeoutMs: 300_000 });
  await device.run(["mkdir", "-p", `${STORAGE}Download`, `${STORAGE}DCIM`, `${STORAGE}Pictures`]);
  await setBack(device, before);
  const left = await storedFiles(device);
  const strangersLeft = (await addedApps(device)).filter((app) => strangers.includes(app));
  const verifiedAbsent = left.length === 0 && strangersLeft.length === 0;
  if (verifiedAbsent) await device.run(["rm", "-f", NOTE]);
  return { files: stored.length, bytes: stored.reduce((sum, { bytes }) => sum + bytes, 0), verifiedAbsent };
}

/** Of those that keep what a person did, the ones this device has. */
async function keepers(device: AndroidDevice): Promise<readonly string[]> {
  const there = new Set((await device.text(["pm", "list", "packages"])).split(/\s+/));
  return [...KEEPERS, ...BROWSERS].filter((app) => there.has(`package:${app}`));
}

const AT_ONCE = 4;
async function someAtOnce<T>(all: readonly T[], work: (one: T) => Promise<void>): Promise<void> {
  for (let at = 0; at < all.length; at += AT_ONCE) await Promise.all(all.slice(at, at + AT_ONCE).map(work));
}

async function setBack(device: AndroidDevice, before: Note | undefined): Promise<void> {
  await tolerant(setLocation(device, undefined));
  await tolerant(setDarkMode(device, before?.darkMode ?? false));
  if (before?.timeZone !== undefined) await tolerant(setTimeZone(device, before.timeZone));
  if (before?.locale !== undefined) await tolerant(setLocale(device, before.locale));
}

/** Of a thing that may not be there on this Android; a connection that broke is not one of those. */
async function tolerant(work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => {
    if (!(error instanceof PerchError) || error.code === "phone_unavailable") throw error;
  });
}

/** All files in shared storage but Android's own empty marks. */
async function storedFiles(device: AndroidDevice): Promise<readonly SyncEntry[]> {
  const found: SyncEntry[] = [];
  const visit = async (path: string, depth: number): Promise<void> => {
    for (const entry of await listFolder(device.adb, device.words, path)) {
      const inside = `${path}${entry.name}`;
      if (entry.isFolder && depth < MAX_DEPTH) await visit(`${inside}/`, depth + 1);
      else if (!entry.isFolder && !OWN_FILES.test(inside)) found.push(entry);
      else if (entry.isFolder) found.push(entry);
      if (found.length > MAX_FILES)
        throw new PerchError("unavailable", "This phone holds too many files to wipe at once.");
    }
  };
  await visit(STORAGE, 0);
  return found;
}
