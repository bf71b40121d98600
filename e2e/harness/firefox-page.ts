/** One page in Firefox and what a person does in it, by the names on its buttons and fields. */
import { type BidiSession, record } from "./bidi.ts";
import { until } from "./until.ts";

type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

export interface PageOptions {
  readonly session: BidiSession;
  /** Id of the browsing context. */
  readonly context: string;
  /** Where it was when it was found. */
  readonly address: string;
}

/** Keys as WebDriver writes them (https://w3c.github.io/webdriver/#keyboard-actions). */
const KEYS = { Enter: "\uE006", Escape: "\uE00C", Backspace: "\uE003", Space: " " } as const;

export class FirefoxPage {
  readonly address: string;
  readonly context: string;
  readonly #session: BidiSession;

  constructor({ session, context, address }: PageOptions) {
    this.#session = session;
    this.context = context;
    this.address = address;
  }

  async goto(url: string): Promise<void> {
    await this.#session.send("browsingContext.navigate", { context: this.context, url, wait: "complete" });
  }

  async reload(): Promise<void> {
    await this.#session.send("browsingContext.reload", { context: this.context, wait: "complete" });
  }

  async activate(): Promise<void> {
    await this.#session.send("browsingContext.activate", { context: this.context });
  }

  async close(): Promise<void> {
    await this.#session.send("browsingContext.close", { context: this.context });
  }

