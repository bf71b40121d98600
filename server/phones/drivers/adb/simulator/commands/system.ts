/** `getprop`, `settings`, `cmd`, `svc`, `appops`, `content` and what else a shell has. */
import type { TestProviders } from "../location.ts";
import type { Command, CommandIo } from "../shell-stub.ts";
import { type ProgramContext, type Programs, thrown } from "./context.ts";

export function systemPrograms({ phone }: ProgramContext, providers: TestProviders): Programs {
  const { properties } = phone;
  const ops = new Map<string, string>();
  const silent: Command = () => 0;

  const getprop: Command = (io) => {
    const [name, otherwise = ""] = io.args;
    if (name !== undefined) io.out(`${properties.get(name) ?? otherwise}\n`);
    else for (const [key, value] of [...properties].sort()) io.out(`[${key}]: [${value}]\n`);
    return 0;
  };
  const setprop: Command = (io) => {
    const [name = "", value = ""] = io.args;
    if (name.startsWith("ro.") || name.startsWith("sys.") || name === "" || value.length > 91) {
      io.err(`Failed to set property '${name}' to '${value}'.\nSee dmesg for error reason.\n`);
      return 1;
    }
    properties.set(name, value);
    return 0;
  };

  const settings: Command = (io) => {
    const [command = "", space = "", name = "", value = ""] = io.args.filter((arg) => !/^--/.test(arg));
    if (space !== "system" && space !== "secure" && space !== "global") {
      io.err(`Invalid namespace: ${space}\n`);
      return 255;
    }
    const table = phone.settings[space];
    switch (command) {
      case "get":
        io.out(`${table.get(name) ?? "null"}\n`);
        return 0;
      case "put": {
        table.set(name, value);
        const free = phone.settings.system.get("accelerometer_rotation") === "1";
        if (name === "user_rotation" && !free && /^[0-3]$/.test(value)) phone.rotate(Number(value));
        return 0;
      }
      case "delete":
        io.out(`Deleted ${table.delete(name) ? 1 : 0} rows\n`);
        return 0;
      case "list":
        for (const [key, held] of [...table].sort()) io.out(`${key}=${held}\n`);
        return 0;
      default:
        io.err(`Unknown command: ${command}\n`);
        return 255;
    }
  };

  const opName = (name: string) => name.replace(/^android:/, "").toUpperCase();
  const appops = (io: CommandIo, args: readonly string[]): number => {
    const [command, target = "", op = "", mode = ""] = args.filter(
      (arg, at) => arg !== "--uid" && arg !== "--user" && args[at - 1] !== "--user",
    );
    const key = `${target === "2000" ? "com.android.shell" : target} ${opName(op)}`;
    if (command === "set") {
      if (target !== "2000" && target !== "com.android.shell" && phone.packages.get(target) === undefined) {
        io.err(`Error: No UID for ${target} in user 0\n`);
        return 255;
      }
      ops.set(key, mode);
      return 0;
    }
    if (command === "get") {
      io.out(`${opName(op)}: ${ops.get(key) ?? "default"}\n`);
      return 0;
    }
    io.err(`Unknown command: ${command}\n`);
    return 255;
  };

  const location = (io: CommandIo, args: readonly string[]): number => {
    const [group, command, name = "", ...rest] = args;
    if (group === "is-location-enabled") {
      io.out("true\n");
      return 0;
    }
    if (group !== "providers") return unknown(io, group);
    if (ops.get("com.android.shell MOCK_LOCATION") !== "allow") {
      const words = "java.lang.SecurityException: com.android.shell from uid 2000 not allowed to perform MOCK_LOCATION";
      const { text, code } = thrown("providers", words);
      io.err(text);
      return code;
    }
    const failure = providers.run(command ?? "", name, rest);
    if (failure === undefined) return 0;
    const { text, code } = thrown("providers", `java.lang.IllegalArgumentException: ${failure}`);
    io.err(text);
    return code;
  };

  const unknown = (io: CommandIo, command: string | undefined): number => {
    io.err(`Unknown command: ${command}\n`);
    return 255;
  };
  const services: Readonly<Record<string, (io: CommandIo, args: readonly string[]) => number>> = {
    uimode: (io, [command, value]) => {
      if (command !== "night") return unknown(io, command);
      if (value === "yes" || value === "no") phone.setDark(value === "yes");
      else if (value !== undefined && value !== "auto") return unknown(io, value);
      io.out(`Night mode: ${phone.dark ? "yes" : "no"}\n`);
      return 0;
    },
    connectivity: (io, [command, value]) => {
      if (command !== "airplane-mode") return unknown(io, command);
      if (value === undefined) io.out(`${phone.airplane ? "enabled" : "disabled"}\n`);
      else if (value === "enable" || value === "disable") phone.setAirplane(value === "enable");
      else return unknown(io, value);
      return 0;
    },
    appops,
    location,
    media_session: (_io, _args) => 0,
    statusbar: (_io, [command]) => {
      phone.setShade(command === "expand-notifications");
      return 0;
    },
  };

  return {
    getprop,
    setprop,
    settings,
    appops: (io) => appops(io, io.args),
    svc: silent,
    cmd: (io) => {
      const [name = "", ...args] = io.args;
      const service = services[name];
      if (service !== undefined) return service(io, args);
      io.err(`cmd: Can't find service: ${name}\n`);
      return 20;
    },
    content: (io) => {
      if (io.args[0] === "call") io.out("Result: Bundle[{}]\n");
      return 0;
    },
    logcat: (io) => {
      if (io.args.includes("-d")) io.out("--------- beginning of main\n");
      return 0;
    },
    ps: (io) => {
      io.out("USER           PID  PPID     VSZ    RSS WCHAN            ADDR S NAME\n");
      io.out("root             1     0   10000   1000 0                   0 S init\n");
      for (const [at, name] of [...phone.tasks].entries())
        io.out(`u0_a${100 + at}      ${4000 + at}   900 1000000  90000 0                   0 S ${name}\n`);
      return 0;
    },
    pidof: (io) => {
      const at = phone.tasks.indexOf(io.args.at(-1) ?? "");
      if (at < 0) return 1;
      io.out(`${4000 + at}\n`);
      return 0;
    },
    date: (io) => {
      const now = new Date();
      io.out(io.args[0] === "+%s" ? `${Math.floor(now.getTime() / 1000)}\n` : `${now.toUTCString()}\n`);
      return 0;
    },
    id: (io) => {
      io.out("uid=2000(shell) gid=2000(shell) groups=2000(shell),1004(input),1007(log) context=u:r:shell:s0\n");
      return 0;
    },
    whoami: (io) => {
      io.out("shell\n");
      return 0;
    },
    uname: (io) => {
      io.out(io.args.includes("-m") ? "aarch64\n" : "Linux\n");
      return 0;
    },
    sync: silent,
  };
}
