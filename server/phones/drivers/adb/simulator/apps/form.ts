/** An app with what forms are made of. */
import type { App, AppPhone, Area } from "../app.ts";
import { button, input, page, tick, words } from "../layout.ts";
import type { Field, Scroll, View } from "../view.ts";

export const FORM = "com.example.form";

export class FormApp implements App {
  readonly package = FORM;
  readonly activity = ".FormActivity";
  readonly label = "Form";
  readonly colour = 0xef6c00;
  #name!: Field;
  #password!: Field;
  #search!: Field;
  #agreed = false;
  #news = false;
  #said = "";
  #scroll!: Scroll;

  constructor() {
    this.clear();
  }

  clear(): void {
    this.#name = { value: "", selected: false };
    this.#password = { value: "", selected: false };
    this.#search = { value: "", selected: false, action: () => this.#say(`Searched: ${this.#search.value}`) };
    this.#agreed = false;
    this.#news = false;
    this.#said = "";
    this.#scroll = { axis: "y", offset: 0, max: 0 };
  }

  /** What is in the fields, for tests. */
  get values() {
    return {
      name: this.#name.value,
      password: this.#password.value,
      search: this.#search.value,
      agreed: this.#agreed,
      news: this.#news,
      said: this.#said,
    };
  }

  #say(text: string): void {
    this.#said = text;
  }

  view(area: Area, phone: AppPhone): View {
    const does = (work: () => void) => () => {
      work();
      phone.changed();
    };
    const focus = (field: Field) => phone.focus(field);
    return page(area, {
      title: "Sign up",
      fill: area.theme.dark ? 0x201a10 : 0xfff8ec,
      scroll: this.#scroll,
      listId: "list",
      rows: [
        words("Name"),
        input(this.#name, focus, { id: "name", hint: "Your name" }),
        words("Password"),
        input(this.#password, focus, { id: "password", hint: "Password", password: true }),
        input(this.#search, focus, { id: "search", hint: "Search" }),
        words("日本語テキスト 😀 Grüße", { id: "greeting" }),
        tick(
          "CheckBox",
          "I agree",
          this.#agreed,
          does(() => {
            this.#agreed = !this.#agreed;
          }),
          { id: "agree" },
        ),
        tick(
          "Switch",
          "Send me news",
          this.#news,
          does(() => {
            this.#news = !this.#news;
          }),
          { id: "news" },
        ),
        button(
          "Submit",
          does(() => this.#say(`Hello ${this.#name.value}`)),
          { id: "submit", enabled: this.#agreed },
        ),
        words(this.#said, { id: "said" }),
        button(
          "Use location",
          () => phone.askPermission(FORM, "android.permission.ACCESS_FINE_LOCATION", "access this device’s location"),
          {
            id: "location",
            description: "Use my location",
          },
        ),
        words(phone.granted(FORM, "android.permission.ACCESS_FINE_LOCATION") ? "Location on" : "Location off", {
          id: "place",
        }),
        button(
          "Hold me",
          does(() => this.#say("Tapped")),
          { id: "hold", onLongTap: does(() => this.#say("Held")) },
        ),
      ],
    });
  }
}
