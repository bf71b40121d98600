/** What each call of the emulated partner answers: the code, and `data` with the partner's own field names. */
import { z } from "zod";
import type { Clock } from "../../../../clock.ts";
import { PATHS } from "../troubles.ts";
import type { Faults } from "./faults.ts";
import type { EmulatedPhone, World } from "./world.ts";

export interface Answer {
  readonly code: number;
  readonly data?: unknown;
}
/** Where the ADB of a phone is reached that takes this password. */
export type AdbAddress = (phone: EmulatedPhone, password: string) => Promise<{ host: string; port: number }>;

export interface RouteOptions {
  readonly world: World;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly adb: AdbAddress;
  /** "It is recommended to wait about 3 seconds after enabling ADB." */
  readonly adbReadyMs: number;
  readonly callback: { url: string | undefined };
}

const THREE_DAYS_S = 3 * 24 * 3_600;
/** Nobody may find these in anything of ours. */
export const CANARY = {
  proxyPassword: "canary-proxy-password",
  imei: "863406055475987",
  phoneNumber: "+66877382166",
  username: "canary-admin@geelark.example",
  ip: "62.141.247.218",
  streamUrl: "https://speedup.geelark.example/phone-api?token=canary-stream-token",
} as const;

const ids = (most: number) => z.object({ ids: z.array(z.string()).min(1).max(most) });
const create = z.object({
  mobileType: z.enum(["9", "10", "11", "12", "13", "14", "15"].map((version) => `Android ${version}`)),
  chargeMode: z.union([z.literal(0), z.literal(1)]).default(0),
  region: z.enum(["cn", "sgp"]).optional(),
  data: z
    .array(
      z
        .object({
          profileName: z.string().min(1),
          profileNote: z.string().max(1_500).default(""),
          proxyInformation: z.string().optional(),
          proxyNumber: z.int().optional(),
          dynamicProxy: z.string().optional(),
        })
        .refine((row) => row.proxyInformation ?? row.proxyNumber ?? row.dynamicProxy, "A proxy must be specified."),
    )
    .min(1)
    .max(100),
});
const list = z.object({
  page: z.int().min(1).default(1),
  pageSize: z.int().min(1).default(10),
  ids: z.array(z.string()).max(100).default([]),
  remark: z.string().default(""),
  serialName: z.string().default(""),
});
const start = ids(200).extend({ energySavingMode: z.union([z.literal(0), z.literal(1)]).default(0) });
const adbOpen = ids(200).extend({ open: z.boolean() });
const gps = z.object({
  list: z.array(z.object({ id: z.string(), longitude: z.number(), latitude: z.number() })).min(1),
});
const charges = z.object({
  id: z.string().optional(),
  startAt: z.int().optional(),
  endAt: z.int().optional(),
  limit: z.int().min(1).max(1_000).default(100),
  lastFlowId: z.string().optional(),
});
const callbackUrl = z.object({ url: z.url() });

