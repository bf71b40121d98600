/** The browsers that tests and the demo drive: found on this machine, or fetched where that is ours to do. */
import { spawnSync } from "node:child_process";
import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Browsers {
  /** Path of a Chromium that loads unpacked extensions from the command line (Google Chrome no longer does). */
  readonly chromium?: string;
  readonly firefox?: string;
  /** One line for each that is missing: how to get it, and what is left out without it. */
  readonly missing: readonly string[];
}

interface Wanted {
  readonly name: "chromium" | "firefox";
  /** Setting that names the program and wins over everything found. */
  readonly setting: string;
  readonly places: readonly string[];
  readonly commands: readonly string[];
  readonly debianPackage: string;
  readonly leftOut: string;
}

const WANTED: readonly Wanted[] = [
  {
    name: "chromium",
    setting: "PERCH_E2E_CHROMIUM",
    // Debian's /usr/bin/chromium is a shell script; its program is preferred, so that ending it ends the browser.
    places: [
      "/usr/lib/chromium/chromium",
      "/usr/lib/chromium-browser/chromium-browser",
      "/snap/bin/chromium",
      "/Applications/Chromium.app/Contents/MacOS/Chromium",
    ],
    commands: ["chromium", "chromium-browser"],
    debianPackage: "chromium",
    leftOut: "the tests and the demo in Chromium",
  },
  {
    name: "firefox",
    setting: "PERCH_E2E_FIREFOX",
    places: ["/Applications/Firefox.app/Contents/MacOS/firefox"],
    commands: ["firefox-esr", "firefox"],
    debianPackage: "firefox-esr",
    leftOut: "the tests in Firefox",
  },
];

/**
 * Finds both browsers. On Debian and its relatives, as root, fetches what is missing with apt-get. Ends the process
 * with status 1 when one is missing and `CI=true`: a check that leaves something out is not a check.
 */
export async function ensureBrowsers(names: readonly Wanted["name"][] = ["chromium", "firefox"]): Promise<Browsers> {
  const wanted = WANTED.filter(({ name }) => names.includes(name));
  const absent = wanted.filter((each) => find(each) === undefined);
  if (absent.length > 0 && mayInstall()) install(absent.map(({ debianPackage }) => debianPackage));
  const found: { chromium?: string; firefox?: string } = {};
  const missing: string[] = [];
  for (const each of wanted) {
    const path = find(each);
    if (path !== undefined) found[each.name] = path;
    else {
      missing.push(
        `No ${each.name === "chromium" ? "Chromium" : "Firefox"} was found, so ${each.leftOut} are left out. Install ${each.debianPackage} (on Debian: apt-get install ${each.debianPackage}), or set ${each.setting} to its program.`,
      );
    }
  }
  if (missing.length > 0 && process.env["CI"] === "true") {
    for (const line of missing) console.error(line);
    console.error("CI=true: nothing may be left out.");
    process.exit(1);
  }
  return { ...found, missing };
}

function find({ setting, places, commands, name }: Wanted): string | undefined {
  const set = process.env[setting] ?? (name === "chromium" ? chromiumFromChromePath() : undefined);
  if (set !== undefined && isProgram(set)) return set;
  const onPath = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => !folder.includes("node_modules"));
  const candidates = [...places, ...commands.flatMap((command) => onPath.map((folder) => join(folder, command)))];
  return candidates.find(isProgram);
}

/** `CHROME_PATH` names the phones' browser; it serves here too unless it is one that cannot load our extension. */
function chromiumFromChromePath(): string | undefined {
  const path = process.env["CHROME_PATH"];
  return path !== undefined && /chromium/i.test(path) && !/headless[-_]shell/i.test(path) ? path : undefined;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function mayInstall(): boolean {
  return process.getuid?.() === 0 && existsSync("/etc/debian_version") && existsSync("/usr/bin/apt-get");
}

function install(packages: readonly string[]): void {
  console.log(`Fetching ${packages.join(" and ")} with apt-get …`);
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  const aptGet = (...args: string[]) =>
    spawnSync("apt-get", args, { stdio: ["ignore", "ignore", "inherit"], env }).status;
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  if (aptGet(...install) === 0) return;
  aptGet("update");
  if (aptGet(...install) !== 0) console.error("apt-get could not fetch them.");
}
