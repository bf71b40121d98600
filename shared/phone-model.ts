/**
 * Phones as values: states, device profiles, the `Phone` view and what goes with it. No schemas here, so that a page
 * that only shows phones need not load the schema library; the inputs of `phones.*` are in `phones.ts`.
 */
import type { PhoneId } from "./id-values.ts";
import type { PhoneSettings } from "./phones.ts";

export const PHONE_STATES = ["creating", "starting", "running", "parking", "parked", "failed", "removed"] as const;
export type PhoneState = (typeof PHONE_STATES)[number];

export const DRIVER_KINDS = ["web", "adb", "geelark"] as const;
export type DriverKind = (typeof DRIVER_KINDS)[number];

/** A device profile: what the phone claims to be. Sizes are CSS pixels in portrait; `dpr` is device pixels per CSS pixel. */
export interface DeviceProfile {
  readonly id: string;
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly dpr: number;
  readonly tablet: boolean;
}
export const DEVICE_PROFILES = [
  { id: "tall", label: "Tall", width: 360, height: 800, dpr: 2, tablet: false },
  { id: "compact", label: "Small", width: 320, height: 640, dpr: 2, tablet: false },
  { id: "large", label: "Large", width: 412, height: 915, dpr: 2, tablet: false },
  { id: "tablet", label: "Tablet", width: 768, height: 1024, dpr: 1.5, tablet: true },
] as const satisfies readonly DeviceProfile[];
export type DeviceProfileId = (typeof DEVICE_PROFILES)[number]["id"];
export const DEFAULT_PROFILE: DeviceProfileId = "tall";

export function deviceProfile(id: DeviceProfileId): DeviceProfile {
  const found = DEVICE_PROFILES.find((profile) => profile.id === id);
  if (found === undefined) throw new Error(`No device profile ${id}`);
  return found;
}

/** True for a time zone name this runtime knows (IANA). */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/**
 * What people type as an address a phone may open ("example.com" means https); undefined for anything that is not http,
 * https or about:blank, and for addresses that carry a password.
 */
