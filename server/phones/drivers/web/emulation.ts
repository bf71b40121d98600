/** Makes a page see a phone: size, touch, user agent, and the person's settings. */
import type { PhoneSpec } from "../../driver.ts";
import type { CdpSession } from "./cdp.ts";
import type { Commands } from "./protocol.ts";

/** Kilometres off is of no use to a map, centimetres off would be a claim. */
const GEOLOCATION_ACCURACY_M = 20;
const MAX_TOUCH_POINTS = 5;

/** CSS pixels as turned. */
export function screenSize(spec: PhoneSpec): { width: number; height: number } {
  const { width, height } = spec.profile;
  return spec.rotated ? { width: height, height: width } : { width, height };
}

/** Chrome on Android in its reduced form, with the engine's real version: sites give what such a phone gets. */
export function userAgent(version: string, tablet: boolean): string {
  const major = version.split(".")[0] ?? "0";
  return `Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/${major}.0.0.0${tablet ? "" : " Mobile"} Safari/537.36`;
}

/** Applies the phone's size to a page; also how it turns. */
export function applySize(session: CdpSession, spec: PhoneSpec): Promise<unknown> {
  const size = screenSize(spec);
  return session.send("Emulation.setDeviceMetricsOverride", {
    ...size,
    screenWidth: size.width,
    screenHeight: size.height,
    deviceScaleFactor: spec.profile.dpr,
    mobile: true,
    screenOrientation: spec.rotated ? { type: "landscapePrimary", angle: 90 } : { type: "portraitPrimary", angle: 0 },
  });
}

/** Applies everything of a phone to a page (or an out-of-process frame, where `main` is false). */
export function applyPhone(session: CdpSession, spec: PhoneSpec, version: string, main: boolean): Promise<unknown> {
  const { settings, profile } = spec;
  const major = version.split(".")[0] ?? "0";
  const brands = (chromium: string) => [
    { brand: "Chromium", version: chromium },
    { brand: "Not=A?Brand", version: "24" },
  ];
  const calls: Promise<unknown>[] = [
    session.send("Emulation.setUserAgentOverride", {
      userAgent: userAgent(version, profile.tablet),
      ...(settings.locale === undefined ? {} : { acceptLanguage: acceptLanguage(settings.locale) }),
      platform: "Linux armv81",
      userAgentMetadata: {
        brands: brands(major),
        fullVersionList: brands(version),
        platform: "Android",
        platformVersion: "",
        architecture: "",
        model: "",
        mobile: !profile.tablet,
      },
    }),
    session.send("Emulation.setTouchEmulationEnabled", { enabled: true, maxTouchPoints: MAX_TOUCH_POINTS }),
    session.send("Emulation.setEmulatedMedia", {
      features: [{ name: "prefers-color-scheme", value: settings.colorScheme ?? "light" }],
    }),
    // Pages that share a process share these two, and all but the first to set them are refused.
    session.send("Emulation.setTimezoneOverride", { timezoneId: settings.timeZone ?? "" }).catch(() => undefined),
    session
      .send("Emulation.setLocaleOverride", settings.locale === undefined ? {} : { locale: settings.locale })
      .catch(() => undefined),
    session.send("Emulation.setGeolocationOverride", geolocation(spec)),
  ];
  if (main) {
    calls.push(applySize(session, spec));
  }
  return Promise.all(calls);
}

/** A page with the focus counts as visible, whichever window is in front of the browser. */
export function emulateFocus(session: CdpSession, enabled: boolean): Promise<unknown> {
  return session.send("Emulation.setFocusEmulationEnabled", { enabled });
}

/** Cuts a page, or an out-of-process frame, off the network, or gives it back. */
export function applyNetwork(session: CdpSession, offline: boolean): Promise<unknown> {
  const unlimited = { latency: 0, downloadThroughput: -1, uploadThroughput: -1 };
  return Promise.all([
    // The browser tells of every request as long as this is on, which only a page without a network makes few of.
    offline ? session.send("Network.enable", {}) : undefined,
    session.send("Network.emulateNetworkConditions", { offline, ...unlimited }),
    offline ? undefined : session.send("Network.disable", {}),
  ]);
}

/** What pages may use without asking; everything else is refused to them. */
export function grantedPermissions(spec: PhoneSpec): string[] {
  return spec.settings.geolocation === undefined ? [] : ["geolocation"];
}

function geolocation(spec: PhoneSpec): Commands["Emulation.setGeolocationOverride"][0] {
  const place = spec.settings.geolocation;
  return place === undefined ? {} : { ...place, accuracy: GEOLOCATION_ACCURACY_M };
}

/** "de-CH" becomes "de-CH,de;q=0.9", as browsers send it. */
function acceptLanguage(locale: string): string {
  const language = locale.split("-")[0] ?? locale;
  return language === locale ? locale : `${locale},${language};q=0.9`;
}
