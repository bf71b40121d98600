/** Androids at the partner, one for each phone. Our own id stands in its remark, so that none is made twice or lost. */
import { isIP } from "node:net";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { Clock } from "../../../clock.ts";
import type { Database } from "../../../db/database.ts";
import { isPublicAddress, machineAddresses } from "../../../egress/address.ts";
import { PerchError } from "../../../errors.ts";
import { errorFields, type Log } from "../../../log.ts";
import { isOnThisMachine } from "../../../privacy/processors/processors.ts";
import type { PhoneSpec } from "../../driver.ts";
import { AdbUnavailable } from "../adb/connect/unavailable.ts";
import type { AdbEndpoint, AdbReason, AndroidSource, SourceEvent } from "../adb/ports.ts";
import type { AdbData, GeelarkApi, VendorPhone } from "./api.ts";
import { type AndroidVersion, modelsOf, type Region, SOURCE_NAME, vendorType } from "./catalogue.ts";
import type { GeelarkRepo } from "./geelark.repo.ts";
import type { Marks } from "./marks.ts";
import { driverState } from "./states.ts";
import { lockWords, PATHS, PartnerError } from "./troubles.ts";
import type { Pause, VendorPhones } from "./vendor-phones.ts";

export interface GeelarkSource extends AndroidSource {
  /** Phones something is done to now: whoever looks at all of them leaves these alone. */
  isBusy(id: PhoneId): boolean;
  tell(event: SourceEvent): void;
}

/** How often a creation without an answer is looked for, and how long between, in milliseconds. */
const LOST_LOOKS = [1_000, 3_000, 6_000];

function reasonOf({ trouble }: PartnerError): AdbReason {
  if (trouble === "notRunning") return "partner_stopped";
  return trouble === "gone" || trouble === "expired" ? "partner_ended" : "partner_down";
}

