/** What an operator does about Android devices: looks what is missing, registers devices, forgets them. */
import { type AndroidDeviceId, newId } from "../../../../shared/ids.ts";
import { isUniqueViolation } from "../../../db/database.ts";
import { PerchError } from "../../../errors.ts";
import { type AndroidParts, createAndroidParts, directEndpoint } from "./compose.ts";
import type { ServerDevice } from "./connect/server.ts";
import { inOneLine, openAndroidDevice } from "./device.ts";
import { type DeviceAddress, deviceAddressText, parseDeviceAddress } from "./device-address.ts";
import { createDevicesRepo, type DeviceRow } from "./devices.repo.ts";
import { HELPER_VERSION, type HelperApksConfig, readHelperApks } from "./helper-apks.ts";
import type { AndroidFacts } from "./ports.ts";
import { readScrcpyServer, SCRCPY_RELEASE_SHA256, SCRCPY_RELEASE_URL, SCRCPY_VERSION } from "./scrcpy-server.ts";

export interface SetupLine {
  readonly ready: boolean;
  readonly words: string;
}
export interface DeviceLine {
  readonly row: DeviceRow;
  /** How it is, in words. */
  readonly health: string;
}

export interface AndroidDesk {
  setup(): Promise<readonly SetupLine[]>;
  key(): Promise<string>;
  /** Registered ones, and those the ADB server has besides. */
  devices(): Promise<{ readonly registered: readonly DeviceLine[]; readonly seen: readonly ServerDevice[] }>;
  /** @throws PerchError for one that cannot be reached, or is registered already */
  add(
    device: {
      readonly address: DeviceAddress;
      readonly label: string | undefined;
      readonly region: string | undefined;
    },
    reason: string,
  ): Promise<{ readonly id: AndroidDeviceId; readonly label: string; readonly facts: AndroidFacts }>;
  forget(id: AndroidDeviceId, reason: string): Promise<void>;
}

const ANSWER_MS = 5_000;
/** A person walks to the device and allows this server. */
const ALLOW_MS = 60_000;

