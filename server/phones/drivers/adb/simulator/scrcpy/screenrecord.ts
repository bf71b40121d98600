/** `screenrecord --output-format=h264 … -`: AOSP frameworks/av cmds/screenrecord. To a file it records nothing here. */
import { parse } from "../commands/context.ts";
import type { Phone } from "../phone.ts";
import type { Command } from "../shell-stub.ts";
import type { ScrcpyFaults } from "./server.ts";
import { ScreenVideo } from "./video.ts";

/** The longest it records. */
const LIMIT_S = 180;

export function screenRecordProgram(phone: Phone, faults: ScrcpyFaults): Command {
  return async (io) => {
    const args = io.args.flatMap((arg) => (arg.startsWith("--") ? arg.split(/=(.*)/s, 2) : [arg]));
    const { values, rest } = parse(args, ["--output-format", "--size", "--bit-rate", "--time-limit"]);
    const size = /^(\d+)x(\d+)$/.exec(values.get("--size") ?? "");
    if (values.get("--output-format") !== "h264" || (rest[0] ?? io.args.at(-1)) !== "-") {
      io.err("Must specify output file (see --help).\n");
      return 2;
    }
    if (faults.noEncoder) {
      io.err("ERROR: unable to create video/avc codec instance\n");
      return 1;
    }
    const rate = /^(\d+)(M?)$/i.exec(values.get("--bit-rate") ?? "20M");
    const seconds = Math.min(LIMIT_S, Number(values.get("--time-limit") ?? LIMIT_S) || LIMIT_S);
    const done = Promise.withResolvers<number>();
    const video = new ScreenVideo(
      phone,
      {
        maxSize: 0,
        maxFps: 0,
        bitRate: Number(rate?.[1] ?? 20) * (rate?.[2] === "" ? 1 : 1_000_000),
        size: size === null ? undefined : { width: Number(size[1]), height: Number(size[2]) },
      },
      ({ bytes }) => {
        io.out(bytes);
        return Promise.resolve();
      },
      () => done.resolve(1),
    );
    const timer = setTimeout(() => done.resolve(0), seconds * 1000);
    io.killed.addEventListener("abort", () => done.resolve(137), { once: true });
    const code = await done.promise;
    clearTimeout(timer);
    video.close();
    return code;
  };
}
