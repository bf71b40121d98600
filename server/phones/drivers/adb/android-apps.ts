/**
 * Apps of a device: which there are, and installing and removing them. Commands: AOSP's PackageManagerShellCommand (`pm`,
 * `cmd package`). Names were checked to be package names before they come here, and stand as arguments of their own.
 */
import { appId, type PhoneApp } from "../../../../shared/phones.ts";
import { PerchError } from "../../../errors.ts";
import type { FileToPut } from "../../driver.ts";
import { within } from "./connect/bounded.ts";
import { inOneLine } from "./device.ts";
import { HELPER_PACKAGES } from "./helper-apks.ts";
import type { AndroidDevice, AndroidScreen } from "./ports.ts";
import { shellLine } from "./shell-quote.ts";

const LAUNCHER = ["-a", "android.intent.action.MAIN", "-c", "android.intent.category.LAUNCHER"] as const;
const MAX_APPS = 2_000;
const INSTALL_STEP_MS = 60_000;
const INSTALL_MS = 5 * 60_000;
const MAX_ANSWER = 16_384;

/** Apps that came later, and those of the system that can be opened. Where no name is known the id is the label. */
export async function listApps(
  device: AndroidDevice,
  names: AndroidScreen["appNames"] = async () => new Map(),
): Promise<readonly PhoneApp[]> {
  const [added, openable] = await Promise.all([
    // Android 8 tells versions.
    device.text(["pm", "list", "packages", "-3", ...(device.facts.sdk >= 26 ? ["--show-versioncode"] : [])]),
    device.run(["cmd", "package", "query-activities", "--brief", ...LAUNCHER]),
  ]);
  const apps = new Map<string, PhoneApp>();
  for (const [, name, version] of added.matchAll(/^package:(\S+)(?: versionCode:(\d+))?/gm)) {
    const id = appId.safeParse(name).data;
    if (id !== undefined) apps.set(id, { id, label: id, ...(version !== undefined && { version }), system: false });
  }
  for (const [, name] of Buffer.from(openable.stdout)
    .toString("utf8")
    .matchAll(/^\s*([\w.]+)\/\S+\s*$/gm)) {
    const id = appId.safeParse(name).data;
    if (id !== undefined && !apps.has(id)) apps.set(id, { id, label: id, system: true });
  }
  // Put there by the server for a while, and nothing to open.
  for (const name of HELPER_PACKAGES) apps.delete(name);
  const listed = [...apps.values()].sort((one, other) => one.id.localeCompare(other.id)).slice(0, MAX_APPS);
  const known = await names(listed.map(({ id }) => id));
  return listed.map((app) => ({ ...app, label: known.get(app.id) ?? app.id }));
}

/** Names of all apps that did not come with the device. */
export async function addedApps(device: AndroidDevice): Promise<readonly string[]> {
  const said = await device.text(["pm", "list", "packages", "-3"]);
  return [...said.matchAll(/^package:(\S+)$/gm)].flatMap(([, name]) => appId.safeParse(name).data ?? []);
}

export async function uninstallApp(device: AndroidDevice, app: string): Promise<void> {
  await demandSuccess(
    device,
    ["pm", "uninstall", known(app)],
    `${app} could not be removed. It may belong to the system.`,
  );
}

async function demandSuccess(device: AndroidDevice, argv: readonly [string, ...string[]], sentence: string) {
  const { exitCode, stdout } = await device.run(argv, { timeoutMs: 60_000 });
  if (exitCode !== 0 || !/^Success\b/m.test(Buffer.from(stdout).toString("utf8"))) {
    throw new PerchError("bad_input", sentence);
  }
}

function known(app: string): string {
  const name = appId.safeParse(app).data;
  if (name === undefined) throw new PerchError("bad_input", "A package name looks like com.example.app.");
  return name;
}

/**
 * `cmd package install -r -S <size>` with the APK on its standard input: nothing of it is left on the device beside the app
 * (adb_install.cpp, "streamed install"). Android 5 and 6 have `pm install` only, which takes it in the same way.
 */
