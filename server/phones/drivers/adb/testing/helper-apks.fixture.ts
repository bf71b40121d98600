/** Stand-ins for the helper's APKs, under the real ones' names: the simulator looks at their manifests alone. */
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HELPER_PACKAGES, HELPER_VERSION } from "../helper-apks.ts";
import { makeApk } from "../simulator/apk.ts";

export function helperApksIn(folder: string): {
  UIAUTOMATOR_SERVER_PATH: string;
  UIAUTOMATOR_SERVER_SHA256: string;
} {
  const path = join(folder, "package");
  mkdirSync(join(path, "apks"), { recursive: true });
  const names = [
    `appium-uiautomator2-server-v${HELPER_VERSION}.apk`,
    "appium-uiautomator2-server-debug-androidTest.apk",
  ];
  const sums = HELPER_PACKAGES.map((name, at) => {
    const apk = makeApk({ package: name, minSdk: 26 });
    writeFileSync(join(path, "apks", names[at] ?? ""), apk);
    return createHash("sha256").update(apk).digest("hex");
  });
  return { UIAUTOMATOR_SERVER_PATH: path, UIAUTOMATOR_SERVER_SHA256: sums.join(",") };
}