export function createAndroidDesk(options: Parameters<typeof createAndroidParts>[0]): AndroidDesk {
  const parts = createAndroidParts(options);
  const { db, audit, clock, config, keys, server } = parts;
  const repo = createDevicesRepo(db);

  async function look(address: DeviceAddress, ms: number): Promise<AndroidFacts> {
    const signal = AbortSignal.timeout(ms);
    const endpoint = endpointOf(parts, address);
    try {
      const device = await openAndroidDevice(endpoint, { clock, signal });
      await device.close();
      return device.facts;
    } catch (error) {
      if (error instanceof PerchError) throw error;
      throw new PerchError("phone_unavailable", `${endpoint.words} does not answer.`, { cause: error });
    }
  }

  return {
    async setup() {
      const lines: SetupLine[] = [];
      const scrcpy = await readScrcpyServer(config);
      lines.push(
        scrcpy.usable
          ? { ready: true, words: `scrcpy's server is there, and is the file it should be (${scrcpy.sha256}).` }
          : { ready: false, words: `${scrcpy.words}${scrcpy.unset ? howToGetScrcpy() : ""}` },
      );
      lines.push(await helperLine(config));
      if (server === undefined) lines.push({ ready: true, words: "No ADB server is used: ADB_SERVER is off." });
      else {
        const said = await server.devices(AbortSignal.timeout(ANSWER_MS)).then(
          (devices) => ({ ready: true, words: `${server.words} answers and has ${count(devices.length)}.` }),
          () => ({
            ready: false,
            words: `${server.words} does not answer. Install adb (Debian: apt-get install adb) and run: adb start-server. If only devices called by address are used, set ADB_SERVER=off.`,
          }),
        );
        lines.push(said);
      }
      await keys.publicKey();
      lines.push({ ready: true, words: "The key for devices that are called by address is there; see: android key." });
      const rows = await repo.list();
      lines.push({
        ready: rows.length > 0 || config.ANDROID_DEVICES === "discovered",
        words:
          config.ANDROID_DEVICES === "discovered"
            ? `Every device of the ADB server can be a phone; ${rows.length} are registered.`
            : rows.length === 0
              ? "No device is registered. Register one with: android add."
              : `${count(rows.length)} registered; see: android devices.`,
      });
      return lines;
    },
    key: () => keys.publicKey(),
    async devices() {
      const rows = await repo.list();
      const listed = await server?.devices(AbortSignal.timeout(ANSWER_MS)).catch(() => undefined);
      const registered = await Promise.all(
        rows.map(async (row): Promise<DeviceLine> => {
          const address = parseDeviceAddress(row.endpoint);
          if (address === undefined) return { row, health: "its address cannot be read" };
          const facts = await look(address, ANSWER_MS).catch((error: unknown) =>
            error instanceof Error ? error.message : "?",
          );
          const state = typeof facts === "string" ? facts : `Android ${facts.release}, ${facts.model}`;
          return { row, health: row.phoneId === null ? state : `a phone now; ${state}` };
        }),
      );
      const known = new Set(rows.map(({ endpoint }) => endpoint));
      return { registered, seen: (listed ?? []).filter(({ serial }) => !known.has(`server:${serial}`)) };
    },
    async add({ address, label, region }, reason) {
      const facts = await look(address, ALLOW_MS);
      const row = {
        ...{ id: newId("androidDevice"), endpoint: deviceAddressText(address) },
        ...{
          label: label ?? inOneLine(facts.model).slice(0, 60),
          region: region ?? null,
          addedAt: new Date(clock.now()),
        },
      };
      await db
        .tx(async (tx) => {
          await repo.insert(tx, row);
          await audit.record(tx, {
            ...{ chain: "server", actor: "operator", action: "admin.android_device_added", object: row.id },
            detail: { reason },
          });
        })
        .catch((error: unknown) => {
          if (!isUniqueViolation(error)) throw error;
          throw new PerchError("conflict", "This device is registered already; see: android devices.");
        });
      return { id: row.id, label: row.label, facts };
    },
    async forget(id, reason) {
      const row = await repo.find(id);
      if (row === undefined) throw new PerchError("not_found", "There is no such device; see: android devices.");
      const isGone = await db.tx(async (tx) => {
        if (!(await repo.delete(tx, id))) return false;
        await audit.record(tx, {
          ...{ chain: "server", actor: "operator", action: "admin.android_device_removed", object: id },
          detail: { reason },
        });
        return true;
      });
      if (!isGone) {
        throw new PerchError(
          "conflict",
          `${row.label} is somebody's phone now. When that phone is removed and wiped, forget it.`,
        );
      }
    },
  };
}

function endpointOf(parts: AndroidParts, address: DeviceAddress) {
  if (address.by === "tcp") return directEndpoint(parts, address.to);
  if (parts.server !== undefined) return parts.server.endpoint(address.serial);
  throw new PerchError(
    "bad_input",
    "No ADB server is used here: ADB_SERVER is off. Give --address instead, or set it.",
  );
}

function howToGetScrcpy(): string {
  return ` The release's is ${SCRCPY_RELEASE_URL} (SHA-256 ${SCRCPY_RELEASE_SHA256}); a package named scrcpy has it as scrcpy-server if it is version ${SCRCPY_VERSION}.`;
}

/** Optional: phones work without. */
async function helperLine(config: HelperApksConfig): Promise<SetupLine> {
  const helper = await readHelperApks(config);
  if (helper.usable)
    return { ready: true, words: "The helper apps for reading screens are there, and are the right ones." };
  if (!helper.unset) return { ready: false, words: helper.words };
  return {
    ready: true,
    words: `Flows read screens with Android's own uiautomator, which cannot read one that never rests. To read those too, run npm pack appium-uiautomator2-server@${HELPER_VERSION}, unpack it, and set UIAUTOMATOR_SERVER_PATH to its folder apks. Read docs/android.md first: its apps answer anybody who can reach the device.`,
  };
}

function count(devices: number): string {
  return devices === 1 ? "1 device" : `${devices} devices`;
}
