/** One Android that answers over ADB: what it says about itself, its programs and files, and whether it is still there. */
import type { Clock } from "../../../clock.ts";
import { PerchError } from "../../../errors.ts";
import { type Argv, runCommand, streamCommand } from "./commands.ts";
import { AdbUnavailable } from "./connect/unavailable.ts";
import type { AdbEndpoint, AndroidDevice, AndroidFacts } from "./ports.ts";
import { pullFile, pushFile } from "./sync.ts";

/** How a connection that went half-open is noticed: nothing else says so. */
export interface Probe {
  readonly everyMs: number;
  readonly withinMs: number;
  /** Questions without an answer, one after the other, that end the connection. */
  readonly misses: number;
}
export const PROBE: Probe = { everyMs: 5_000, withinMs: 5_000, misses: 2 };

/** @throws PerchError `phone_unavailable`; `AdbUnavailable` says the reason */
export async function openAndroidDevice(
  endpoint: AdbEndpoint,
  options: { readonly clock: Clock; readonly signal: AbortSignal; readonly probe?: Probe },
): Promise<AndroidDevice> {
  const { words } = endpoint;
  const { clock, signal, probe = PROBE } = options;
  const adb = await endpoint.open(signal);
  const gone = Promise.withResolvers<void>();
  void adb.disconnected.then(gone.resolve, gone.resolve);
  const run: AndroidDevice["run"] = (argv, how = {}) => runCommand(adb, words, argv, how);
  const text: AndroidDevice["text"] = async (argv, how) => {
    const { exitCode, stdout, stderr } = await run(argv, how);
    const said = Buffer.from(stdout).toString("utf8");
    if (exitCode === 0) return said;
    throw new PerchError("phone_unavailable", `The phone could not do this: ${inOneLine(stderr || said)}`);
  };
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= adb.close().then(gone.resolve, gone.resolve);
    return closed;
  };
  try {
    const facts = await readFacts(text, words, signal);
    keepAlive(run, gone.promise, probe, close);
    return {
      words,
      facts,
      adb,
      run,
      text,
      stream: (argv, until) => streamCommand(adb, words, argv, until),
      push: (path, content, { mode = 0o644 } = {}) =>
        pushFile(adb, words, path, content, { mode, modifiedMs: clock.now() }),
      pull: (path) => pullFile(adb, words, path),
      gone: gone.promise,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function keepAlive(run: AndroidDevice["run"], gone: Promise<void>, probe: Probe, close: () => Promise<void>): void {
  const over = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  let missed = 0;
  void gone.then(() => {
    clearTimeout(timer);
    over.abort();
  });
  const ask = async () => {
    try {
      await run(["true"], { timeoutMs: probe.withinMs, signal: over.signal });
      missed = 0;
    } catch {
      missed += 1;
    }
    if (over.signal.aborted) return;
    if (missed >= probe.misses) await close();
    else later();
  };
  const later = () => {
    timer = setTimeout(() => void ask(), probe.everyMs).unref();
  };
  later();
}

const MAX_PIXELS = 16_384;

async function readFacts(text: AndroidDevice["text"], words: string, signal: AbortSignal): Promise<AndroidFacts> {
  const ask = async (...argv: Argv) => (await text(argv, { signal, maxBytes: 16_384 })).trim();
  const [sdk, release, model, abi, size, density] = await Promise.all([
    ask("getprop", "ro.build.version.sdk"),
    ask("getprop", "ro.build.version.release"),
    ask("getprop", "ro.product.model"),
    ask("getprop", "ro.product.cpu.abi"),
    ask("wm", "size"),
    ask("wm", "density"),
  ]);
  // What was set by hand is what is shown and what input means.
  const [, width, height] = /Override size: (\d+)x(\d+)/.exec(size) ?? /Physical size: (\d+)x(\d+)/.exec(size) ?? [];
  const dots = /Override density: (\d+)/.exec(density) ?? /Physical density: (\d+)/.exec(density) ?? [];
  const number = (digits: string | undefined, most: number) => {
    const value = /^\d{1,6}$/.test(digits ?? "") ? Number(digits) : 0;
    if (value >= 1 && value <= most) return value;
    throw new AdbUnavailable("device_gone", `${words} does not say what it is, as an Android that has started would.`);
  };
  return {
    sdk: number(sdk, 1_000),
    release: inOneLine(release),
    model: inOneLine(model) || "Android",
    abi: inOneLine(abi),
    width: number(width, MAX_PIXELS),
    height: number(height, MAX_PIXELS),
    density: number(dots[1], 2_000),
  };
}

/** Words of a device, for people: cut, and without what moves cursors. */
export function inOneLine(text: string): string {
  return text
    .replace(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ")
    .trim()
    .slice(0, 200);
}
