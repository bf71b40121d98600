/** Phones at the emulated partner, and what they cost. Nothing happens by itself: time is looked at whenever somebody asks. */
import { randomBytes } from "node:crypto";
import type { Clock } from "../../../../clock.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
/** With `energySavingMode`: "shut down after 30 minutes of inactivity". */
const IDLE_MS = 30 * MINUTE_MS;

/** 0 started, 1 starting, 2 shut down, 3 expired. */
export type Status = 0 | 1 | 2 | 3;

export interface EmulatedPhone {
  readonly id: string;
  readonly serialNo: string;
  serialName: string;
  remark: string;
  readonly mobileType: string;
  readonly region: string;
  isExpired: boolean;
  /** On since, and started from. */
  on: { readonly since: number; readonly startedAt: number; readonly savesEnergy: boolean } | undefined;
  /** Its start was told. */
  isStartTold: boolean;
  lastUsedAt: number;
  adb: { readonly since: number; readonly password: string } | undefined;
  gps: { readonly latitude: number; readonly longitude: number } | undefined;
}
export interface EmulatedCharge {
  readonly id: string;
  readonly envId: string;
  readonly type: 1;
  readonly chargeType: number;
  readonly amount: number;
  /** Minutes. */
  readonly usedTime: number;
  /** Seconds. */
  readonly createdTime: number;
}
export type WorldEvent =
  | { readonly type: "started"; readonly phone: EmulatedPhone; readonly at: number }
  | { readonly type: "stopped"; readonly phone: EmulatedPhone; readonly at: number; readonly minutes: number }
  | { readonly type: "deleted"; readonly phone: EmulatedPhone; readonly at: number };

export interface World {
  readonly phones: Map<string, EmulatedPhone>;
  readonly charges: EmulatedCharge[];
  add(phone: { serialName: string; remark: string; mobileType: string; region?: string }): EmulatedPhone;
  status(phone: EmulatedPhone): Status;
  start(phone: EmulatedPhone, savesEnergy: boolean): void;
  stop(phone: EmulatedPhone): void;
  remove(phone: EmulatedPhone): void;
  /** With a new password each time. */
  setAdb(phone: EmulatedPhone, open: boolean): void;
  /** What became due since somebody last looked. */
  settle(): void;
  /** What happened since this was asked. */
  events(): WorldEvent[];
}

export function createWorld(clock: Clock, times: { readonly bootMs: number; readonly pricePerMinute: number }): World {
  const phones = new Map<string, EmulatedPhone>();
  const charges: EmulatedCharge[] = [];
  const happened: WorldEvent[] = [];
  let last = 526_209_711_930_868_736n;
  const number = () => {
    last += BigInt(1 + (randomBytes(1)[0] ?? 0));
    return String(last);
  };

  function stopAt(phone: EmulatedPhone, at: number): void {
    const { on } = phone;
    if (on === undefined) return;
    phone.on = undefined;
    phone.adb = undefined;
    // Begun minutes are whole ones; how the partner itself rounds is not documented.
    const minutes = Math.max(1, Math.ceil((at - on.since) / MINUTE_MS));
    charges.push({
      ...{ id: number(), envId: phone.id, type: 1, chargeType: 2 },
      ...{ amount: minutes * times.pricePerMinute, usedTime: minutes, createdTime: Math.floor(at / SECOND_MS) },
    });
    happened.push({ type: "stopped", phone, at, minutes });
  }

  function settle(): void {
    const now = clock.now();
    for (const phone of phones.values()) {
      const { on } = phone;
      if (on === undefined) continue;
      if (!phone.isStartTold && now >= on.startedAt) {
        phone.isStartTold = true;
        happened.push({ type: "started", phone, at: on.startedAt });
      }
      if (on.savesEnergy && now >= phone.lastUsedAt + IDLE_MS) stopAt(phone, phone.lastUsedAt + IDLE_MS);
    }
  }

  return {
    phones,
    charges,
    add({ serialName, remark, mobileType, region = "sgp" }) {
      const phone: EmulatedPhone = {
        ...{ id: number(), serialNo: String(phones.size + 1), serialName, remark, mobileType, region },
        ...{ isExpired: false, on: undefined, isStartTold: false, lastUsedAt: 0, adb: undefined, gps: undefined },
      };
      phones.set(phone.id, phone);
      return phone;
    },
    status({ isExpired, on }) {
      if (on !== undefined) return clock.now() >= on.startedAt ? 0 : 1;
      return isExpired ? 3 : 2;
    },
    start(phone, savesEnergy) {
      if (phone.on !== undefined) return;
      const now = clock.now();
      phone.on = { since: now, startedAt: now + times.bootMs, savesEnergy };
      phone.isStartTold = false;
      phone.lastUsedAt = now + times.bootMs;
    },
    stop: (phone) => stopAt(phone, clock.now()),
    remove(phone) {
      phones.delete(phone.id);
      happened.push({ type: "deleted", phone, at: clock.now() });
    },
    setAdb(phone, open) {
      phone.adb = open ? { since: clock.now(), password: randomBytes(3).toString("hex") } : undefined;
    },
    settle,
    events: () => happened.splice(0),
  };
}
