/** What real Android needs, as far as it is set up here. */
import type { Config } from "../config.ts";
import { lookAtDocker } from "../phones/drivers/adb/containers/look.ts";
import { readScrcpyServer } from "../phones/drivers/adb/scrcpy-server.ts";
import { fail, ok, sentenceOf, type Verdict, warn } from "./diagnosis.ts";
import { firstBytes } from "./reach.ts";

/** Asks for the version, as AOSP's `packages/modules/adb/SERVICES.TXT` has it. */
const VERSION = "000Chost:version";

export async function adbVerdict({ ADB_SERVER }: Pick<Config, "ADB_SERVER">, signal: AbortSignal): Promise<Verdict> {
  if (ADB_SERVER === undefined) return ok("ADB is switched off.");
  const { host, port } = ADB_SERVER;
  const answer = await firstBytes(ADB_SERVER, VERSION, signal).catch((error: unknown) => sentenceOf(error));
  if (answer === undefined) return ok(`No ADB server runs at ${host}:${port}; only Android devices need one.`);
  if (typeof answer !== "string" && answer.toString("latin1").startsWith("OKAY")) {
    return ok(`The ADB server at ${host}:${port} answers.`);
  }
  return warn(
    `What listens at ${host}:${port} is no ADB server.`,
    "Correct ADB_SERVER, or set it to off where there are no Android devices.",
  );
}

export async function scrcpyVerdict(
  config: Pick<Config, "SCRCPY_SERVER_PATH" | "SCRCPY_SERVER_SHA256">,
): Promise<Verdict | undefined> {
  const server = await readScrcpyServer(config);
  if (server.usable) return ok("scrcpy's server is the file it should be.");
  return server.unset ? undefined : fail(server.words, "Until then Android phones show pictures instead of video.");
}

export async function dockerVerdict(
  config: Pick<Config, "DOCKER_HOST" | "DOCKER_CERT_PATH" | "ANDROID_IMAGES">,
): Promise<Verdict | undefined> {
  const { DOCKER_HOST, DOCKER_CERT_PATH } = config;
  if (DOCKER_HOST === undefined) return undefined;
  try {
    const { version, api } = await lookAtDocker({ DOCKER_HOST, DOCKER_CERT_PATH });
    const says = `The Docker Engine is ${version}, API ${api}.`;
    if (config.ANDROID_IMAGES !== undefined) return ok(`${says} More: npm run admin -- hosts check`);
    return warn(`${says} There are no images for phones in it.`, "Set ANDROID_IMAGES; see docs/android-hosts.md.");
  } catch (error) {
    return fail(
      `The Docker Engine at DOCKER_HOST cannot be used: ${sentenceOf(error)}`,
      "Start it, let this user use it, or correct DOCKER_HOST and DOCKER_CERT_PATH.",
    );
  }
}
