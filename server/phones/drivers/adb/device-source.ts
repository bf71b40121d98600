/**
 * Phones that are devices of the operator's: on the ADB server, by cable or network, or called directly by address. A device
 * is one phone at a time. Nobody else can turn it on or off, so starting is reaching it and parking is letting go of it.
 */
import { type AndroidDeviceId, idSchema, newId, type PhoneId } from "../../../../shared/ids.ts";
import type { PhoneModel, WipeReceipt } from "../../../../shared/phones.ts";
import type { Audit } from "../../../audit/audit.repo.ts";
import type { Clock } from "../../../clock.ts";
import { type Database, isUniqueViolation } from "../../../db/database.ts";
import { PerchError } from "../../../errors.ts";
import { errorFields, type Log } from "../../../log.ts";
import type { DriverState, PhoneSpec } from "../../driver.ts";
import { within } from "./connect/bounded.ts";
import { type AdbServer, deviceTrouble, type ServerDevice } from "./connect/server.ts";
import { AdbUnavailable } from "./connect/unavailable.ts";
import { openAndroidDevice } from "./device.ts";
import { deviceAddressText, parseDeviceAddress, serialText } from "./device-address.ts";
import { rememberBefore, wipeDevice } from "./device-wipe.ts";
import type { DeviceRow, DevicesRepo } from "./devices.repo.ts";
import type { AdbEndpoint, AndroidDevice, AndroidSource, SourceEvent } from "./ports.ts";

export interface DeviceSourceOptions {
  readonly db: Database;
  readonly repo: DevicesRepo;
  readonly audit: Audit;
  readonly clock: Clock;
  readonly log: Log;
  /** Absent where the operator switched it off. */
  readonly server: AdbServer | undefined;
  /** A device that is called by its address. */
  readonly direct: (to: { readonly host: string; readonly port: number }) => AdbEndpoint;
  /** Every device of the ADB server is registered as it is seen. */
  readonly discovered: boolean;
}

const FIRST_LIST_MS = 2_000;
const OPEN_MS = 20_000;
const SLEEP_MS = 4_000;
/** How long what is known of a device that is called directly is believed. */
const LOOK_AGAIN_MS = 15_000;
const deviceId = idSchema("androidDevice");
/** Between looking whether a device fits and opening it. */
const WORDS_MAX = 60;