export function parsePhoneUrl(text: string): string | undefined {
  if (text === "about:blank") return text;
  const hasScheme = /^[a-z][a-z0-9+.-]*:/i.test(text) && !/^[^/?#]*:\d{1,5}([/?#]|$)/.test(text);
  const candidate = hasScheme ? text : `https://${text}`;
  if (!URL.canParse(candidate)) return undefined;
  const url = new URL(candidate);
  if (url.protocol !== "http:" && url.protocol !== "https:") return undefined;
  if (url.username !== "" || url.password !== "" || url.hostname === "") return undefined;
  return url.href;
}

/** What would read files or run in what is open, or is an instruction to Android rather than an address. */
const NO_LINKS: ReadonlySet<string> = new Set([
  ...["about", "android-app", "blob", "chrome", "content", "data", "file", "filesystem"],
  ...["intent", "jar", "javascript", "view-source"],
]);
const LONGEST_LINK = 8192;

/**
 * A link an app on an Android phone may be handed: a web address as `parsePhoneUrl` takes it, or one of an app's own scheme
 * (`shop://cart`), as written. `problem` says in a sentence why it is none.
 */
export function parseAppLink(text: string): { readonly link: string } | { readonly problem: string } {
  const trimmed = text.trim();
  const shown = trimmed.slice(0, 80);
  if (trimmed.length > LONGEST_LINK) return { problem: "This link is longer than 8,192 characters." };
  // "shop:8080" is a host with its port, "tel:112" is not.
  const scheme = /^(?:(geo|mailto|mms|sms|smsto|tel)|([a-z][a-z0-9+.-]*)(?!:\d{1,5}(?:[/?#]|$))):/i
    .exec(trimmed)
    ?.slice(1)
    .find((one) => one !== undefined)
    ?.toLowerCase();
  if (scheme === undefined || scheme === "http" || scheme === "https") {
    const address = /\p{Cc}/u.test(trimmed) ? undefined : parsePhoneUrl(trimmed);
    return address === undefined ? { problem: `“${shown}” is not an address a phone can open.` } : { link: address };
  }
  if (NO_LINKS.has(scheme)) {
    const words = `${scheme}: links are not opened: they reach into the phone instead of to an app. Use https: or an app's own.`;
    return { problem: words };
  }
  if (
    /[\p{Cc}\s]/u.test(trimmed) ||
    !trimmed.isWellFormed() ||
    !URL.canParse(trimmed) ||
    trimmed.length <= scheme.length + 1
  ) {
    return { problem: `“${shown}” is not a link: it has blanks or signs that no link has.` };
  }
  return { link: trimmed };
}

/** An Android package name, by its shape: what `appId` of `phones.ts` takes. */
export function isAppId(text: string): boolean {
  return text.length <= 255 && /^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)+$/.test(text);
}

/** Why a phone is in its state, where a person needs to know. Words for each live in `PHONE_REASON_WORDS`. */
export const PHONE_REASONS = [
  "asked",
  "idle",
  "longest_session",
  "server_stopped",
  "server_restarted",
  "browser_crashed",
  "out_of_memory",
  "disk_full",
  "no_browser",
  "start_failed",
  "balance",
  "budget",
  "payment",
  "device_gone",
  "device_unauthorized",
  "device_busy",
  "host_gone",
  "node_gone",
  "partner_down",
  "partner_stopped",
  "partner_ended",
] as const;
export type PhoneReason = (typeof PHONE_REASONS)[number];

/** What every client sees of a phone. `driver: "web"` is called *web phone* wherever a user reads it. */
export interface Phone {
  readonly id: PhoneId;
  readonly name: string;
  readonly driver: DriverKind;
  readonly profile: DeviceProfileId;
  /** Which of the kind's models it is, as `phones.models` names them; web phones have a profile instead. */
  readonly model?: string;
  readonly state: PhoneState;
  readonly reason?: PhoneReason;
  /**
   * The server lost sight of it then, ISO 8601, and keeps trying. Only while running; nothing is billed meanwhile.
   * `reason` says what is known.
   */
  readonly unreachableSince?: string;
  /** CSS pixels as the phone is turned now. */
  readonly width: number;
  readonly height: number;
  readonly rotated: boolean;
  readonly settings: PhoneSettings;
  /** Words the team groups phones by, sorted. */
  readonly tags: readonly string[];
  /** ISO 8601. */
  readonly createdAt: string;
  readonly startedAt?: string;
  /** Who drives it now, as members know them. In answers of `phones.list` and `phones.get` only. */
  readonly controlledBy?: string;
  readonly lastUsedAt?: string;
  /** When the phone will be parked by itself unless used, ISO 8601. Only while running. */
  readonly parksAt?: string;
  readonly capabilities: PhoneCapabilities;
}

/** What a driver can do; a client hides what is false. */
export interface PhoneCapabilities {
  /** Real Android: apps are packages, and hardware has volume and power keys. */
  readonly android: boolean;
  /** Files can be put on it. */
  readonly upload: boolean;
  /** Apps can be listed, opened, stopped, cleared, installed from an APK and removed. */
  readonly apps: boolean;
  /** Its sound can be heard, where the device has an encoder for it. */
  readonly audio: boolean;
  readonly openUrl: boolean;
  readonly rotate: boolean;
  readonly clipboard: boolean;
  readonly installWebApp: boolean;
  readonly files: boolean;
  readonly recents: boolean;
}

/** What web phones can do. */
export const WEB_PHONE: PhoneCapabilities = {
  android: false,
  upload: true,
  apps: false,
  audio: false,
  openUrl: true,
  rotate: true,
  clipboard: true,
  installWebApp: true,
  files: true,
  recents: true,
};

/** What Androids can do; whether they are heard is the server's and the device's matter. */
export const ANDROID_PHONE: PhoneCapabilities = {
  ...WEB_PHONE,
  ...{ android: true, apps: true, audio: true, installWebApp: false },
};

/** Something a phone of one kind can be made of: a device that is connected, an image, a partner's Android version. */
export interface PhoneModel {
  /** What `phones.launch` takes as `model`. */
  readonly id: string;
  readonly driver: DriverKind;
  /** For people: "Pixel 7", "Android 14 in a container". */
  readonly label: string;
  /** One more line: where it is, what it is for. */
  readonly detail?: string;
  /** Why none can be made now, as a sentence; absent when one can. */
  readonly unavailable?: string;
}

/** An app on an Android phone. */
export interface PhoneApp {
  /** Package name. */
  readonly id: string;
  /** What people call it; the package name where the phone does not tell. */
  readonly label: string;
  readonly version?: string;
  /** Came with the phone, so it can be cleared and not removed. */
  readonly system: boolean;
}

/** A picture of the screen in device pixels, base64. */
export interface Screenshot {
  readonly mimeType: "image/png";
  readonly base64: string;
  readonly width: number;
  readonly height: number;
}

/** A file the phone has downloaded. `GET /files/phones/<phoneId>/<name>` gives its bytes. */
export interface PhoneFile {
  readonly name: string;
  readonly bytes: number;
  readonly savedAt: string;
}

/** Proof that a phone's data is gone: what was wiped, how much, and what was looked at afterwards. */
export interface WipeReceipt {
  readonly phoneId: PhoneId;
  readonly files: number;
  readonly bytes: number;
  readonly verifiedAbsent: boolean;
  readonly wipedAt: string;
}

/** Topic events of a team, as delivered by `phones.events` with increasing sequence numbers. */
export type PhoneEvent =
  | { readonly type: "phone"; readonly phone: Phone }
  | { readonly type: "removed"; readonly phoneId: PhoneId }
  | { readonly type: "idle_warning"; readonly phoneId: PhoneId; readonly parksAt: string }
  /** Nothing pays for it from then on, used or not; without a time: something pays again. */
  | { readonly type: "cover_warning"; readonly phoneId: PhoneId; readonly parksAt?: string };
