/** `pm`, which is `cmd package`: AOSP frameworks/base PackageManagerShellCommand.java. */
import { readFileSync } from "node:fs";
import { LAUNCHER } from "../apps/system.ts";
import { asFileError } from "../device-files.ts";
import type { InstallSessions } from "../installer.ts";
import { expand, MAIN, resolve } from "../intents.ts";
import { isDangerous } from "../packages.ts";
import type { Command, CommandIo } from "../shell-stub.ts";
import { parseIntent } from "./activity.ts";
import { type ProgramContext, type Programs, parse, thrown } from "./context.ts";

const WITH_VALUE = ["--user", "-S", "-i", "--abi", "--originating-uri", "--install-location", "--pkg"];
/** More than this is no APK a test installs. */
const MAX_APK = 256 * 1024 * 1024;

export function packagePrograms({ phone, files }: ProgramContext, sessions: InstallSessions): Programs {
  const { packages } = phone;
  const say = (io: CommandIo, failure: string | undefined): number => {
    io.out(failure === undefined ? "Success\n" : `Failure [${failure}]\n`);
    return failure === undefined ? 0 : 1;
  };
  const receive = async (io: CommandIo, size: number): Promise<Buffer> => {
    if (!(size > 0 && size <= MAX_APK)) throw new Error(`APK size ${size}`);
    const parts: Buffer[] = [];
    let length = 0;
    for await (const chunk of io.stdin()) {
      parts.push(chunk);
      length += chunk.length;
      if (length >= size) break;
    }
    return Buffer.concat(parts).subarray(0, size);
  };
  /** From a path on the phone, or as it comes. */
  const apk = async (io: CommandIo, path: string | undefined, size: string | undefined): Promise<Buffer> => {
    if (path === undefined || path === "-") return receive(io, Number(size));
    return readFileSync(files.real(path));
  };

  const install = async (io: CommandIo, args: readonly string[]): Promise<number> => {
    const { values, rest, flags } = parse(args, WITH_VALUE);
    try {
      return say(io, sessions.install(await apk(io, rest[0], values.get("-S")), flags));
    } catch (error) {
      io.err(`Error: Unable to open file: ${rest[0]}\n${asFileError(error).message}\n`);
      return 1;
    }
  };
  const list = (io: CommandIo, args: readonly string[]): number => {
    const { flags, rest } = parse(args, WITH_VALUE);
    const [what, filter = ""] = rest;
    if (what === "users") {
      io.out("Users:\n\tUserInfo{0:Owner:c13} running\n");
      return 0;
    }
    if (what !== "packages") {
      io.err(`Error: unknown list type '${what}'\n`);
      return 255;
    }
    for (const one of packages.all()) {
      if ((flags.has("-3") && one.system) || (flags.has("-s") && !one.system) || !one.name.includes(filter)) continue;
      const path = flags.has("-f") ? `${one.path}=` : "";
      const version = flags.has("--show-versioncode") ? ` versionCode:${one.versionCode}` : "";
      io.out(`package:${path}${one.name}${version}\n`);
    }
    return 0;
  };
  const permission = (io: CommandIo, grant: boolean, args: readonly string[]): number => {
    const { rest } = parse(args, WITH_VALUE);
    const [name = "", wanted = ""] = rest;
    const one = packages.get(name);
    const wrong =
      one === undefined
        ? `java.lang.IllegalArgumentException: Unknown package: ${name}`
        : !wanted.startsWith("android.permission.")
          ? `java.lang.IllegalArgumentException: Unknown permission: ${wanted}`
          : !one.requested.includes(wanted)
            ? `java.lang.SecurityException: Package ${name} has not requested permission ${wanted}`
            : !isDangerous(wanted)
              ? `java.lang.SecurityException: Permission ${wanted} requested by ${name} is not a changeable permission type`
              : undefined;
    if (one === undefined || wrong !== undefined) {
      const { text, code } = thrown(grant ? "grant" : "revoke", wrong ?? "");
      io.err(text);
      return code;
    }
    if (grant) one.granted.add(wanted);
    else one.granted.delete(wanted);
    one.refused.delete(wanted);
    phone.changed();
    return 0;
  };
  const uninstall = (io: CommandIo, args: readonly string[]): number => {
    const name = parse(args, WITH_VALUE).rest[0] ?? "";
    const one = packages.get(name);
    if (one === undefined || one.system)
      return say(io, one === undefined ? "not installed for 0" : "DELETE_FAILED_INTERNAL_ERROR");
    phone.uninstall(name);
    return say(io, undefined);
  };
  const resolveActivity = (io: CommandIo, args: readonly string[]): number => {
    const { flags } = parse(args, []);
    const intent = parseIntent(args.filter((arg) => arg !== "--brief"));
    const found = intent.action === MAIN && intent.package !== undefined ? intent.package : resolve(intent, packages);
    const app = found === undefined ? undefined : packages.get(found)?.app;
    if (app === undefined) io.out("No activity found\n");
    else {
      if (flags.has("--brief")) io.out("priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=true\n");
      io.out(`${app.package}/${app.activity}\n`);
    }
    return 0;
  };
  /** Of the icons on the home screen, which is all that is asked for; the home screen itself has none. */
  const queryActivities = (io: CommandIo, args: readonly string[]): number => {
    const intent = parseIntent(args.filter((arg) => arg !== "--brief"));
    const found = intent.action === MAIN ? packages.all().filter(({ name }) => name !== LAUNCHER) : [];
    if (found.length === 0) io.out("No activities found\n");
    else io.out(`${found.length} activities found:\n`);
    for (const [index, { app }] of found.entries()) {
      io.out(
        `  Activity #${index}:\n    priority=0 preferredOrder=0 match=0x108000 specificIndex=-1 isDefault=false\n`,
      );
      io.out(`    ${app.package}/${app.activity}\n`);
    }
    return 0;
  };

  const pm: Command = async (io) => {
    const [command, ...args] = io.args;
    const { values, rest, flags } = parse(args, WITH_VALUE);
    const name = rest[0] ?? "";
    switch (command) {
      case "list":
        return list(io, args);
      case "path": {
        const one = packages.get(name);
        if (one === undefined) return 1;
        io.out(`package:${one.path}\n`);
        return 0;
      }
      case "clear":
        if (phone.clearApp(name)) return say(io, undefined);
        io.out("Failed\n");
        return 1;
      case "grant":
      case "revoke":
        return permission(io, command === "grant", args);
      case "uninstall":
        return uninstall(io, args);
      case "install":
      case "install-streaming":
        return install(io, args);
      case "install-create":
        io.out(`Success: created install session [${sessions.create(flags)}]\n`);
        return 0;
      case "install-write": {
        const [session = "", , path] = rest;
        const bytes = await apk(io, path, values.get("-S")).catch(() => undefined);
        if (bytes === undefined || !sessions.write(Number(session), bytes)) {
          io.err("Error: failed to write; session unknown or nothing to read\n");
          return 1;
        }
        io.out(`Success: streamed ${bytes.length} bytes\n`);
        return 0;
      }
      case "install-commit":
        return say(io, sessions.commit(Number(name)));
      case "install-abandon":
        sessions.abandon(Number(name));
        return say(io, undefined);
      case "resolve-activity":
        return resolveActivity(io, args);
      case "query-activities":
        return queryActivities(io, args);
      case "dump": {
        const one = packages.get(name);
        if (one === undefined) return 1;
        io.out(`Package [${name}]:\n  versionCode=${one.versionCode}\n  versionName=${one.versionName}\n`);
        return 0;
      }
      default:
        io.err(`Unknown command: ${command}\n`);
        return 255;
    }
  };
  return { pm };
}

/** `dumpsys package NAME`, the lines that are looked for. */
export function packageDump({ phone }: ProgramContext, name: string): string {
  const one = phone.packages.get(name);
  if (one === undefined) return `Unable to find package: ${name}\n`;
  const permissions = one.requested.map((each) => `        ${each}: granted=${one.granted.has(each)}\n`);
  return [
    `Packages:\n  Package [${name}] (1a2b3c4):\n`,
    `    codePath=${one.path.replace(/\/base\.apk$/, "")}\n`,
    `    versionCode=${one.versionCode} minSdk=24 targetSdk=34\n    versionName=${one.versionName}\n`,
    `    pkgFlags=[ ${one.system ? "SYSTEM " : ""}HAS_CODE ALLOW_CLEAR_USER_DATA ]\n`,
    "    requested permissions:\n",
    ...one.requested.map((each) => `      ${each}\n`),
    `    User 0: ceDataInode=1 installed=true hidden=false stopped=false\n      runtime permissions:\n`,
    ...permissions,
    `    ${expand(`${name}/${one.app.activity}`)}\n`,
  ].join("");
}
