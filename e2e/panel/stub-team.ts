/**
 * A team's phones in memory, for panel tests: the states and events of the contract without browsers behind them.
 * Tests drive it directly to reach states a healthy server rarely shows.
 */
import { newId, type PhoneId } from "../../shared/ids.ts";
import { ANDROID_PHONE, WEB_PHONE } from "../../shared/phone-model.ts";
import {
  DEFAULT_PROFILE,
  type DeviceProfileId,
  deviceProfile,
  type Phone,
  type PhoneApp,
  type PhoneEvent,
  type PhoneFile,
  type PhoneModel,
  type PhoneSettings,
} from "../../shared/phones.ts";

type Listener = (event: PhoneEvent) => void;

export class StubTeam {
  readonly phones = new Map<PhoneId, Phone>();
  readonly files = new Map<PhoneId, PhoneFile[]>();
  readonly apps = new Map<PhoneId, readonly PhoneApp[]>();
  /** What was done to apps, in order. */
  readonly appCalls: string[] = [];
  models: readonly PhoneModel[] = [];
  /** Every address phones were told to open, in order. */
  readonly opened: { phoneId: PhoneId; url: string }[] = [];
  readonly #listeners = new Set<Listener>();

  listen(listener: Listener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  add(change: Partial<Phone> = {}): Phone {
    const profile = deviceProfile(change.profile ?? DEFAULT_PROFILE);
    const phone: Phone = {
      id: newId("phone"),
      name: `Pixel, ${profile.label.toLowerCase()}`,
      driver: "web",
      profile: profile.id as DeviceProfileId,
      state: "parked",
      width: profile.width,
      height: profile.height,
      rotated: false,
      settings: {},
      tags: [],
      createdAt: new Date().toISOString(),
      capabilities: WEB_PHONE,
      ...change,
    };
    this.put(phone);
    return phone;
  }

  /** A running Android phone that can do everything one can. */
  addAndroid(change: Partial<Phone> = {}): Phone {
    return this.add({
      ...{
        name: "Pixel 7",
        driver: "adb",
        model: "device:pixel-7",
        width: 412,
        height: 915,
        capabilities: ANDROID_PHONE,
      },
      ...{ state: "running", startedAt: new Date(Date.now() - 724_000).toISOString() },
      ...change,
    });
  }

  put(phone: Phone): Phone {
    this.phones.set(phone.id, phone);
    this.#emit({ type: "phone", phone });
    return phone;
  }

  change(id: PhoneId, change: Partial<Phone>): Phone {
    return this.put({ ...this.get(id), ...change });
  }

  get(id: PhoneId): Phone {
    const phone = this.phones.get(id);
    if (phone === undefined) throw new Error(`No phone ${id}`);
    return phone;
  }

  running(id: PhoneId): Phone {
    const { reason: _reason, ...phone } = this.get(id);
    return this.put({ ...phone, state: "running", startedAt: new Date().toISOString() });
  }

  remove(id: PhoneId): void {
    this.phones.delete(id);
    this.#emit({ type: "removed", phoneId: id });
  }

  rotate(id: PhoneId): Phone {
    const phone = this.get(id);
    return this.change(id, { rotated: !phone.rotated, width: phone.height, height: phone.width });
  }

  configure(id: PhoneId, settings: PhoneSettings): Phone {
    return this.change(id, { settings });
  }

  #emit(event: PhoneEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}
