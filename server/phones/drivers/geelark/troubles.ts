/**
 * What the partner's error codes mean. One number means different things in different places (43020 is a phone that cannot be
 * had now, and a tag without a name; 47002 is no free device, and on an older page too many calls), so they are read with the
 * call they came from. Source: GeeLark OpenAPI, "Cloud Phone Error Codes" and the page of each call. What the partner writes
 * beside a code is never shown or kept: it may name people.
 */
import { PerchError } from "../../../errors.ts";

const WORDS = {
  busy: "The phone is busy at the cloud-phone partner. Try again in a minute.",
  gone: "The cloud-phone partner no longer has this phone. Remove it here and make a new one.",
  expired: "The cloud-phone partner ended this phone's term. Ask who runs the server to renew it.",
  billing: "The cloud-phone partner's balance or plan does not allow this. Ask who runs the server.",
  limit: "The cloud-phone partner's limit of phones is reached. Ask who runs the server, or try again tomorrow.",
  inventory: "The cloud-phone partner has no free devices now. Try again in some minutes.",
  maintenance: "The cloud-phone partner maintains phones of this kind now. Try another one, or later.",
  proxy: "The proxy of the cloud phone does not work. Ask who runs the server.",
  access: "The cloud-phone partner does not accept this server's key. Ask who runs the server.",
  rate: "The cloud-phone partner takes no more calls this minute. Try again in a minute.",
  lock: "The cloud-phone partner takes no calls of this kind for two hours. Try again later.",
  notRunning: "The phone does not run at the cloud-phone partner. Start it again.",
  adbOff: "The cloud-phone partner has not opened the phone yet. Try again in a moment.",
  unsupported: "The cloud-phone partner cannot open phones of this model for this server. Choose another model.",
  request: "The cloud-phone partner did not understand this server. Ask who runs the server.",
  fault: "The cloud-phone partner has a fault of its own. Try again in some minutes.",
  unreachable: "The cloud-phone partner does not answer. What is on the phone is kept there. Try again later.",
} as const;
export type Trouble = keyof typeof WORDS;

/** A call of the partner's interface that did not do what was asked. */
export class PartnerError extends PerchError {
  readonly trouble: Trouble;
  /** The partner's number; undefined when it gave none. */
  readonly vendorCode: number | undefined;
  /** What was asked may have been done all the same: the answer is missing, or is none. */
  readonly isUncertain: boolean;

  constructor(
    trouble: Trouble,
    details: { vendorCode?: number | undefined; isUncertain?: boolean; until?: Date; cause?: unknown } = {},
  ) {
    const { vendorCode, isUncertain = false, until, cause } = details;
    const words = until === undefined ? WORDS[trouble] : lockWords(until);
    super("phone_unavailable", words, { cause });
    this.trouble = trouble;
    this.vendorCode = vendorCode;
    this.isUncertain = isUncertain;
  }
}

/** What is said while the partner refuses calls. */
export function lockWords(until: Date): string {
  const time = until.toISOString().slice(11, 16);
  return `The cloud-phone partner takes no calls of this kind until ${time} UTC, because there were too many. Try again then.`;
}

export const PATHS = {
  list: "/open/v1/phone/list",
  create: "/open/v1/phone/addNew",
  start: "/open/v1/phone/start",
  stop: "/open/v1/phone/stop",
  status: "/open/v1/phone/status",
  remove: "/open/v1/phone/delete",
  gps: "/open/v1/phone/gps/set",
  adbOpen: "/open/v1/adb/setStatus",
  adbData: "/open/v1/adb/getData",
  charges: "/open/v1/billing/transaction/detail",
  wallet: "/open/v1/pay/wallet",
  plan: "/open/v1/pay/plan/info",
} as const;
export type Call = keyof typeof PATHS;

const ANYWHERE: Readonly<Record<number, Trouble>> = {
  40000: "fault",
  40001: "request",
  40002: "request",
  40003: "access",
  40004: "request",
  40005: "request",
  40007: "rate",
  40008: "request",
  40010: "busy",
  40011: "billing",
  40012: "request",
  40013: "access",
  40014: "lock",
  40015: "access",
  40016: "access",
  40017: "rate",
  41000: "billing",
  41001: "billing",
  42001: "gone",
  42002: "notRunning",
  43002: "billing",
  43004: "expired",
  43005: "busy",
  43006: "busy",
  43007: "busy",
  43008: "limit",
  43009: "busy",
  43010: "busy",
  43011: "busy",
  43017: "billing",
  43018: "billing",
  43019: "billing",
  43021: "busy",
  43029: "maintenance",
  43036: "busy",
  44001: "billing",
  44002: "limit",
  44003: "limit",
  44004: "limit",
  44005: "request",
  44006: "inventory",
  45001: "proxy",
  45002: "proxy",
  45003: "proxy",
  45004: "proxy",
  45005: "request",
  45006: "proxy",
  45008: "proxy",
  46001: "billing",
  46002: "limit",
  46003: "limit",
  47001: "inventory",
  47003: "expired",
  47004: "gone",
  49001: "adbOff",
  49002: "unsupported",
  50000: "fault",
  50001: "unsupported",
};

/** Where a number means something else than its neighbours say. */
const THERE: Partial<Readonly<Record<Call, Readonly<Record<number, Trouble>>>>> = {
  create: { 47002: "inventory" },
  start: { 43020: "busy", 47002: "inventory" },
};

/** `whole`: the answer itself carries the code, rather than an entry of it. */
export function troubleOf(call: Call, code: number, whole: boolean): Trouble {
  const here = THERE[call]?.[code];
  if (here !== undefined) return here;
  // "Too many concurrent requests … lifted after two hours": the older page's number for 40014.
  if (code === 47002) return whole ? "lock" : "inventory";
  return ANYWHERE[code] ?? "fault";
}
