/**
 * `screencap`, `uiautomator`, `input` and `wm`. AOSP frameworks/base cmds/{screencap,uiautomator,input} and
 * WindowManagerShellCommand.java.
 */
import { writeFileSync } from "node:fs";
import { asFileError } from "../device-files.ts";
import { hierarchy } from "../hierarchy.ts";
import { keyCode, press } from "../keys.ts";
import { encodePng } from "../png.ts";
import type { Command, CommandIo } from "../shell-stub.ts";
import { type ProgramContext, type Programs, parse, thrown, wait } from "./context.ts";

/** Between two touches of a swipe; `input` sends one with every frame. */
const SWIPE_STEP_MS = 16;
const MAX_SWIPE_MS = 60_000;

export function screenPrograms(context: ProgramContext): Programs {
  return {
    screencap: screencap(context),
    uiautomator: uiautomator(context),
    input: input(context),
    wm: wm(context),
  };
}

function screencap({ phone, files }: ProgramContext): Command {
  return async (io) => {
    const { flags, rest } = parse(io.args, ["-d"]);
    const frame = phone.frame();
    const { width, height, bytes } = frame;
    const path = rest[0];
    const png = flags.has("-p") || path?.endsWith(".png") === true;
    const raw = () => {
      const head = Buffer.alloc(16);
      for (const [at, value] of [width, height, 1, 0].entries()) head.writeUInt32LE(value, at * 4);
      return Buffer.concat([head, bytes]);
    };
    const picture = png ? await encodePng(frame) : raw();
    if (path === undefined) {
      io.out(picture);
      return 0;
    }
    try {
      writeFileSync(files.real(path, true), picture);
      return 0;
    } catch (error) {
      io.err(`Error opening file: ${path} (${asFileError(error).message})\n`);
      return 1;
    }
  };
}

function uiautomator({ phone, files, instrumentation, idleTimeoutMs }: ProgramContext): Command {
  return async (io) => {
    const { rest } = parse(io.args, []);
    const [command, path = "/sdcard/window_dump.xml"] = rest;
    if (command !== "dump") {
      io.err(`Usage: uiautomator <subcommand> [options]\n`);
      return 1;
    }
    if (instrumentation.connected) {
      io.err(
        "java.lang.IllegalStateException: UiAutomationService android.accessibilityservice.IAccessibilityServiceClient$Stub$Proxy@1 already registered!\n",
      );
      return 137;
    }
    if (phone.neverIdle || phone.moving) {
      await wait(idleTimeoutMs, io.killed);
      io.err("ERROR: could not get idle state.\n");
      return 0;
    }
    if (!phone.awake) {
      io.err("ERROR: null root node returned by UiTestAutomationBridge.\n");
      return 0;
    }
    const xml = hierarchy(phone.tree(), phone.foreground.package, phone.rotation, phone.focused);
    if (path === "/dev/tty" || path === "/dev/stdout") io.out(xml);
    else {
      try {
        writeFileSync(files.real(path, true), xml);
      } catch (error) {
        io.err(`ERROR: could not write ${path}: ${asFileError(error).message}\n`);
        return 1;
      }
    }
    io.out(`UI hierchary dumped to: ${path}\n`);
    return 0;
  };
}

