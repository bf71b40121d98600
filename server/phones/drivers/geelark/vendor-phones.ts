/** The few steps every change of a phone at the partner is made of; each ends by itself and is looked at afterwards. */
import type { Clock } from "../../../clock.ts";
import { PerchError } from "../../../errors.ts";
import { type AdbData, BATCH, type GeelarkApi } from "./api.ts";
import { isOn, type VendorState } from "./states.ts";
import { PartnerError } from "./troubles.ts";

/** How long is waited for what, in milliseconds. */
export interface Pace {
  /** Between two looks: from the first to the last, doubled. */
  readonly look: readonly [number, number];
  readonly start: number;
  readonly stop: number;
  /** "Wait about 3 seconds after enabling ADB" ("Set ADB status"). */
  readonly adbFirst: number;
  readonly adb: number;
  readonly wipe: number;
}
export const PACE: Pace = {
  look: [250, 4_000],
  start: 180_000,
  stop: 60_000,
  adbFirst: 3_000,
  adb: 45_000,
  wipe: 90_000,
};
export type Pause = (ms: number, signal: AbortSignal) => Promise<void>;

export interface VendorPhones {
  /** Asked together with whoever asks at the same moment. */
  state(vendorId: string, signal?: AbortSignal): Promise<VendorState>;
  statesOf(vendorIds: readonly string[]): Promise<ReadonlyMap<string, VendorState>>;
  /** On, and looked at. */
  start(vendorId: string, signal: AbortSignal): Promise<void>;
  /** Off, and looked at. Fine for one that is not there. */
  stop(vendorId: string): Promise<void>;
  /** Off, then deleted; true when it was seen to be gone. */
  wipe(vendorId: string): Promise<boolean>;
  /** Turns ADB on and asks for what it takes. */
  openAdb(vendorId: string, signal: AbortSignal): Promise<AdbData>;
  /** The same where it is on already, as a connection that broke finds it. */
  adb(vendorId: string, signal: AbortSignal): Promise<AdbData>;
}

/** While one is started a second time, or is not to be had for a moment. */
const COMES: readonly number[] = [43009, 43010, 43011, 43020];
/** It waits for whoever asks in the same moment. */
const TOGETHER_MS = 20;

export function createVendorPhones(options: { api: GeelarkApi; clock: Clock; pause: Pause; pace: Pace }): VendorPhones {
  const { api, clock, pause, pace } = options;
  const never = new AbortController().signal;
  let together: { readonly ids: Set<string>; readonly answer: Promise<ReadonlyMap<string, VendorState>> } | undefined;

  async function statesOf(vendorIds: readonly string[]): Promise<ReadonlyMap<string, VendorState>> {
    const found = new Map<string, VendorState>();
    for (let at = 0; at < vendorIds.length; at += BATCH) {
      for (const [id, state] of await api.statuses(vendorIds.slice(at, at + BATCH))) found.set(id, state);
    }
    return found;
  }

  async function state(vendorId: string, signal: AbortSignal = never): Promise<VendorState> {
    if (together === undefined || together.ids.size >= BATCH) {
      const ids = new Set<string>();
      const asked = new Promise((resolve) => setTimeout(resolve, TOGETHER_MS)).then(() => {
        if (together?.ids === ids) together = undefined;
        return statesOf([...ids]);
      });
      together = { ids, answer: asked };
    }
    together.ids.add(vendorId);
    const { answer } = together;
    const states = await answer;
    signal.throwIfAborted();
    return states.get(vendorId) ?? "unknown";
  }

  /** Looks again and again, seldomer each time, until it is as wanted. @throws `late` after `withinMs` */
  async function until(
    vendorId: string,
    isSo: (state: VendorState) => boolean | Promise<boolean>,
    withinMs: number,
    signal: AbortSignal,
  ): Promise<boolean> {
    const end = clock.now() + withinMs;
    for (let wait = pace.look[0]; ; wait = Math.min(wait * 2, pace.look[1])) {
      if (await isSo(await state(vendorId, signal))) return true;
      if (clock.now() >= end) return false;
      await pause(wait, signal);
    }
  }

  async function stop(vendorId: string): Promise<void> {
    const asked = async (there: VendorState) => {
      if (there === "unknown") return false;
      if (!isOn(there)) return true;
      await api.stop(vendorId).catch(unless("busy", "gone", "notRunning"));
      return false;
    };
    if (await until(vendorId, asked, pace.stop, never)) return;
    throw new PerchError(
      "phone_unavailable",
      "The cloud-phone partner did not turn the phone off. Try again; it is tried again by itself, too.",
    );
  }

  async function wipe(vendorId: string): Promise<boolean> {
    const asked = async (there: VendorState) => {
      if (there === "gone") return true;
      if (isOn(there)) await api.stop(vendorId).catch(unless("busy", "gone", "notRunning"));
      else if (there !== "unknown") await api.remove(vendorId).catch(unless("busy", "gone"));
      return false;
    };
    return until(vendorId, asked, pace.wipe, never);
  }

  async function adb(vendorId: string, signal: AbortSignal): Promise<AdbData> {
    const end = clock.now() + pace.adb;
    for (let wait = pace.look[0]; ; wait = Math.min(wait * 2, pace.look[1])) {
      try {
        return await api.adbData(vendorId, signal);
      } catch (error) {
        if (!(error instanceof PartnerError) || error.trouble !== "adbOff" || clock.now() >= end) throw error;
        await api.openAdb(vendorId, signal);
        await pause(Math.max(wait, pace.adbFirst), signal);
      }
    }
  }

  return {
    state,
    statesOf,
    async start(vendorId, signal) {
      const asked = async (there: VendorState) => {
        if (there === "started") return true;
        if (there === "gone" || there === "expired") throw new PartnerError(there);
        // Asked again where it went off on the way up; a state that is not known is only looked at.
        if (there === "stopped") {
          await api.start(vendorId, signal).catch((error: unknown) => {
            const code = error instanceof PartnerError ? error.vendorCode : undefined;
            if (code === undefined || !COMES.includes(code)) throw error;
          });
        }
        return false;
      };
      if (await until(vendorId, asked, pace.start, signal)) return;
      await stop(vendorId).catch(() => {});
      throw new PerchError("phone_unavailable", "The phone did not start at the cloud-phone partner. Try again.");
    },
    stop,
    wipe,
    async openAdb(vendorId, signal) {
      await api.openAdb(vendorId, signal);
      await pause(pace.adbFirst, signal);
      return adb(vendorId, signal);
    },
    adb,
  };
}

function unless(...troubles: readonly PartnerError["trouble"][]): (error: unknown) => void {
  return (error) => {
    if (!(error instanceof PartnerError) || !troubles.includes(error.trouble)) throw error;
  };
}
