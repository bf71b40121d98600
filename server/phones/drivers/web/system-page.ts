/**
 * The phone's own page: home screen, recents, questions over a page, problems in words. Text only ever enters it as
 * text nodes, so nothing a page says can become markup. Runs in the browser as text: `page` must stand alone.
 */
import type { SystemView } from "./views.ts";

export const SYSTEM_BINDING = "perchSystem";

/** Expression that shows a view; `number` comes back with every answer given in it. */
export function showExpression(view: SystemView, number: number): string {
  return `perchShow(${JSON.stringify(view)},${number})`;
}

export function systemScript(): string {
  return `(${page.toString()})()`;
}

function page(): void {
  const world: Record<string, unknown> = Object(globalThis);
  let number = 0;
  const say = (action: unknown) => {
    const binding = world["perchSystem"];
    if (typeof binding === "function") binding(JSON.stringify({ view: number, action }));
  };

  type Child = Node | string | undefined;
  const put = <E extends HTMLElement>(element: E, className: string, ...children: Child[]): E => {
    if (className !== "") element.className = className;
    for (const child of children) if (child !== undefined) element.append(child);
    return element;
  };
  const box = (className: string, ...children: Child[]) => put(document.createElement("div"), className, ...children);
  const words = (tag: "h1" | "h2" | "p" | "span", text: string, className = "") =>
    put(document.createElement(tag), className, text);
  const button = (label: Child, className: string, press: () => void) => {
    const made = put(document.createElement("button"), className, label);
    made.type = "button";
    made.addEventListener("click", press);
    return made;
  };
  const field = (type: string, value: string, label: string) => {
    const made = document.createElement("input");
    made.type = type;
    made.value = value;
    made.setAttribute("aria-label", label);
    made.autocomplete = "off";
    made.spellcheck = false;
    return made;
  };
  const size = (bytes: number) =>
    bytes < 1e3 ? `${bytes} B` : bytes < 1e6 ? `${Math.round(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

  const home = (view: Extract<SystemView, { screen: "home" }>) => {
    const address = field("text", "", "Address");
    address.placeholder = "Address";
    address.inputMode = "url";
    address.autocapitalize = "none";
    const form = put(document.createElement("form"), "address", address);
    const go = put(document.createElement("button"), "main", "Open");
    go.type = "submit";
    form.append(go);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      say({ type: "open", text: address.value });
    });
    const screen = box("screen", words("h1", "Web phone"), form);
    if (view.note !== "") {
      const note = words("p", view.note, "note");
      note.setAttribute("role", "alert");
      screen.append(note);
    }
    screen.append(words("h2", "Web apps"));
    if (view.apps.length === 0) screen.append(words("p", "None yet. Install one from a page that offers it."));
    const apps = box("apps");
    view.apps.forEach((app, index) => {
      let icon: HTMLElement = box("letter", [...app.name][0] ?? "?");
      if (app.icon !== undefined) {
        const image = document.createElement("img");
        image.src = app.icon;
        image.alt = "";
        icon = image;
      }
      const made = button(icon, "app", () => say({ type: "app", index }));
      made.append(words("span", app.name));
      apps.append(made);
    });
    screen.append(apps, words("h2", "Downloads"));
    if (view.files.length === 0) screen.append(words("p", "Nothing downloaded yet."));
    else {
      const files = put(document.createElement("ul"), "list");
      for (const file of view.files) {
        files.append(
          put(document.createElement("li"), "", words("span", file.name), words("span", size(file.bytes), "small")),
        );
      }
      screen.append(files);
    }
    return screen;
  };

  const recents = (view: Extract<SystemView, { screen: "recents" }>) => {
    const screen = box("screen", words("h1", "Open pages"));
    if (view.tabs.length === 0) screen.append(words("p", "No page is open."));
    const tabs = put(document.createElement("ul"), "list");
    for (const tab of view.tabs) {
      const text = box("tab", words("span", tab.title), words("span", tab.host, "small"));
      const close = button("Close", "", () => say({ type: "closeTab", id: tab.id }));
      close.setAttribute("aria-label", `Close ${tab.title}`);
      tabs.append(
        put(
          document.createElement("li"),
          "",
          button(text, "row", () => say({ type: "tab", id: tab.id })),
          close,
        ),
      );
    }
    screen.append(tabs);
    return screen;
  };

  const problem = (view: Extract<SystemView, { screen: "problem" }>) => {
    const screen = box("screen center", words("h1", view.title), words("p", view.text));
    view.actions.forEach((one, index) => {
      screen.append(button(one.label, index === 0 ? "main" : "", () => say({ type: "problem", action: one.action })));
    });
    return screen;
  };

  type Sheet<K> = Extract<Extract<SystemView, { screen: "sheet" }>["sheet"], { kind: K }>;
  const cancel = () => button("Cancel", "", () => say({ type: "cancel" }));

  const dialog = (view: Sheet<"dialog">) => {
    const leaving = view.type === "beforeunload";
    const title = leaving ? "Leave this page?" : `${view.host} says`;
    const message = leaving ? "What you changed on it may be lost." : view.message;
    const body = box("body scroll", words("h1", title), words("p", message));
    const text = field("text", view.defaultText, "Answer");
    if (view.type === "prompt") body.append(text);
    const stop = field("checkbox", "", "");
    stop.removeAttribute("aria-label");
    if (view.storm) {
      const label = put(document.createElement("label"), "check", stop, "Stop this page from asking");
      body.append(label);
    }
    const answer = (accept: boolean) => say({ type: "dialog", accept, text: text.value, silence: stop.checked });
    text.addEventListener("keydown", (event) => {
      if (event.key === "Enter") answer(true);
    });
    const buttons = put(document.createElement("footer"), "");
    if (view.type !== "alert") buttons.append(button(leaving ? "Stay" : "Cancel", "", () => answer(false)));
    const accept = button(leaving ? "Leave" : "OK", "main", () => answer(true));
    buttons.append(accept);
    queueMicrotask(() => (view.type === "prompt" ? text : accept).focus());
    return box("sheet", body, buttons);
  };

  const select = (view: Sheet<"select">) => {
    const options = box("scroll");
    options.setAttribute("role", "listbox");
    let group: string | undefined;
    view.options.forEach((option, index) => {
      if (option.group !== undefined && option.group !== group) options.append(words("h2", option.group, "body"));
      group = option.group;
      const made = button(words("span", option.label), option.selected ? "row on" : "row", () =>
        say({ type: "choose", index }),
      );
      made.disabled = option.disabled;
      made.setAttribute("role", "option");
      made.setAttribute("aria-selected", String(option.selected));
      if (option.selected) {
        const tick = words("span", "✓");
        tick.setAttribute("aria-hidden", "true");
        made.append(tick);
        queueMicrotask(() => {
          made.scrollIntoView({ block: "center" });
          made.focus();
        });
      }
      options.append(made);
    });
    const heading = put(document.createElement("header"), "", words("h1", view.title === "" ? "Choose" : view.title));
    return box("sheet", heading, options, put(document.createElement("footer"), "", cancel()));
  };

  const files = (view: Sheet<"files">) => {
    const body = box("scroll");
    const chosen = new Set<string>();
    for (const name of view.names) {
      if (!view.multiple) body.append(button(words("span", name), "row", () => say({ type: "files", names: [name] })));
      else {
        const tick = field("checkbox", "", "");
        tick.removeAttribute("aria-label");
        tick.addEventListener("change", () => (tick.checked ? chosen.add(name) : chosen.delete(name)));
        body.append(box("body", put(document.createElement("label"), "check", tick, name)));
      }
    }
    if (view.names.length === 0) {
      body.append(box("body", words("p", "This phone has no files yet. Download one on the phone first.")));
    }
    const buttons = put(document.createElement("footer"), "", cancel());
    if (view.multiple) buttons.append(button("Choose", "main", () => say({ type: "files", names: [...chosen] })));
    return box(
      "sheet",
      put(document.createElement("header"), "", words("h1", "Choose a file of this phone")),
      body,
      buttons,
    );
  };

  interface Part {
    readonly label: string;
    readonly low: number;
    readonly high: number;
    readonly digits: number;
    value: number;
  }
  const step = (part: Part) => {
    const shown = field("text", String(part.value).padStart(part.digits, "0"), part.label);
    shown.inputMode = "numeric";
    const set = (value: number) => {
      const span = part.high - part.low + 1;
      part.value = part.low + ((((value - part.low) % span) + span) % span);
      shown.value = String(part.value).padStart(part.digits, "0");
    };
    shown.addEventListener("focus", () => shown.select());
    shown.addEventListener("input", () => {
      const typed = Number(shown.value);
      if (Number.isInteger(typed) && typed >= part.low && typed <= part.high) part.value = typed;
    });
    shown.addEventListener("blur", () => set(part.value));
    const more = button("+", "", () => set(part.value + 1));
    const less = button("−", "", () => set(part.value - 1));
    more.setAttribute("aria-label", `${part.label} up`);
    less.setAttribute("aria-label", `${part.label} down`);
    return box("step", words("span", part.label, "small"), more, shown, less);
  };

  const value = (view: Sheet<"value">) => {
    const heading = put(document.createElement("header"), "", words("h1", view.title === "" ? "Choose" : view.title));
    const buttons = put(document.createElement("footer"), "");
    if (view.type !== "color") buttons.append(button("Clear", "", () => say({ type: "value", value: "" })));
    buttons.append(cancel());
    const done = (result: () => string) =>
      buttons.append(button("Set", "main", () => say({ type: "value", value: result() })));
    if (view.type === "color") {
      const hex = field("text", view.value === "" ? "#000000" : view.value, "Colour as #rrggbb");
      const grid = box("colors");
      for (const lightness of [25, 45, 65, 85]) {
        for (const hue of [0, 45, 120, 185, 225, 290]) {
          const canvas = document.createElement("canvas").getContext("2d");
          if (canvas === null) continue;
          canvas.fillStyle = `hsl(${hue} 80% ${lightness}%)`;
          const color = String(canvas.fillStyle);
          const swatch = button("", "", () => {
            hex.value = color;
          });
          swatch.style.background = color;
          swatch.setAttribute("aria-label", color);
          grid.append(swatch);
        }
      }
      done(() => (/^#[0-9a-f]{6}$/i.test(hex.value) ? hex.value.toLowerCase() : view.value));
      return box("sheet", heading, box("body scroll", grid, hex), buttons);
    }
    const now = new Date();
    const numbers = (view.value.match(/\d+/g) ?? []).map(Number);
    const has = view.value !== "";
    const part = (label: string, low: number, high: number, digits: number, at: number, fallback: number): Part => ({
      label,
      low,
      high,
      digits,
      value: has ? (numbers[at] ?? fallback) : fallback,
    });
    const year = part("Year", 1, 9999, 4, 0, now.getFullYear());
    const month = part("Month", 1, 12, 2, 1, now.getMonth() + 1);
    const day = part("Day", 1, 31, 2, 2, now.getDate());
    const week = part("Week", 1, 53, 2, 1, 1);
    const first = view.type === "time" ? 0 : 3;
    const hour = part("Hour", 0, 23, 2, first, now.getHours());
    const minute = part("Minute", 0, 59, 2, first + 1, now.getMinutes());
    const all: Record<string, readonly Part[]> = {
      date: [year, month, day],
      time: [hour, minute],
      month: [year, month],
      week: [year, week],
      "datetime-local": [year, month, day, hour, minute],
    };
    const text = (one: Part) => String(one.value).padStart(one.digits, "0");
    done(() => {
      const longest = new Date(Date.UTC(2000 + (year.value % 400), month.value, 0)).getUTCDate();
      day.value = Math.min(day.value, longest);
      const date = `${text(year)}-${text(month)}-${text(day)}`;
      if (view.type === "date") return date;
      if (view.type === "time") return `${text(hour)}:${text(minute)}`;
      if (view.type === "month") return `${text(year)}-${text(month)}`;
      if (view.type === "week") return `${text(year)}-W${text(week)}`;
      return `${date}T${text(hour)}:${text(minute)}`;
    });
    const steps = box("steps", ...(all[view.type] ?? []).map(step));
    const limits = [view.min === "" ? "" : `from ${view.min}`, view.max === "" ? "" : `to ${view.max}`]
      .join(" ")
      .trim();
    const body = box("body scroll", steps, limits === "" ? undefined : words("p", `Allowed: ${limits}`));
    return box("sheet", heading, body, buttons);
  };

  const sheet = (view: Extract<SystemView, { screen: "sheet" }>) => {
    const { sheet: asked } = view;
    const made =
      asked.kind === "dialog"
        ? dialog(asked)
        : asked.kind === "select"
          ? select(asked)
          : asked.kind === "files"
            ? files(asked)
            : value(asked);
    made.setAttribute("role", "dialog");
    made.setAttribute("aria-modal", "true");
    const over = box(asked.kind === "dialog" ? "over middle" : "over", made);
    if (asked.kind !== "dialog") {
      over.addEventListener("click", (event) => {
        if (event.target === over) say({ type: "cancel" });
      });
    }
    if (view.backdrop === "") return over;
    const picture = document.createElement("img");
    picture.className = "back";
    picture.alt = "";
    picture.src = view.backdrop;
    return box("", picture, over);
  };

  const show = (view: SystemView): Node => {
    if (view.screen === "home") return home(view);
    if (view.screen === "recents") return recents(view);
    if (view.screen === "problem") return problem(view);
    if (view.screen === "sheet") return sheet(view);
    const opening = words("p", `Opening ${view.host} …`);
    opening.setAttribute("role", "status");
    return box("screen center", opening);
  };
  world["perchShow"] = (view: SystemView, viewNumber: number) => {
    number = viewNumber;
    document.getElementById("root")?.replaceChildren(show(view));
  };

  addEventListener("keydown", (event) => {
    if (event.key === "Escape") say({ type: "cancel" });
  });
  const takesText = (target: EventTarget | null) => target instanceof HTMLInputElement && target.type === "text";
  addEventListener("focusin", (event) => say({ type: "keyboard", open: takesText(event.target) }));
  addEventListener("focusout", (event) => say({ type: "keyboard", open: takesText(event.relatedTarget) }));
  addEventListener("copy", () => say({ type: "copied", value: getSelection()?.toString() ?? "" }));
}
