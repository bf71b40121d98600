/** What is installed. */
import type { App } from "./app.ts";

export interface InstalledPackage {
  readonly name: string;
  readonly label: string;
  readonly versionCode: number;
  readonly versionName: string;
  readonly system: boolean;
  /** Of its APK. */
  readonly path: string;
  readonly size: number;
  /** Of its APK; empty for what came with the phone. */
  readonly sha256: string;
  readonly requested: readonly string[];
  readonly granted: Set<string>;
  readonly refused: Set<string>;
  readonly app: App;
}

/** What a person decides on, not the manifest alone (AOSP frameworks/base core/res/AndroidManifest.xml, `dangerous`). */
const DANGEROUS = [
  "ACCESS_FINE_LOCATION",
  "ACCESS_COARSE_LOCATION",
  "CAMERA",
  "RECORD_AUDIO",
  "READ_CONTACTS",
  "READ_CALENDAR",
  "READ_EXTERNAL_STORAGE",
  "READ_MEDIA_IMAGES",
  "POST_NOTIFICATIONS",
  "READ_PHONE_STATE",
  "READ_SMS",
  "BLUETOOTH_CONNECT",
].map((name) => `android.permission.${name}`);
export const isDangerous = (permission: string) => DANGEROUS.includes(permission);

export class Packages {
  readonly #packages = new Map<string, InstalledPackage>();

  add(app: App, about: Partial<Omit<InstalledPackage, "app" | "granted" | "refused">> = {}): InstalledPackage {
    const before = this.#packages.get(app.package);
    const one: InstalledPackage = {
      name: app.package,
      label: app.label,
      versionCode: 1,
      versionName: "1.0",
      system: false,
      path: `/data/app/~~${Buffer.from(app.package).toString("base64url").slice(0, 22)}==/${app.package}-1/base.apk`,
      size: 1_000_000,
      sha256: "",
      requested: DANGEROUS,
      ...about,
      granted: before?.granted ?? new Set(),
      refused: before?.refused ?? new Set(),
      app,
    };
    this.#packages.set(app.package, one);
    return one;
  }
  get(name: string): InstalledPackage | undefined {
    return this.#packages.get(name);
  }
  remove(name: string): void {
    this.#packages.delete(name);
  }
  all(): InstalledPackage[] {
    return [...this.#packages.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }
}
