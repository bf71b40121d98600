/** Taking an APK: sessions of `pm install-create` and what comes of one. */
import { createHash } from "node:crypto";
import { readApk } from "./apk.ts";
import { InstalledApp } from "./apps/small.ts";
import type { Phone } from "./phone.ts";

const MAX_SESSIONS = 16;

export class InstallSessions {
  readonly #phone: Phone;
  readonly #sessions = new Map<number, { readonly flags: ReadonlySet<string>; bytes: Buffer | undefined }>();
  #next = 1_000_001;

  constructor(phone: Phone) {
    this.#phone = phone;
  }

  /** A code of Android's when it is not taken (AOSP PackageManager.java, `INSTALL_FAILED_*`). */
  install(bytes: Buffer, flags: ReadonlySet<string>): string | undefined {
    const apk = readApk(bytes);
    if (typeof apk === "string") return apk;
    if (this.#phone.files.full) return "INSTALL_FAILED_INSUFFICIENT_STORAGE";
    const before = this.#phone.packages.get(apk.package);
    if (before?.system === true)
      return `INSTALL_FAILED_UPDATE_INCOMPATIBLE: Package ${apk.package} signatures do not match previously installed version; ignoring!`;
    if (before !== undefined && apk.versionCode < before.versionCode && !flags.has("-d"))
      return `INSTALL_FAILED_VERSION_DOWNGRADE: Downgrade detected: Update version code ${apk.versionCode} is older than current ${before.versionCode}`;
    if (apk.minSdk > 34)
      return `INSTALL_FAILED_OLDER_SDK: Requires newer sdk version #${apk.minSdk} (current version is #34)`;
    const app = before?.app ?? new InstalledApp(apk.package, apk.label);
    const sha256 = createHash("sha256").update(bytes).digest("hex");
    const one = this.#phone.packages.add(app, { ...apk, size: bytes.length, sha256, requested: apk.permissions });
    if (flags.has("-g")) for (const permission of apk.permissions) one.granted.add(permission);
    this.#phone.changed();
    return undefined;
  }

  create(flags: ReadonlySet<string>): number {
    if (this.#sessions.size >= MAX_SESSIONS) this.#sessions.clear();
    this.#next += 1;
    this.#sessions.set(this.#next, { flags, bytes: undefined });
    return this.#next;
  }
  write(session: number, bytes: Buffer): boolean {
    const one = this.#sessions.get(session);
    if (one === undefined) return false;
    one.bytes = bytes;
    return true;
  }
  commit(session: number): string | undefined {
    const one = this.#sessions.get(session);
    this.#sessions.delete(session);
    if (one?.bytes === undefined) return "INSTALL_FAILED_INVALID_APK: No packages staged";
    return this.install(one.bytes, one.flags);
  }
  abandon(session: number): void {
    this.#sessions.delete(session);
  }
}
