/** `am` and `monkey`: AOSP ActivityManagerShellCommand.java, Intent.java (parseCommandArgs), cmds/monkey Monkey.java. */
import type { Intent } from "../app.ts";
import { expand, MAIN, resolve, VIEW } from "../intents.ts";
import type { Command, CommandIo } from "../shell-stub.ts";
import { type ProgramContext, type Programs, parse } from "./context.ts";

const EXTRAS = ["--es", "-e", "--ez", "--ei", "--el", "--ef", "--eu", "--ecn", "--eia", "--esa", "--ela"];

export interface ParsedIntent extends Intent {
  readonly wait: boolean;
  readonly stop: boolean;
}

/** @throws Error in the words of `am` */
export function parseIntent(args: readonly string[]): ParsedIntent {
  const extras = new Map<string, string>();
  const plain: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? "";
    if (EXTRAS.includes(arg)) {
      const [name, value] = [args[at + 1], args[at + 2]];
      if (name === undefined || value === undefined) throw new Error(`Argument expected after "${name ?? arg}"`);
      extras.set(name, value);
      at += 2;
    } else plain.push(arg);
  }
  const { flags, values, rest } = parse(plain, ["-a", "-d", "-n", "-p", "-c", "-t", "-f", "--user", "--display", "-P"]);
  const target = rest[0];
  const component = values.get("-n") ?? (target !== undefined && /^[\w.]+\/[\w.$]+$/.test(target) ? target : undefined);
  if (component !== undefined && !component.includes("/")) throw new Error(`Bad component name: ${component}`);
  const data = values.get("-d") ?? (component === undefined && target?.includes(":") === true ? target : undefined);
  const named = values.get("-p") ?? (component === undefined && data === undefined ? target : undefined);
  const action =
    values.get("-a") ?? (data !== undefined ? VIEW : component === undefined && named === undefined ? "" : MAIN);
  if (action === "") throw new Error("No intent supplied");
  return { action, data, component, package: named, extras, wait: flags.has("-W"), stop: flags.has("-S") };
}

/** As `Intent.toString` says it: of an address only where it leads. */
export function intentWords({ action, data, component, package: named, extras }: Intent): string {
  const where = data?.replace(/^([\w+.-]+:\/\/[^/?#]*)[/?#].*$/s, "$1/...");
  const parts = [`act=${action}`];
  if (where !== undefined) parts.push(`dat=${where}`);
  if (component === undefined) parts.push("flg=0x10000000");
  if (named !== undefined) parts.push(`pkg=${named}`);
  if (component !== undefined) parts.push("flg=0x10000000", `cmp=${component}`);
  if (extras !== undefined && extras.size > 0) parts.push("(has extras)");
  return `Intent { ${parts.join(" ")} }`;
}

export function activityPrograms({ phone, instrumentation }: ProgramContext): Programs {
  const start = (io: CommandIo, args: readonly string[]): number => {
    const intent = parseIntent(args);
    io.out(`Starting: ${intentWords(intent)}\n`);
    const opener = resolve(intent, phone.packages);
    if (opener === undefined) {
      if (intent.component === undefined)
        io.err(`Error: Activity not started, unable to resolve ${intentWords(intent)}\n`);
      else {
        const whole = expand(intent.component);
        io.err(`Error type 3\nError: Activity class {${whole}} does not exist.\n`);
      }
      return 0;
    }
    if (intent.stop) phone.stop(opener);
    const running = phone.running(opener);
    phone.startIntent(intent);
    if (intent.wait) {
      const { package: name, activity } = phone.foreground;
      const state = running ? "HOT" : "COLD";
      io.out(`Status: ok\nLaunchState: ${state}\nActivity: ${name}/${activity}\nTotalTime: 1\nWaitTime: 2\nComplete\n`);
    } else if (running && phone.foreground.package === opener)
      io.err("Warning: Activity not started, its current task has been brought to the front\n");
    return 0;
  };
  const am: Command = (io) => {
    const [command, ...args] = io.args;
    const { rest } = parse(args, ["--user"]);
    const named = rest[0] ?? "";
    switch (command) {
      case "start":
      case "start-activity":
        try {
          return start(io, args);
        } catch (error) {
          io.err(`Error: ${error instanceof Error ? error.message : ""}\n`);
          return 1;
        }
      case "force-stop":
        phone.stop(named);
        return 0;
      case "instrument": {
        const wanted: string[] = [];
        for (let at = 0; at < args.length; at += 1) {
          if (args[at] === "-e") at += 2;
          else if (args[at]?.startsWith("-") !== true) wanted.push(args[at] ?? "");
        }
        return instrumentation.run(io, wanted[0] ?? "");
      }
      case "kill":
        if (phone.foreground.package !== named) phone.stop(named);
        return 0;
      case "broadcast":
        io.out(
          `Broadcasting: ${intentWords(parseIntent(args)).replace("0x10000000", "0x400000")}\nBroadcast completed: result=0\n`,
        );
        return 0;
      case "get-current-user":
        io.out("0\n");
        return 0;
      default:
        io.err(`Unknown command: ${command}\n`);
        return 255;
    }
  };
  const monkey: Command = (io) => {
    const { values } = parse(io.args, ["-p", "-c", "-s", "--throttle", "--pct-syskeys"]);
    const named = values.get("-p") ?? "";
    io.err(`  bash arg: -p\n  bash arg: ${named}\n`);
    if (!phone.launch(named)) {
      io.out("** No activities found to run, monkey aborted.\n");
      return 252;
    }
    io.out("Events injected: 1\n## Network stats: elapsed time=15ms (0ms mobile, 0ms wifi, 15ms not connected)\n");
    return 0;
  };
  return { am, monkey };
}
