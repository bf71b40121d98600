/** The machine: Node, memory, disk, the browser with its sandbox and fonts. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, statfs } from "node:fs/promises";
import { freemem, totalmem } from "node:os";
import { dirname } from "node:path";
import { promisify } from "node:util";
import type { Config } from "../config.ts";
import { builtInBrowser, findBrowser } from "../phones/drivers/web/browser.ts";
import { browserUser, webPhonesRoot } from "../phones/drivers/web/storage.ts";
import { fail, ok, sentenceOf, type Verdict, warn } from "./diagnosis.ts";

const run = promisify(execFile);
const MB = 1024 * 1024;
const LEAST_NODE = 24;

export function nodeVerdict(version = process.versions.node): Verdict {
  const major = Number(version.split(".")[0]);
  if (major >= LEAST_NODE) return ok(`Node ${version}.`);
  return fail(
    `Node ${version} is too old.`,
    "Start with npm start or npm run admin: npm ci brings the right Node with it.",
  );
}

/** `limit`: of the container this runs in, where there is one. */
export function memoryVerdict(
  { RUNNING_PHONES, PHONE_MEMORY_MB }: Pick<Config, "RUNNING_PHONES" | "PHONE_MEMORY_MB">,
  memory = { total: totalmem(), free: freemem(), limit: process.constrainedMemory() },
): Verdict {
  const whole = memory.limit > 0 ? Math.min(memory.total, memory.limit) : memory.total;
  const says = `${mb(whole)} of memory, ${mb(Math.min(memory.free, whole))} of it free.`;
  // A phone at rest takes about a third of what it may.
  const needed = 512 * MB + (RUNNING_PHONES * PHONE_MEMORY_MB * MB) / 3;
  if (Math.min(memory.free, whole) < 512 * MB)
    return warn(says, "End other programs, or give the machine more memory.");
  if (whole >= needed) return ok(says);
  const fits = Math.max(1, Math.floor(((whole - 512 * MB) * 3) / (PHONE_MEMORY_MB * MB)));
  return warn(
    `${says} ${RUNNING_PHONES} phones may want more.`,
    `Set RUNNING_PHONES to about ${fits}, or give the machine more memory.`,
  );
}

export async function diskVerdict(name: string, folder: string): Promise<Verdict> {
  let there = folder;
  while (!existsSync(there) && there !== dirname(there)) there = dirname(there);
  const { bavail, blocks, bsize } = await statfs(there);
  const free = bavail * bsize;
  const says = `${mb(free)} free for ${name} ${folder}.`;
  if (free < 512 * MB) return fail(says, `Make room, or set ${name} to a larger disk.`);
  if (free < 5_120 * MB && bavail < blocks / 10) return warn(says, "Make room before it is full.");
  return ok(says);
}

const SWITCHES = [
  // Debian's own switch, and Ubuntu's of 23.10 and later.
  { file: "/proc/sys/kernel/unprivileged_userns_clone", off: "0", fix: "sysctl -w kernel.unprivileged_userns_clone=1" },
  { file: "/proc/sys/user/max_user_namespaces", off: "0", fix: "sysctl -w user.max_user_namespaces=15000" },
  {
    file: "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
    off: "1",
    fix: "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
  },
] as const;

/** Chromium's sandbox stands on user namespaces of an unprivileged user. */
export async function sandboxVerdict(
  { PHONE_SANDBOX }: Pick<Config, "PHONE_SANDBOX">,
  read: (file: string) => Promise<string> = (file) => readFile(file, "utf8"),
  tryOut: () => Promise<unknown> = namespaceOfItsOwn,
): Promise<Verdict | undefined> {
  if (process.platform !== "linux") return undefined;
  if (PHONE_SANDBOX === "off") {
    return warn(
      "PHONE_SANDBOX is off: pages that break out of the browser are in your system.",
      "Leave PHONE_SANDBOX out where the system can do it.",
    );
  }
  for (const { file, off, fix } of SWITCHES) {
    const value = await read(file).catch(() => "");
    if (value.trim() === off) {
      return fail(
        `The kernel gives programs no namespaces of their own (${file} is ${off}), so no web phone starts.`,
        `As root: ${fix}. Or run the server in the container image, or with PHONE_SANDBOX=off as the last resort.`,
      );
    }
  }
  try {
    await tryOut();
    return ok("The kernel gives Chromium's sandbox what it needs.");
  } catch (error) {
    if ((error as { code?: unknown }).code === "ENOENT") return ok("Nothing speaks against Chromium's sandbox.");
    return fail(
      `A program cannot have a user namespace here: ${sentenceOf(error)}`,
      "In a container, allow unshare and clone (a seccomp profile for Chromium); else see docs/operators.md, Web phones.",
    );
  }
}

async function namespaceOfItsOwn(): Promise<void> {
  const user = browserUser();
  const as = user === undefined ? {} : { uid: user.uid, gid: user.gid };
  await run("unshare", ["--user", "true"], { timeout: 5_000, cwd: "/", ...as });
}

/** The browser web phones run on. The built-in one is unpacked by the server, not by this. */
export async function browserVerdict({ DATA_DIR, CHROME_PATH }: Pick<Config, "DATA_DIR" | "CHROME_PATH">) {
  const root = await webPhonesRoot(DATA_DIR);
  if (CHROME_PATH === undefined && (await builtInBrowser(root)) === "packed") {
    return ok("The built-in browser is there; the first start unpacks it.");
  }
  const { path, version } = await findBrowser(root, CHROME_PATH, browserUser());
  return ok(`Chromium ${version} at ${path}.`);
}

const FONTS = [
  { words: "Chinese, Japanese and Korean", ask: ":lang=ja", fix: "fonts-noto-cjk" },
  { words: "emoji", ask: ":lang=und-zsye", fix: "fonts-noto-color-emoji" },
] as const;

/** Without them phones show boxes; nothing else breaks. */
export async function fontsVerdict(
  list: (pattern: string) => Promise<string> = async (pattern) =>
    (await run("fc-list", [pattern, "family"], { timeout: 10_000 })).stdout,
): Promise<Verdict> {
  const missing = [];
  try {
    for (const font of FONTS) if ((await list(font.ask)).trim() === "") missing.push(font);
  } catch {
    return warn("There is no fc-list to ask for fonts.", "Install fontconfig, fonts-noto-cjk, fonts-noto-color-emoji.");
  }
  if (missing.length === 0) return ok("There are fonts for Chinese, Japanese, Korean and emoji.");
  return warn(
    `No font has ${missing.map(({ words }) => words).join(", nor ")}: phones show boxes instead.`,
    `Install ${missing.map(({ fix }) => fix).join(" and ")}, then start the server anew.`,
  );
}

function mb(bytes: number): string {
  return bytes >= 10_240 * MB ? `${Math.round(bytes / 1024 / MB)} GB` : `${Math.round(bytes / MB)} MB`;
}