function input({ phone }: ProgramContext): Command {
  const point = (x: string | undefined, y: string | undefined) => {
    const at = { x: Number(x), y: Number(y) };
    if (x === undefined || y === undefined || Number.isNaN(at.x) || Number.isNaN(at.y))
      throw new Error("Invalid arguments");
    return at;
  };
  const touch = (action: "down" | "move" | "up" | "cancel", at: { readonly x: number; readonly y: number }) =>
    phone.touch({ action, pointer: 0, ...at, pressure: action === "up" ? 0 : 1 });
  const swipe = async (io: CommandIo, args: readonly string[]) => {
    const [from, to] = [point(args[0], args[1]), point(args[2], args[3])];
    const lasts = Math.min(MAX_SWIPE_MS, Number(args[4] ?? 300) || 300);
    const start = performance.now();
    touch("down", from);
    for (;;) {
      const part = (performance.now() - start) / lasts;
      if (part >= 1 || io.killed.aborted) break;
      touch("move", { x: from.x + (to.x - from.x) * part, y: from.y + (to.y - from.y) * part });
      await wait(Math.min(SWIPE_STEP_MS, lasts), io.killed);
    }
    touch("move", to);
    touch("up", to);
  };
  return async (io) => {
    const sources = ["touchscreen", "keyboard", "mouse", "touchpad", "stylus", "dpad", "gamepad"];
    const all = sources.includes(io.args[0] ?? "") ? io.args.slice(1) : io.args;
    const [command, ...args] = all[0] === "-d" ? all.slice(2) : all;
    try {
      switch (command) {
        case "tap": {
          const at = point(args[0], args[1]);
          touch("down", at);
          touch("up", at);
          return 0;
        }
        case "swipe":
        case "draganddrop":
          await swipe(io, args);
          return 0;
        case "motionevent": {
          const action = (args[0] ?? "").toLowerCase();
          if (action !== "down" && action !== "move" && action !== "up" && action !== "cancel")
            throw new Error("Unknown action");
          touch(action, point(args[1], args[2]));
          return 0;
        }
        case "text":
          return typed(io, args[0]);
        case "keyevent": {
          const { rest } = parse(args, []);
          if (rest.length === 0) throw new Error("No key");
          for (const name of rest) press(phone, keyCode(name));
          return 0;
        }
        case "roll":
        case "press":
          return 0;
        default:
          io.err(`Error: Unknown command: ${String(command)}\n`);
          return 1;
      }
    } catch (error) {
      io.err(`Error: Invalid arguments for command: ${command}\n${error instanceof Error ? error.message : ""}\n`);
      return 1;
    }
  };
  function typed(io: CommandIo, text: string | undefined): number {
    if (text === undefined) {
      io.err("Error: Invalid arguments for command: text\n");
      return 1;
    }
    // `%s` is a space; letters no key makes end the program (AOSP issue 37094061).
    if (/[^\x20-\x7e]/.test(text)) {
      const { text: words, code } = thrown(
        "text",
        "java.lang.NullPointerException: Attempt to get length of null array",
      );
      io.err(words);
      return code;
    }
    phone.type(text.replaceAll("%s", " "));
    return 0;
  }
}

function wm({ phone }: ProgramContext): Command {
  return (io) => {
    const [command, value] = io.args;
    const { physical, override } = phone;
    switch (command) {
      case "size": {
        if (value === undefined) {
          io.out(`Physical size: ${physical.width}x${physical.height}\n`);
          if (override.width !== undefined) io.out(`Override size: ${override.width}x${override.height}\n`);
          return 0;
        }
        const size = /^(\d{2,4})x(\d{2,4})$/.exec(value);
        if (value !== "reset" && size === null) {
          io.err(`Error: bad size ${value}\n`);
          return 1;
        }
        const { density } = override;
        const kept = density === undefined ? {} : { density };
        phone.override = size === null ? kept : { ...kept, width: Number(size[1]), height: Number(size[2]) };
        phone.changed();
        return 0;
      }
      case "density": {
        if (value === undefined) {
          io.out(`Physical density: ${physical.density}\n`);
          if (override.density !== undefined) io.out(`Override density: ${override.density}\n`);
          return 0;
        }
        const { density: _, ...size } = override;
        if (value !== "reset" && !/^\d{2,4}$/.test(value)) {
          io.err(`Error: bad number ${value}\n`);
          return 1;
        }
        phone.override = value === "reset" ? size : { ...size, density: Number(value) };
        phone.changed();
        return 0;
      }
      case "user-rotation":
        if (value === "lock") {
          phone.settings.system.set("accelerometer_rotation", "0");
          phone.settings.system.set("user_rotation", io.args[2] ?? "0");
          phone.rotate(Number(io.args[2] ?? 0));
        } else if (value === "free") phone.settings.system.set("accelerometer_rotation", "1");
        else
          io.out(
            `${phone.settings.system.get("accelerometer_rotation") === "1" ? "free" : `lock ${phone.rotation}`}\n`,
          );
        return 0;
      case "dismiss-keyguard":
        phone.setAwake(true);
        return 0;
      default:
        io.err(`Unknown command: ${command}\n`);
        return 255;
    }
  };
}
