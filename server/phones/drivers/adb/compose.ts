/** Makes the drivers of Androids; whoever composes the server says which sources they have. */
import type { Audit } from "../../../audit/audit.repo.ts";
import type { Clock } from "../../../clock.ts";
import type { Config } from "../../../config.ts";
import type { Database } from "../../../db/database.ts";
import type { Log } from "../../../log.ts";
import type { PhoneDriver, TimedPicture } from "../../driver.ts";
import { AndroidDriver } from "./android-driver.ts";
import type { Retry } from "./android-phone.ts";
import { androidAutomations, createAndroidAutomation } from "./automation/automation.ts";
import { type Address, dialOwn } from "./connect/dial-device.ts";
import { tcpEndpoint } from "./connect/endpoints.ts";
import { type AdbKeys, createAdbKeys } from "./connect/keys.ts";
import { type AdbServer, createAdbServer } from "./connect/server.ts";
import type { Probe } from "./device.ts";
import { createDeviceSource as createSource } from "./device-source.ts";
import { createDevicesRepo } from "./devices.repo.ts";
import { readHelperApks } from "./helper-apks.ts";
import type { AdbEndpoint, AndroidSource } from "./ports.ts";
import { scrcpyServerFile } from "./scrcpy-server.ts";
import { openAndroidScreen } from "./screen/open-screen.ts";
import { packMp4 } from "./screen/pack-mp4.ts";

export interface AndroidParts {
  readonly config: Config;
  readonly db: Database;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  /** For endpoints that are called directly: containers' and a partner's. */
  readonly keys: AdbKeys;
  /** The operator's ADB server; undefined when it is not used. */
  readonly server: AdbServer | undefined;
}

/** `key`: `deriveKey(master, "adb key")`. Nothing is connected or made yet. */
export function createAndroidParts(
  options: Pick<AndroidParts, "config" | "db" | "audit" | "clock" | "log"> & { readonly key: Buffer },
): AndroidParts {
  const { key, ...rest } = options;
  const { ADB_SERVER: at, DATA_DIR } = options.config;
  return {
    ...rest,
    keys: createAdbKeys(DATA_DIR, key),
    server: at && createAdbServer(at, dialOwn()),
  };
}

/** A device of the operator's at an address. */
export function directEndpoint({ keys }: Pick<AndroidParts, "keys">, to: Address): AdbEndpoint {
  return tcpEndpoint(to, keys, dialOwn());
}

/** Devices the operator registered, and with `ANDROID_DEVICES=discovered` those of the ADB server. */
export function createDeviceSource(parts: AndroidParts): AndroidSource {
  const { config, db, audit, clock, log, server } = parts;
  return createSource({
    ...{ db, audit, clock, log, server },
    repo: createDevicesRepo(db),
    direct: (to) => directEndpoint(parts, to),
    discovered: config.ANDROID_DEVICES === "discovered",
  });
}

/** One driver of one kind; `sources` in the order their models are offered. */
export function createAndroidDriver(
  parts: Pick<AndroidParts, "config" | "clock" | "log">,
  of: {
    readonly kind: "adb" | "geelark";
    readonly sources: readonly AndroidSource[];
    /** The web driver's, where it can. */
    readonly encodeVideo?: (pictures: readonly TimedPicture[], durationMs: number) => Promise<Uint8Array>;
    /** Replaced in tests that do not wait as long. */
    readonly retry?: Partial<Retry>;
    readonly probe?: Probe;
  },
): PhoneDriver {
  const { config, clock, log } = parts;
  const scrcpyServer = scrcpyServerFile(config);
  const videos = scrcpyServer !== undefined;
  const recording = videos || of.encodeVideo !== undefined;
  return new AndroidDriver({
    ...of,
    ...{ clock, log },
    audio: videos,
    ...(videos && { packVideo: packMp4 }),
    automations: (phone) => androidAutomations(phone, recording),
    makers: {
      openScreen: (device, events) =>
        openAndroidScreen(device, { clock, log, events, ...(scrcpyServer !== undefined && { scrcpyServer }) }),
      createAutomation: (device, { size, screenshot }) =>
        createAndroidAutomation(device, {
          ...{ size, screenshot, recording, clock, log },
          ...(config.UIAUTOMATOR_SERVER_PATH !== undefined && { helperApks: () => readHelperApks(config) }),
        }),
    },
  });
}