export function createGeelarkSource(options: {
  readonly api: GeelarkApi;
  readonly there: VendorPhones;
  readonly repo: GeelarkRepo;
  readonly marks: Marks;
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Log;
  readonly pause: Pause;
  /** Of its interface: an ADB address on this machine or beside it is believed of an emulator here alone. */
  readonly base: string;
  readonly versions: readonly AndroidVersion[];
  readonly region: Region | undefined;
  readonly proxy: string;
  readonly connect: (words: string, find: (signal: AbortSignal) => Promise<AdbData>) => AdbEndpoint;
}): GeelarkSource {
  const { api, there, repo, marks, db, clock, log, pause, versions, region, connect } = options;
  const listeners = new Set<(event: SourceEvent) => void>();
  const busy = new Map<PhoneId, number>();
  const never = new AbortController().signal;
  const now = () => new Date(clock.now());
  const isLocal = isOnThisMachine(new URL(options.base).hostname.replace(/^\[|\]$/g, ""));

  async function whileBusy<T>(id: PhoneId, work: () => Promise<T>): Promise<T> {
    busy.set(id, (busy.get(id) ?? 0) + 1);
    try {
      return await work();
    } finally {
      const left = (busy.get(id) ?? 1) - 1;
      if (left === 0) busy.delete(id);
      else busy.set(id, left);
    }
  }

  /** What the partner has under our id, the first made first. */
  async function found(id: PhoneId): Promise<readonly VendorPhone[]> {
    const listed = await api.list(marks.remark(id));
    const ours = listed.filter(({ remark }) => marks.phoneIn(remark) === id);
    const order = (a: string, b: string) => a.length - b.length || (a < b ? -1 : 1);
    return ours.sort((a, b) => order(a.vendorId, b.vendorId));
  }

  /** Asks once. Without an answer it may have been made all the same, and is looked for. */
  async function make(spec: PhoneSpec): Promise<string> {
    const { id } = spec;
    const type = vendorType(spec.model, versions);
    try {
      return await api.create({ name: id, remark: marks.remark(id), type, region, proxy: options.proxy });
    } catch (error) {
      if (!(error instanceof PartnerError) || !error.isUncertain) throw error;
      for (const wait of LOST_LOOKS) {
        await pause(wait, never);
        const [first] = await found(id).catch(() => []);
        if (first !== undefined) return first.vendorId;
      }
      throw error;
    }
  }

  async function create(spec: PhoneSpec): Promise<string> {
    vendorType(spec.model, versions);
    await db.tx((tx) => repo.begin(tx, spec.id, now()));
    const row = await repo.find(spec.id);
    if (row?.vendorId !== null && row?.vendorId !== undefined) return row.vendorId;
    const [first] = await found(spec.id);
    const vendorId = first?.vendorId ?? (await make(spec));
    await db.tx((tx) => repo.set(tx, spec.id, { vendorId }));
    return vendorId;
  }

  /** A partner that names an address near us would have us knock at our own doors. */
  function judged(data: AdbData): AdbData {
    const isFine = isLocal || (isPublicAddress(data.host) && !machineAddresses().has(data.host));
    if (isIP(data.host) !== 0 && isFine) return data;
    log.error("The cloud-phone partner named an address for ADB that is not on the internet", { kind: "adb" });
    throw new PartnerError("fault");
  }

  async function vendorOf(id: PhoneId): Promise<string | undefined> {
    const row = await repo.find(id);
    return row === undefined || row.removedAt !== null ? undefined : (row.vendorId ?? undefined);
  }

  return {
    name: SOURCE_NAME,
    async models() {
      const path = PATHS.create;
      const until = await repo.lockedUntil(path);
      const isLocked = until !== undefined && until.getTime() > clock.now();
      return modelsOf(versions, region, isLocked ? lockWords(until) : undefined);
    },
    create: (spec) => whileBusy(spec.id, async () => void (await create(spec))),
    start: (spec, signal) =>
      whileBusy(spec.id, async () => {
        const vendorId = await create(spec);
        await there.start(vendorId, signal);
        const place = spec.settings.geolocation;
        if (place !== undefined) {
          const { latitude, longitude } = place;
          await api.setGps(vendorId, { latitude, longitude }, signal).catch((error: unknown) => {
            signal.throwIfAborted();
            log.warn("The cloud-phone partner did not take a location", { phoneId: spec.id, ...errorFields(error) });
          });
        }
        judged(await there.openAdb(vendorId, signal));
        return connect(`phone ${vendorId} at GeeLark`, async (asking) => {
          try {
            return judged(await there.adb(vendorId, asking));
          } catch (error) {
            throw error instanceof PartnerError ? new AdbUnavailable(reasonOf(error), error.message) : error;
          }
        });
      }),
    park: (id) =>
      whileBusy(id, async () => {
        const vendorId = await vendorOf(id);
        if (vendorId !== undefined) await there.stop(vendorId);
      }),
    remove: (id) =>
      whileBusy(id, async () => {
        const row = await repo.find(id);
        const known = row?.vendorId ?? undefined;
        const all = new Set((await found(id)).map(({ vendorId }) => vendorId));
        if (known !== undefined) all.add(known);
        let isGone = true;
        for (const vendorId of all) isGone = (await there.wipe(vendorId)) && isGone;
        // Also what a creation that was cut off made meanwhile.
        isGone = isGone && (await found(id)).length === 0;
        if (isGone) await db.tx((tx) => repo.set(tx, id, { vendorState: "gone", removedAt: now() }));
        return { phoneId: id, files: 0, bytes: 0, verifiedAbsent: isGone, wipedAt: now().toISOString() };
      }),
    async state(id) {
      const row = await repo.find(id);
      if (row === undefined || row.removedAt !== null) return "absent";
      const { vendorId } = row;
      // A creation whose answer was lost may be there.
      if (vendorId === null) return "unknown";
      try {
        return driverState(await there.state(vendorId));
      } catch (error) {
        if (error instanceof PerchError) return "unknown";
        throw error;
      }
    },
    onEvent(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async recover() {
      const known = await repo.known();
      const states = await there.statesOf(known.map(({ vendorId }) => vendorId)).catch((error: unknown) => {
        if (!(error instanceof PartnerError)) throw error;
        log.warn("The cloud-phone partner does not answer; its phones are looked at again", errorFields(error));
        return new Map();
      });
      return known.map(({ phoneId, vendorId }) => ({
        id: phoneId,
        state: driverState(states.get(vendorId) ?? "unknown"),
      }));
    },
    async close() {
      listeners.clear();
    },
    isBusy: (id) => busy.has(id),
    tell(event) {
      for (const listener of listeners) listener(event);
    },
  };
}
