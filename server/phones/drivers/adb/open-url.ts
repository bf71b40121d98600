/** Opening addresses. */
import { parsePhoneUrl } from "../../../../shared/phones.ts";
import { PerchError } from "../../../errors.ts";
import type { AndroidDevice } from "./ports.ts";

/**
 * `am start -a android.intent.action.VIEW -d <address>` (ActivityManagerShellCommand). Only what `parsePhoneUrl` takes is
 * opened: an `intent:` or `content:` address could start anything on the device.
 */
export async function openUrl(device: AndroidDevice, url: string): Promise<void> {
  const parsed = parsePhoneUrl(url);
  if (parsed === undefined) {
    throw new PerchError("address_not_allowed", "A phone opens addresses that start with https:// or http:// only.");
  }
  await startActivity(
    device,
    ["-a", "android.intent.action.VIEW", "-d", parsed],
    "No app on this phone opens addresses.",
  );
}

/** `am` ends with 0 for much that failed and says so in words. */
export async function startActivity(device: AndroidDevice, intent: readonly string[], sentence: string): Promise<void> {
  const { exitCode, stdout, stderr } = await device.run(["am", "start", ...intent], { timeoutMs: 20_000 });
  const said = `${Buffer.from(stdout).toString("utf8")}\n${stderr}`;
  if (exitCode !== 0 || /^(Error|Exception|java\.)/m.test(said)) throw new PerchError("phone_unavailable", sentence);
}
