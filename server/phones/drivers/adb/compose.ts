/** Makes the drivers of Androids; `server.ts` says which sources they have. */
import type { Clock } from "../../../clock.ts";
import type { Config } from "../../../config.ts";
import type { Database } from "../../../db/database.ts";
import { PerchError } from "../../../errors.ts";
import type { Log } from "../../../log.ts";
import type { PhoneDriver } from "../../driver.ts";
import { type AdbKeys, createAdbKeys } from "./connect/keys.ts";
import type { AndroidSource } from "./ports.ts";

export interface AndroidParts {
  readonly config: Config;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  /** For endpoints that are called directly: containers' and a partner's. */
  readonly keys: AdbKeys;
}

/** `key`: `deriveKey(master, "adb key")`. */
export function createAndroidParts(
  options: Pick<AndroidParts, "config" | "db" | "clock" | "log"> & { readonly key: Buffer },
): AndroidParts {
  const { key, ...rest } = options;
  return { ...rest, keys: createAdbKeys(options.config.DATA_DIR, key) };
}

/** Devices the operator registered, and with `ANDROID_DEVICES=discovered` those of the ADB server. */
export function createDeviceSource(parts: AndroidParts): AndroidSource {
  void parts;
  throw new PerchError("unavailable", "There are no Android devices yet.");
}

/** One driver of one kind; `sources` in the order their models are offered. */
export function createAndroidDriver(
  parts: AndroidParts,
  of: { readonly kind: "adb" | "geelark"; readonly sources: readonly AndroidSource[] },
): PhoneDriver {
  void parts;
  throw new PerchError("unavailable", `There are no phones of the kind ${of.kind} yet.`);
}
