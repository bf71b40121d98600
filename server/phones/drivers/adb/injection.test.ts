/**
 * Whatever a person, a page or a flow writes reaches an Android as data. The simulated phone's shell is a real `/bin/sh`:
 * what got through would run, leave a file, or stand among the programs' arguments as something else than it was.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { PhoneId } from "../../../../shared/ids.ts";
import { PerchError } from "../../../errors.ts";
import {
  type AndroidBench,
  openAndroidBench,
  openSimulatedAndroid,
  type SimulatedAndroid,
} from "./automation/android-bench.fixture.ts";
import { setLocale, setTimeZone } from "./device-settings.ts";

let bench: AndroidBench;
let android: SimulatedAndroid;
let folder: string;
let canary: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "perch-canary-"));
  canary = join(folder, "canary");
  [bench, android] = await Promise.all([openAndroidBench(), openSimulatedAndroid({ scrcpy: false })]);
});
afterAll(async () => {
  await Promise.all([bench.close(), android.close()]);
  rmSync(folder, { recursive: true, force: true });
});

/** What a shell would do something about. `touch` and `reboot` are programs of the phone, `>` is the shell's own. */
const hostile = (): readonly string[] => [
  `$(touch /sdcard/canary)`,
  `\`reboot\``,
  `; echo x > ${canary}`,
  `a && echo x > ${canary} && `,
  `| echo x > ${canary}`,
  `'; echo x > ${canary}; '`,
  `"; echo x > ${canary}; "`,
  `a\necho x > ${canary}\n`,
  `\r\n`,
  "-n evil/.Main",
  "--user",
  "-e",
  "--es",
  "$HOME ${PATH} ~ * ?",
  "\\",
  "%s %n %d",
  "日本語 😀 \u202e\u0000end",
  "\ud800",
  "",
  "x".repeat(200_000),
];
/** As someone would put it where a checked name is asked for. */
const around = () => hostile().flatMap((text) => [text, `com.example.gone${text}`]);

const PROGRAMS = new Set(
  "am app_process cat cmd content dumpsys getprop input ls mkdir mv pm rm screencap settings stat true uiautomator wm appops".split(
    " ",
  ),
);

async function tried(work: () => Promise<unknown>): Promise<void> {
  try {
    await work();
  } catch (error) {
    // A sentence, or it worked: nothing else.
    if (!(error instanceof PerchError)) throw error;
  }
}

function nothingGotThrough(of: Pick<SimulatedAndroid, "simulator">): void {
  expect(existsSync(canary)).toBe(false);
  expect(existsSync(join(of.simulator.root, "sdcard/canary"))).toBe(false);
  expect([...new Set(of.simulator.ran.map(([program = ""]) => program))].filter((name) => !PROGRAMS.has(name))).toEqual(
    [],
  );
}

const file = (name: string, text = "x") => ({
  name,
  size: text.length,
  content: new Blob([text]).stream(),
});