  /** Runs `work` in the page; it sees nothing but its arguments, and they and its result travel as JSON. */
  async evaluate<A extends readonly Json[], T>(work: (...given: A) => T, ...given: A): Promise<Awaited<T>> {
    const outcome = await this.#session.send("script.callFunction", {
      functionDeclaration: `async (given) => JSON.stringify({ value: await (${work.toString()})(...JSON.parse(given)) })`,
      arguments: [{ type: "string", value: JSON.stringify(given) }],
      target: { context: this.context },
      awaitPromise: true,
    });
    if (outcome["type"] !== "success") {
      throw new Error(`In ${this.address}: ${String(record(outcome["exceptionDetails"])["text"])}`);
    }
    return jsonValue<T>(String(record(outcome["result"])["value"]));
  }

  /** Runs a script as it is, for libraries. */
  async run(script: string): Promise<void> {
    const outcome = await this.#session.send("script.evaluate", {
      expression: `${script};undefined`,
      target: { context: this.context },
      awaitPromise: false,
    });
    if (outcome["type"] !== "success") throw new Error(String(record(outcome["exceptionDetails"])["text"]));
  }

  async text(): Promise<string> {
    // biome-ignore lint/performance/useDomNodeTextContent: a page says what it renders, not what it hides
    return this.evaluate(() => document.body.innerText);
  }

  async says(words: string): Promise<void> {
    await until(`“${words}” on ${this.address}`, async () => (await this.text()).includes(words)).catch(
      async (error: unknown) => {
        throw new Error(`It says: ${(await this.text()).replaceAll("\n", " | ")}`, { cause: error });
      },
    );
  }

  /** How many elements have this role and exactly this name, as told to assistive technology. */
  async count(role: string, name: string): Promise<number> {
    return (await this.#locate(role, name)).length;
  }

  async waitFor(role: string, name: string): Promise<void> {
    await this.#find(role, name);
  }

  /** Clicks the middle of the element with a real mouse, once it is there and can be used. */
  async click(role: string, name: string): Promise<void> {
    await this.#clickOn(await this.#find(role, name));
  }

  /** Once more when something else was hit, because the page moved under the mouse. */
  async #clickOn(element: string): Promise<void> {
    let before = "";
    await until(`it to stand still on ${this.address}, with nothing over it, and be hit`, async () => {
      const place = await this.#placeOf(element);
      const still = place !== "" && place === before;
      before = place;
      if (!still) return false;
      await this.#expectClick(element);
      await this.#pointer([
        { type: "pointerMove", x: 0, y: 0, origin: { type: "element", element: { sharedId: element } } },
        { type: "pointerDown", button: 0 },
        { type: "pointerUp", button: 0 },
      ]);
      return this.#wasHit();
    });
  }

  /** The next click of the page says whether it was in this element. */
  async #expectClick(element: string): Promise<void> {
    const listen = (target: Element) => {
      Reflect.set(globalThis, "perchHit", false);
      const heard = ({ target: hit }: Event) => {
        if (hit instanceof Node && target.contains(hit)) Reflect.set(globalThis, "perchHit", true);
      };
      document.addEventListener("click", heard, { capture: true, once: true });
    };
    await this.#callOn(element, listen);
  }

  /** A page that went, or went on to another, was hit. */
  async #wasHit(): Promise<boolean> {
    return this.evaluate(() => Reflect.get(globalThis, "perchHit") !== false).catch(() => true);
  }

  /** Brings the element into view and tells where it is; nothing while something lies over its middle. */
  async #placeOf(element: string): Promise<string> {
    const look = (target: Element) => {
      target.scrollIntoView({ block: "nearest", behavior: "instant" });
      const { x, y, width, height } = target.getBoundingClientRect();
      const top = document.elementFromPoint(x + width / 2, y + height / 2);
      return target.contains(top) ? JSON.stringify([x, y, width, height]) : "";
    };
    return String((await this.#callOn(element, look)) ?? "");
  }

  async #callOn(element: string, work: (target: Element) => unknown): Promise<unknown> {
    const outcome = await this.#session.send("script.callFunction", {
      functionDeclaration: work.toString(),
      arguments: [{ sharedId: element }],
      target: { context: this.context },
      awaitPromise: false,
    });
    return record(outcome["result"])["value"];
  }

  /** Clicks a place in the page, CSS pixels from its upper left corner. */
  async clickAt(x: number, y: number): Promise<void> {
    await this.#pointer([
      { type: "pointerMove", x: Math.round(x), y: Math.round(y) },
      { type: "pointerDown", button: 0 },
      { type: "pointerUp", button: 0 },
    ]);
  }

  /** Clicks the first element a CSS selector finds, where two have the same name. */
  async clickFirst(selector: string): Promise<void> {
    const middle = await this.evaluate((css) => {
      const box = document.querySelector(css)?.getBoundingClientRect();
      return box === undefined ? null : { x: box.x + box.width / 2, y: box.y + box.height / 2 };
    }, selector);
    if (middle === null) throw new Error(`There is no ${selector} on ${this.address}.`);
    await this.clickAt(middle.x, middle.y);
  }

  /** Clicks into a field and types over what it holds. */
  async fill(label: string, text: string): Promise<void> {
    // Without a role: a password field has none.
    await this.#clickOn(await this.#find(undefined, label));
    await this.evaluate(() => {
      const { activeElement: field } = document;
      if (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement) field.select();
    });
    await this.type(text);
  }

  /** Types characters into whatever has the focus, each as a key of its own. */
  async type(text: string): Promise<void> {
    // One key is one grapheme, as a keyboard with that key would send it.
    const characters = [...new Intl.Segmenter().segment(text)].map(({ segment }) => segment);
    await this.#keys(characters);
  }

  async press(key: keyof typeof KEYS): Promise<void> {
    await this.#keys([KEYS[key]]);
  }

  async #keys(values: readonly string[]): Promise<void> {
    const actions = values.flatMap((value) => [
      { type: "keyDown", value },
      { type: "keyUp", value },
    ]);
    await this.#session.send("input.performActions", {
      context: this.context,
      actions: [{ type: "key", id: "keyboard", actions }],
    });
  }

  async #pointer(actions: readonly object[]): Promise<void> {
    await this.#session.send("input.performActions", {
      context: this.context,
      actions: [{ type: "pointer", id: "mouse", parameters: { pointerType: "mouse" }, actions }],
    });
  }

  async #find(role: string | undefined, name: string): Promise<string> {
    return until(
      `${role ?? "field"} “${name}” on ${this.address}`,
      async () => (await this.#locate(role, name))[0],
    ).catch(async (error: unknown) => {
      throw new Error(`It says: ${(await this.text()).replaceAll("\n", " | ")}`, { cause: error });
    });
  }

  async #locate(role: string | undefined, name: string): Promise<readonly string[]> {
    const { nodes } = await this.#session.send("browsingContext.locateNodes", {
      context: this.context,
      locator: { type: "accessibility", value: { ...(role !== undefined && { role }), name } },
    });
    return (Array.isArray(nodes) ? nodes : []).map((node: unknown) => String(record(node)["sharedId"]));
  }
}

/** `evaluate` wrapped the value in the page with `JSON.stringify`, so it has the type the page's function gives. */
function jsonValue<T>(json: string): Awaited<T> {
  const { value } = JSON.parse(json) as { value: Awaited<T> };
  return value;
}