export function createRoutes(options: RouteOptions): Readonly<Record<string, (body: unknown) => Promise<Answer>>> {
  const { world, faults, clock, adb, adbReadyMs, callback } = options;

  const route =
    <T>(schema: z.ZodType<T>, work: (input: T) => Promise<Answer> | Answer) =>
    async (body: unknown): Promise<Answer> => {
      const input = schema.safeParse(body);
      return input.success ? work(input.data) : { code: 40004 };
    };

  /** Does something with each phone that is named; `work` gives an error code, or what succeeded. */
  function each(named: readonly string[], work: (phone: EmulatedPhone) => number | object): Answer {
    const successDetails: object[] = [];
    const failDetails: object[] = [];
    for (const [index, id] of named.entries()) {
      const phone = world.phones.get(id);
      const isFaulty = faults.partial && index % 2 === 1;
      const done = phone === undefined ? 42001 : isFaulty ? 40000 : work(phone);
      if (typeof done === "number") failDetails.push({ code: done, id, msg: `failed with ${done}` });
      else successDetails.push({ id, ...done });
    }
    const [failAmount, successAmount] = [failDetails.length, successDetails.length];
    const code =
      failAmount === 0 ? 0 : successAmount === 0 && faults.wholeFailures ? 40009 : faults.partial ? 40006 : 0;
    const details = { ...(successAmount > 0 && { successDetails }), ...(failAmount > 0 && { failDetails }) };
    return { code, data: { totalAmount: named.length, successAmount, failAmount, ...details } };
  }

  const shown = (phone: EmulatedPhone) => ({
    ...{ id: phone.id, serialName: phone.serialName, serialNo: phone.serialNo, remark: phone.remark },
    ...{ group: null, status: world.status(phone), tags: [], chargeMode: 0, hasBind: false, rpaStatus: 0 },
    equipmentInfo: { countryName: "Thailand", phoneNumber: CANARY.phoneNumber, imei: CANARY.imei, enableSim: 1 },
    proxy: { type: "socks5", server: "proxy.example", port: 30_000, username: "u", password: CANARY.proxyPassword },
  });

  return {
    [PATHS.create]: route(create, ({ mobileType, region, data }) => {
      const details = data.map(({ profileName, profileNote }, index) => {
        if (faults.inventory) return { index: index + 1, code: 44006, msg: "inventory is insufficient" };
        const about = { serialName: profileName, remark: profileNote, mobileType };
        const phone = world.add({ ...about, ...(region !== undefined && { region }) });
        const equipmentInfo = { imei: CANARY.imei, phoneNumber: CANARY.phoneNumber, osVersion: mobileType };
        return {
          ...{ index: index + 1, code: 0, msg: "success", id: phone.id, profileName, envSerialNo: phone.serialNo },
          equipmentInfo,
        };
      });
      const successAmount = details.filter(({ code }) => code === 0).length;
      const counts = { totalAmount: data.length, successAmount, failAmount: data.length - successAmount };
      return {
        code: successAmount === 0 ? 40009 : successAmount < data.length ? 40006 : 0,
        data: { ...counts, details },
      };
    }),
    [PATHS.list]: route(list, ({ page, pageSize, ids: named, remark, serialName }) => {
      if (pageSize > 100) return { code: 40008 };
      const all = [...world.phones.values()].filter((phone) =>
        named.length > 0
          ? named.includes(phone.id)
          : phone.remark.includes(remark) && phone.serialName.includes(serialName),
      );
      const items = named.length > 0 ? all : all.slice((page - 1) * pageSize, page * pageSize);
      return { code: 0, data: { total: all.length, page, pageSize, items: items.map(shown) } };
    }),
    [PATHS.start]: route(start, ({ ids: named, energySavingMode }) =>
      each(named, (phone) => {
        if (phone.isExpired) return 43004;
        if (faults.noDevices) return 47002;
        if (faults.startsBusy > 0) {
          faults.startsBusy -= 1;
          return 43020;
        }
        world.start(phone, energySavingMode === 1);
        return { url: CANARY.streamUrl, chargingMethod: "Per-minute usage" };
      }),
    ),
    [PATHS.stop]: route(ids(200), ({ ids: named }) =>
      each(named, (phone) => {
        if (faults.stopsBusy > 0) {
          faults.stopsBusy -= 1;
          return 43006;
        }
        world.stop(phone);
        return { serialName: phone.serialName, status: world.status(phone) };
      }),
    ),
    [PATHS.status]: route(ids(100), ({ ids: named }) =>
      each(named, (phone) => ({ serialName: phone.serialName, status: faults.status ?? world.status(phone) })),
    ),
    [PATHS.remove]: route(ids(100), ({ ids: named }) =>
      each(named, (phone) => {
        const status = world.status(phone);
        if (status === 0) return 43009;
        if (status === 1) return 43010;
        if (!faults.keepsDeleted) world.remove(phone);
        return {};
      }),
    ),
    [PATHS.gps]: route(gps, ({ list: places }) =>
      each(
        places.map(({ id }) => id),
        (phone) => {
          const { latitude, longitude } = places.find(({ id }) => id === phone.id) ?? { latitude: 0, longitude: 0 };
          if (Math.abs(latitude) > 90 || Math.abs(longitude) > 180) return 43012;
          phone.gps = { latitude, longitude };
          return {};
        },
      ),
    ),
    [PATHS.adbOpen]: route(adbOpen, ({ ids: named, open }) => {
      for (const id of named) {
        const phone = world.phones.get(id);
        // "Unsupported models will be automatically filtered."
        if (phone === undefined || world.status(phone) !== 0 || phone.mobileType === "Android 10") continue;
        world.setAdb(phone, open);
      }
      return { code: 0 };
    }),
    [PATHS.adbData]: route(ids(200), async ({ ids: named }) => {
      const items = await Promise.all(
        named.map(async (id) => {
          const none = { id, ip: "", pwd: "", port: "" };
          const phone = world.phones.get(id);
          if (phone === undefined) return { code: 42001, ...none };
          if (world.status(phone) !== 0) return { code: 42002, ...none };
          if (phone.mobileType === "Android 10") return { code: 49002, ...none };
          if (phone.adb === undefined || clock.now() < phone.adb.since + adbReadyMs) return { code: 49001, ...none };
          phone.lastUsedAt = clock.now();
          const { host, port } = await adb(phone, phone.adb.password);
          return { code: 0, id, ip: host, pwd: phone.adb.password, port: String(port) };
        }),
      );
      return { code: 0, data: { items } };
    }),
    [PATHS.charges]: route(charges, ({ id, startAt, endAt, limit, lastFlowId }) => {
      const now = Math.floor(clock.now() / 1_000);
      if ((startAt ?? now) < now - THREE_DAYS_S) return { code: 40004 };
      const from = Math.max(startAt ?? 0, now - THREE_DAYS_S);
      const fitting = world.charges.filter(
        (one) => one.createdTime >= from && one.createdTime <= (endAt ?? now) && (id === undefined || one.envId === id),
      );
      const after = lastFlowId === undefined ? 0 : fitting.findIndex((one) => one.id === lastFlowId) + 1;
      const page = fitting.slice(after, after + limit);
      const counts = { total: fitting.length, page: 1, pageSize: limit };
      return { code: 0, data: { ...counts, list: page, lastFlowId: page.at(-1)?.id ?? "" } };
    }),
    [PATHS.wallet]: route(z.object({}), () => ({
      code: 0,
      data: { balance: 12.5, giftMoney: 0, availableTimeAddOn: 60 },
    })),
    [PATHS.plan]: route(z.object({}), () => {
      const used = world.phones.size;
      return {
        code: 0,
        data: { plan: "pro", profiles: 20, availableProfiles: 20 - used, monthlyRental: 0, parallels: 0 },
      };
    }),
    "/open/v1/callback/set": route(callbackUrl, ({ url }) => {
      callback.url = url;
      return { code: 0 };
    }),
    "/open/v1/callback/get": route(z.object({}), () =>
      callback.url === undefined ? { code: 51001 } : { code: 0, data: { url: callback.url } },
    ),
  };
}