export async function installApp(device: AndroidDevice, apk: FileToPut, done: (bytes: number) => void): Promise<void> {
  const program = device.facts.sdk >= 24 ? (["cmd", "package"] as const) : (["pm"] as const);
  const line = shellLine([...program, "install", "-r", "-S", String(apk.size)]);
  const source = apk.content.getReader();
  const socket = await device.adb.createSocket(`exec:${line}`).catch(async (error: unknown) => {
    await source.cancel(error);
    throw error;
  });
  const writer = socket.writable.getWriter();
  const answer = readAnswer(socket.readable.getReader());
  answer.catch(() => undefined);
  let sent = 0;
  try {
    let refused = false;
    void answer.then(
      () => {
        refused = sent < apk.size;
      },
      () => undefined,
    );
    while (!refused) {
      const { done: over, value } = await within(INSTALL_STEP_MS, device.words, source.read());
      if (over) break;
      sent += value.byteLength;
      if (sent > apk.size) throw new PerchError("bad_input", "The file is larger than it said.");
      await within(INSTALL_STEP_MS, device.words, writer.write(value));
      done(sent);
    }
    if (sent < apk.size && !refused) throw new PerchError("bad_input", "The file broke off.");
    const said = await within(INSTALL_MS, device.words, answer);
    if (!/^Success\b/m.test(said)) throw new PerchError("bad_input", installFailure(said));
  } catch (error) {
    // A device that refuses closes the socket under what is still being written; its words say more.
    const said =
      error instanceof PerchError ? undefined : await within(2_000, device.words, answer).catch(() => undefined);
    if (said !== undefined && /Failure|Error/i.test(said)) throw new PerchError("bad_input", installFailure(said));
    throw error;
  } finally {
    source.cancel().catch(() => undefined);
    Promise.resolve(socket.close()).catch(() => undefined);
  }
}

async function readAnswer(reader: {
  read(): Promise<{ done: boolean; value?: Uint8Array | undefined }>;
}): Promise<string> {
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done || text.length > MAX_ANSWER) return text;
    text += Buffer.from(value ?? []).toString("utf8");
  }
}

/** `PackageManager.INSTALL_FAILED_…` and `INSTALL_PARSE_FAILED_…` in words. */
const FAILURES: readonly (readonly [RegExp, string])[] = [
  [/INSUFFICIENT_STORAGE/, "There is no room for this app on the phone. Remove files or apps first."],
  [/NO_MATCHING_ABIS/, "This app is built for another kind of processor than the phone's."],
  [/OLDER_SDK/, "This app needs a newer Android than the phone has."],
  [/DEPRECATED_SDK_VERSION/, "This app was made for an Android so old that the phone refuses it."],
  [/VERSION_DOWNGRADE/, "The phone has a newer version of this app. Remove that one first."],
  [
    /UPDATE_INCOMPATIBLE|SHARED_USER_INCOMPATIBLE/,
    "The phone has this app from somebody else, signed differently. Remove that one first.",
  ],
  [/ALREADY_EXISTS|DUPLICATE_PACKAGE/, "The phone has this app already."],
  [/CONFLICTING_PROVIDER|DUPLICATE_PERMISSION/, "Another app on the phone stands in this one's way."],
  [
    /MISSING_SPLIT|MISSING_SHARED_LIBRARY/,
    "This is only a part of an app. It needs its other parts, which a single APK lacks.",
  ],
  [/TEST_ONLY/, "This app is marked as a test build, and phones do not take those."],
  [/VERIFICATION|ABORTED|USER_RESTRICTED/, "The phone did not allow this app to be installed."],
  [
    /PARSE_FAILED_NO_CERTIFICATES|INCONSISTENT_CERTIFICATES|UNEXPECTED_EXCEPTION.*sign/i,
    "This app is not signed, or its signature is broken.",
  ],
  [/INVALID_APK|PARSE_FAILED|BAD_DEX|CPU_ABI/, "This is not an app Android understands. The file may be broken."],
];

export function installFailure(said: string): string {
  const known = FAILURES.find(([pattern]) => pattern.test(said))?.[1];
  if (known !== undefined) return known;
  const code = /Failure \[([^\]]{1,120})/.exec(said)?.[1] ?? /Error: ([^\n]{1,120})/.exec(said)?.[1];
  return `The phone did not take this app${code === undefined ? "." : `: ${inOneLine(code)}`}`;
}