export function createDeviceSource(options: DeviceSourceOptions): AndroidSource {
  const { db, repo, audit, clock, log, server, direct, discovered } = options;
  const listeners = new Set<(event: SourceEvent) => void>();
  const closing = new AbortController();
  const looked = new Map<AndroidDeviceId, { readonly at: number; readonly trouble: string | undefined }>();
  /** What the ADB server said last; `undefined`: it does not answer. */
  let listed: readonly ServerDevice[] | undefined;
  const first = Promise.withResolvers<void>();
  let registering: Promise<void> = Promise.resolve();

  const tracking =
    server?.track((devices) => {
      const before = listed;
      listed = devices;
      first.resolve();
      registering = registering
        .then(() => seen(devices ?? [], before ?? []))
        .catch((error: unknown) => {
          log.warn("Devices of the ADB server were not looked through", errorFields(error));
        });
    }, closing.signal) ?? Promise.resolve();

  async function seen(now: readonly ServerDevice[], before: readonly ServerDevice[]): Promise<void> {
    if (closing.signal.aborted) return;
    const rows = await repo.list();
    for (const { serial, state, model } of now) {
      const row = rows.find(({ endpoint }) => endpoint === `server:${serial}`);
      const isNews = before.find((one) => one.serial === serial)?.state !== state;
      if (row?.phoneId !== undefined && row.phoneId !== null && isNews) {
        for (const listener of listeners) listener({ type: "hint", phoneId: row.phoneId });
      }
      if (row === undefined && discovered && state === "device" && serialText(serial) !== undefined) {
        await register(serial, model ?? "Android");
      }
    }
  }
  async function register(serial: string, label: string): Promise<void> {
    const id = newId("androidDevice");
    const row = { id, endpoint: `server:${serial}`, label: label.slice(0, WORDS_MAX), addedAt: new Date(clock.now()) };
    await db
      .tx(async (tx) => {
        await repo.insert(tx, row);
        const entry = { chain: "server", actor: "server", action: "admin.android_device_added", object: id } as const;
        await audit.record(tx, entry);
      })
      .catch((error: unknown) => {
        if (!isUniqueViolation(error)) throw error;
      });
  }

  function endpointOf(row: DeviceRow): AdbEndpoint {
    const address = parseDeviceAddress(row.endpoint);
    if (address?.by === "tcp") return direct(address.to);
    if (address === undefined)
      throw new PerchError("unavailable", `${row.label} is registered with an address that cannot be read.`);
    if (server !== undefined) return server.endpoint(address.serial);
    throw new AdbUnavailable("host_gone", `${row.label} is reached through an ADB server, and none is used here.`);
  }
  async function open(row: DeviceRow, ms: number, signal?: AbortSignal): Promise<AndroidDevice> {
    const signals = [closing.signal, AbortSignal.timeout(ms), ...(signal === undefined ? [] : [signal])];
    const timed = AbortSignal.any(signals);
    return within(ms, row.label, openAndroidDevice(endpointOf(row), { clock, signal: timed }), signal).catch(
      (error: unknown) => {
        throw inWords(row, error);
      },
    );
  }
  /** The device under its label: people know no serials. */
  function inWords(row: DeviceRow, error: unknown): unknown {
    if (!(error instanceof AdbUnavailable)) return error;
    const address = parseDeviceAddress(row.endpoint);
    const name = address === undefined ? row.endpoint : deviceAddressText(address).slice(address.by.length + 1);
    return new AdbUnavailable(error.reason, error.message.replaceAll(name, row.label), { cause: error.cause });
  }
  async function rowOf(id: PhoneId): Promise<DeviceRow> {
    const row = await repo.ofPhone(id);
    if (row !== undefined) return row;
    throw new PerchError("not_found", "The device of this phone is not registered any more.");
  }

  /**
   * What the ADB server has. It tells by itself when a device comes or goes, and not when one that was offline turns out to
   * trust nobody (adb 29): while one is not simply there, it is asked.
   */
  async function devicesNow(rows: readonly DeviceRow[]): Promise<readonly ServerDevice[] | undefined> {
    if (server === undefined) return undefined;
    await within(FIRST_LIST_MS, server.words, first.promise).catch(() => undefined);
    const isThere = (row: DeviceRow) => stateIn(listed, row) === "device";
    const wanted = rows.filter((row) => row.phoneId === null && parseDeviceAddress(row.endpoint)?.by === "server");
    if (wanted.every(isThere)) return listed;
    return server.devices(AbortSignal.any([closing.signal, AbortSignal.timeout(SLEEP_MS)])).catch(() => undefined);
  }
  function stateIn(devices: readonly ServerDevice[] | undefined, row: DeviceRow): string | undefined {
    return devices?.find(({ serial }) => row.endpoint === `server:${serial}`)?.state;
  }

  /** Why no phone can be made of it now; undefined when one can. */
  async function trouble(row: DeviceRow, devices: readonly ServerDevice[] | undefined): Promise<string | undefined> {
    if (row.phoneId !== null) return "It is in use by another phone. Remove that one first.";
    const address = parseDeviceAddress(row.endpoint);
    if (address?.by === "server" && server !== undefined) {
      if (devices === undefined) return `${server.words} does not answer.`;
      const said = deviceTrouble(address.serial, stateIn(devices, row));
      const error = said === undefined ? undefined : inWords(row, said);
      return error instanceof Error ? error.message : undefined;
    }
    const known = looked.get(row.id);
    if (known !== undefined && clock.now() - known.at < LOOK_AGAIN_MS) return known.trouble;
    const found = await open(row, SLEEP_MS).then(
      async (device) => {
        await device.close();
        return undefined;
      },
      (error: unknown) => (error instanceof PerchError ? error.message : `${row.label} does not answer.`),
    );
    looked.set(row.id, { at: clock.now(), trouble: found });
    return found;
  }

  async function claim(spec: PhoneSpec): Promise<{ row: DeviceRow; isNew: boolean }> {
    const id = deviceId.safeParse(spec.model?.slice("device:".length)).data;
    const found = id === undefined ? undefined : await repo.find(id);
    if (found === undefined)
      throw new PerchError("not_found", "This device is not registered here any more. Choose another one.");
    const busy = () =>
      new PerchError(
        "conflict",
        `${found.label} is in use by another phone. Choose another one, or remove that phone.`,
      );
    const row = await db
      .tx((tx) => repo.claim(tx, found.id, spec.id))
      .catch((error: unknown) => {
        throw isUniqueViolation(error) ? busy() : error;
      });
    if (row === undefined) throw busy();
    return { row, isNew: found.phoneId !== spec.id };
  }

  return {
    name: "device",
    async models() {
      await registering;
      const rows = await repo.list();
      const devices = await devicesNow(rows);
      return Promise.all(
        rows.map(async (row): Promise<PhoneModel> => {
          const unavailable = await trouble(row, devices);
          return {
            id: `device:${row.id}`,
            driver: "adb",
            label: row.label,
            ...(row.region !== null && { detail: row.region }),
            ...(unavailable !== undefined && { unavailable }),
          };
        }),
      );
    },
    async create(spec) {
      const { row, isNew } = await claim(spec);
      try {
        const device = await open(row, OPEN_MS);
        try {
          await rememberBefore(device, spec.id);
        } finally {
          await device.close();
        }
      } catch (error) {
        if (isNew) await db.tx((tx) => repo.release(tx, spec.id));
        throw error;
      }
    },
    async start(spec) {
      return endpointOf(await rowOf(spec.id));
    },
    async park(id) {
      const row = await repo.ofPhone(id);
      if (row === undefined) return;
      // Its screen goes dark where it can be reached; that it is let go of does not depend on it.
      const device = await open(row, SLEEP_MS).catch(() => undefined);
      await device?.run(["input", "keyevent", "KEYCODE_SLEEP"], { timeoutMs: SLEEP_MS }).catch(() => undefined);
      await device?.close();
    },
    async remove(id, connected): Promise<WipeReceipt> {
      const wipedAt = () => new Date(clock.now()).toISOString();
      const row = await repo.ofPhone(id);
      if (row === undefined) return { phoneId: id, files: 0, bytes: 0, verifiedAbsent: true, wipedAt: wipedAt() };
      const device =
        connected ??
        (await open(row, OPEN_MS).catch((cause: unknown) => {
          const todo = "Connect it: what the phone stored is wiped then, and until then it is not gone.";
          throw new PerchError("phone_unavailable", `${row.label} cannot be reached. ${todo}`, { cause });
        }));
      try {
        const wiped = await wipeDevice(device, id);
        if (wiped.verifiedAbsent) await db.tx((tx) => repo.release(tx, id));
        return { phoneId: id, ...wiped, wipedAt: wipedAt() };
      } finally {
        if (connected === undefined) await device.close();
      }
    },
    async state(id): Promise<DriverState> {
      const row = await repo.ofPhone(id);
      if (row === undefined) return "absent";
      const state = stateIn(listed, row);
      return state === "device" ? "running" : "unknown";
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    /** Of devices nothing is left running: they are not ours to turn off. */
    async recover() {
      const rows = await repo.list();
      return rows.flatMap(({ phoneId }) => (phoneId === null ? [] : [{ id: phoneId, state: "parked" as const }]));
    },
    async close() {
      closing.abort(new PerchError("unavailable", "The server is stopping."));
      await tracking;
      await registering;
      listeners.clear();
    },
  };
}
