/** What pages may use: what the phone is set to, and the answers automations gave to pages' questions. */
import type { PhoneSpec } from "../../driver.ts";
import type { CdpSession } from "./cdp.ts";
import { grantedPermissions } from "./emulation.ts";

export type PermissionAnswer = "allow" | "deny" | "unset";

/** Names flows use, and the browser's. Others (contacts, say) are nothing a page can ask for. */
const NAMES: Readonly<Record<string, readonly string[]>> = {
  location: ["geolocation"],
  geolocation: ["geolocation"],
  camera: ["camera"],
  microphone: ["microphone"],
  notifications: ["notifications"],
  clipboard: ["clipboard-read", "clipboard-write"],
};
const ALL = [...new Set(Object.values(NAMES).flat())];

export class Permissions {
  readonly #browser: CdpSession;
  readonly #answers = new Map<string, "granted" | "denied">();

  constructor(browser: CdpSession) {
    this.#browser = browser;
  }

  /** "all" holds for what is not named itself. "unset" is as the phone is set. @throws CdpError */
  async set(values: Readonly<Record<string, PermissionAnswer>>, spec: PhoneSpec): Promise<void> {
    const { all, ...named } = values;
    if (all !== undefined) for (const name of ALL) this.#answer(name, all);
    for (const [key, value] of Object.entries(named)) {
      const names = Object.hasOwn(NAMES, key) ? (NAMES[key] ?? []) : [];
      for (const name of names) this.#answer(name, value);
    }
    await this.apply(spec);
  }

  /** Brings it all to the browser, whatever it had before. @throws CdpError */
  async apply(spec: PhoneSpec): Promise<void> {
    const calls = [this.#browser.send("Browser.grantPermissions", { permissions: grantedPermissions(spec) })];
    for (const [name, setting] of this.#answers) {
      calls.push(this.#browser.send("Browser.setPermission", { permission: { name }, setting }));
    }
    await Promise.all(calls);
  }

  #answer(name: string, answer: PermissionAnswer): void {
    if (answer === "unset") this.#answers.delete(name);
    else this.#answers.set(name, answer === "allow" ? "granted" : "denied");
  }
}
