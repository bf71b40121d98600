/**
 * A phone's screen in memory for the runner's tests: elements with bounds, a focused field that takes text, and a record
 * of everything that changed it. Built on the phones' own fake driver.
 */
import type { PhoneId } from "../../../shared/ids.ts";
import type { UiElement, UiTree } from "../../../shared/ui-tree.ts";
import type { PhoneAutomation, UiTarget } from "../../phones/automation-port.ts";
import type { PhoneInput, ScreenFrame, ScreenLevel, ScreenSource } from "../../phones/driver.ts";
import { FakeDriver } from "../../phones/testing/fake-driver.ts";

export interface ScreenItem {
  readonly text: string;
  readonly id?: string;
  /** Top edge, 0–1; items are a tenth high and as wide as the screen. */
  readonly y?: number;
  readonly field?: boolean;
  readonly password?: boolean;
  coveredBy?: string;
  /** What a tap on it does. */
  onTap?: () => void;
}

export class ScreenDriver extends FakeDriver {
  items: ScreenItem[] = [];
  focused: ScreenItem | undefined;
  /** Everything that changed the phone, in order. */
  readonly effects: string[] = [];
  /** Text a field takes at most; undefined: all. */
  takes: ((text: string) => string) | undefined;
  /** Calls to `elements` so far. */
  looks = 0;
  /** Awaited inside each change, for tests that stop there. */
  onEffect: ((what: string) => Promise<void>) | undefined;
  readonly values = new Map<ScreenItem, string>();
  /** Who watches the moving picture, with the level they asked for. */
  readonly watchers = new Map<(frame: ScreenFrame) => void, ScreenLevel | undefined>();

  /** The picture moves to this. */
  show(bytes: Uint8Array, how: Partial<ScreenFrame> = {}): void {
    const frame: ScreenFrame = { format: "jpeg", kind: "image", bytes, capturedAtMs: 0, crisp: false, ...how };
    for (const listener of this.watchers.keys()) listener(frame);
  }
  /** Pixels of each screenshot; undefined: some bytes that are none. */
  picture: Uint8Array | undefined;
  override async screenshot(id: PhoneId): ReturnType<FakeDriver["screenshot"]> {
    const shot = await super.screenshot(id);
    return this.picture === undefined ? shot : { ...shot, png: this.picture };
  }
  override screen(id: PhoneId): ScreenSource {
    return {
      ...super.screen(id),
      listen: (listener, level) => {
        this.watchers.set(listener, level);
        return () => this.watchers.delete(listener);
      },
    };
  }

  #element(item: ScreenItem, index: number): UiElement {
    return {
      ref: String(index),
      role: item.field === true ? "textbox" : "text",
      text: item.password === true ? "" : (this.values.get(item) ?? item.text),
      hint: "",
      accessibilityText: "",
      id: item.id ?? "",
      bounds: { x: 0, y: item.y ?? index / 10, width: 1, height: 0.1 },
      enabled: true,
      selected: false,
      checked: false,
      focused: this.focused === item,
      clickable: item.onTap !== undefined || item.field === true,
      password: item.password === true,
      children: [],
    };
  }

  override readonly automation: PhoneAutomation = {
    can: {
      apps: false,
      css: true,
      clearState: true,
      permissions: true,
      location: true,
      darkMode: true,
      airplaneMode: true,
      addMedia: false,
      recording: true,
    },
    opened: async () => {},
    elements: async (id: PhoneId): Promise<UiTree> => {
      await this.tree(id);
      this.looks += 1;
      const children = this.items.map((item, index) => this.#element(item, index));
      const none: ScreenItem = { text: "", y: 0 };
      return { root: { ...this.#element(none, -1), role: "screen", children }, width: 360, height: 800 };
    },
    findByCss: async (_id, css) => this.items.flatMap((item, index) => (`#${item.id}` === css ? [String(index)] : [])),
    target: async (_id, ref): Promise<UiTarget | undefined> => {
      const item = this.items[Number(ref)];
      if (item === undefined) return undefined;
      const { bounds } = this.#element(item, Number(ref));
      return {
        bounds,
        point: { x: 0.5, y: bounds.y + bounds.height / 2 },
        ...(item.coveredBy !== undefined && { coveredBy: item.coveredBy }),
      };
    },
    still: async () => true,
    hideKeyboard: async () => this.#did("hide keyboard"),
    closeApp: async (_id, url) => this.#did(`close ${url}`),
    clearState: async (_id, url) => this.#did(`clear ${url}`),
    setPermissions: async (_id, values) => this.#did(`permissions ${JSON.stringify(values)}`),
    setAirplaneMode: async (_id, on) => this.#did(`airplane ${on}`),
  };

  override async openUrl(id: PhoneId, url: string): Promise<void> {
    await super.openUrl(id, url);
    await this.#did(`open ${url}`);
  }
  override async input(id: PhoneId, input: PhoneInput): Promise<void> {
    await super.input(id, input);
    if (input.type === "text") {
      await this.#did(`type ${input.value}`);
      if (this.focused !== undefined) {
        const taken = this.takes?.(input.value) ?? input.value;
        this.values.set(this.focused, (this.values.get(this.focused) ?? "") + taken);
      }
    } else if (input.type === "key") {
      await this.#did(`key ${input.name}`);
      if (input.name === "Backspace" && this.focused !== undefined) {
        this.values.set(
          this.focused,
          Array.from(this.values.get(this.focused) ?? "")
            .slice(0, -1)
            .join(""),
        );
      }
    } else if (input.type === "touch" && input.phase === "end") {
      const item = this.items.find((one, index) => {
        const y = one.y ?? index / 10;
        return input.y >= y && input.y < y + 0.1;
      });
      await this.#did(`tap ${item?.text ?? `${input.x.toFixed(2)},${input.y.toFixed(2)}`}`);
      if (item?.field === true) this.focused = item;
      item?.onTap?.();
    }
  }

  async #did(what: string): Promise<void> {
    this.effects.push(what);
    await this.onEffect?.(what);
  }
}