describe("ABUSE-34 an Android gets as data", () => {
  /** Each public function of the driver that takes a text, given every hostile one. */
  const calls: Readonly<Record<string, (id: PhoneId, text: string) => Promise<unknown>>> = {
    openUrl: (id, text) => bench.driver.openUrl(id, text),
    "openUrl after a host": (id, text) => bench.driver.openUrl(id, `https://a.test/${text}`),
    openLink: async (id, text) => bench.driver.automation?.openLink?.(id, `shop://item/${text}`, { browser: false }),
    launchApp: async (id, text) => bench.driver.automation?.launchApp?.(id, text, {}),
    "launchApp with arguments": async (id, text) =>
      bench.driver.automation?.launchApp?.(id, "com.example.form", { [text]: text }),
    closeApp: async (id, text) => bench.driver.automation?.closeApp(id, text),
    clearState: async (id, text) => bench.driver.automation?.clearState(id, text),
    setPermissions: async (id, text) =>
      bench.driver.automation?.setPermissions(id, { [text]: "allow" }, "com.example.form"),
    "setPermissions of an app": async (id, text) => bench.driver.automation?.setPermissions(id, { all: "deny" }, text),
    pressKey: async (id, text) => bench.driver.automation?.pressKey?.(id, text),
    addMedia: async (id, text) => bench.driver.automation?.addMedia?.(id, `${text}.png`, Buffer.from("x")),
    "apps.launch": async (id, text) => bench.driver.apps?.launch(id, text),
    "apps.stop": async (id, text) => bench.driver.apps?.stop(id, text),
    "apps.clear": async (id, text) => bench.driver.apps?.clear(id, text),
    "apps.uninstall": async (id, text) => bench.driver.apps?.uninstall(id, text),
    "files.write": async (id, text) => bench.driver.files.write?.(id, file(text), () => {}),
    "files.read": async (id, text) => (await bench.driver.files.read(id, text)).cancel(),
    "files.remove": (id, text) => bench.driver.files.remove(id, text),
    "clipboard.write": (id, text) => bench.driver.clipboard.write(id, text.slice(0, 5_000)),
  };
  it.each(Object.keys(calls))("ABUSE-34 what is given to %s", async (name) => {
    const call = calls[name];
    const texts = /apps\.|App|State/.test(name) && !name.includes("arguments") ? around() : hostile();
    for (const text of texts) await tried(async () => call?.(bench.phoneId, text));
    nothingGotThrough(bench);
  });

  it("ABUSE-34 texts, time zones and languages, also without scrcpy", async () => {
    for (const text of hostile()) {
      await tried(() => android.screen.input({ type: "text", value: text.slice(0, 500) }));
      await tried(() => setLocale(android.device, text));
      await tried(() => setTimeZone(android.device, text));
    }
    nothingGotThrough(android);
    const locales = android.simulator.ran
      .filter(([, , , name]) => name === "system_locales")
      .map((argv) => argv.at(-1));
    expect(locales).toContain("-n evil/.Main");
    expect(locales).toContain(`; echo x > ${canary}`);
  });

  it("arguments of an app, each as it is and of its type", async () => {
    const values = {
      "-n": "com.example.shop/.ShopActivity",
      "--user": `$(touch /sdcard/canary)`,
      "a b": "'\"`\n;",
      yes: true,
      n: -3,
    };
    await bench.driver.automation?.launchApp?.(bench.phoneId, "com.example.form", values);
    const argv = bench.simulator.ran.findLast(([program, what]) => program === "am" && what === "start");
    expect(argv?.slice(argv.indexOf("--es"))).toEqual([
      ...["--es", "-n", "com.example.shop/.ShopActivity", "--es", "--user", "$(touch /sdcard/canary)"],
      ...["--es", "a b", "'\"`\n;", "--ez", "yes", "true", "--ei", "n", "-3"],
    ]);
    expect(bench.simulator.phone.foreground.package).toBe("com.example.form");
  });

  it("a link, whole, behind an option that takes one", async () => {
    const link = "shop://item/$(touch${IFS}/sdcard/canary)';`reboot`&-n";
    await bench.driver.automation?.openLink?.(bench.phoneId, link, { browser: false });
    const argv = bench.simulator.ran.findLast(([program, what]) => program === "am" && what === "start");
    expect(argv?.slice(-2)).toEqual(["-d", link]);
    nothingGotThrough(bench);
  });

  it("ABUSE-34 any argument at all, as the program gets it", async () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({
        unit: fc.constantFrom("$", "(", ")", "`", "'", '"', "\\", ";", "&", "|", "\n", " ", ">", "-", "{", "}"),
        maxLength: 30,
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 4 }), async (texts) => {
        const plain = texts.filter((one) => !one.includes("\0") && one.isWellFormed());
        await android.device.run(["getprop", "perch", ...plain]);
        expect(android.simulator.ran.at(-1)).toEqual(["getprop", "perch", ...plain]);
      }),
      { numRuns: 40 },
    );
    nothingGotThrough(android);
  });
});
