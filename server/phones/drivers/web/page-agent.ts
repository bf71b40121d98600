/**
 * What runs inside every page, in a world of its own that the page cannot see: finds out when a native control would
 * open (headless browsers draw none), when a field takes the keyboard, and what was copied. What automations ask of a page
 * is in `automation-page.ts`.
 *
 * The functions are sent to the browser as text, so each must stand alone: no imports, no names from outside.
 */
import { z } from "zod";
import { MAX_CLIPBOARD_LENGTH } from "../../../../shared/screen-protocol.ts";

export const AGENT_WORLD = "perch";
export const AGENT_BINDING = "perchAgent";

const shortText = z.string().transform((text) => text.slice(0, 200));
export const agentMessage = z.discriminatedUnion("type", [
  z.object({
    type: z.literal("select"),
    title: shortText,
    options: z
      .array(z.object({ label: shortText, selected: z.boolean(), disabled: z.boolean(), group: shortText.optional() }))
      .max(1000),
  }),
  z.object({
    type: z.literal("value"),
    kind: z.enum(["date", "time", "month", "week", "datetime-local", "color"]),
    title: shortText,
    value: z.string().max(40),
    min: z.string().max(40),
    max: z.string().max(40),
  }),
  z.object({ type: z.literal("keyboard"), open: z.boolean() }),
  z.object({ type: z.literal("copied"), value: z.string().transform((text) => text.slice(0, MAX_CLIPBOARD_LENGTH)) }),
]);
export type AgentMessage = z.infer<typeof agentMessage>;

/** Source for the agent's world. `channel` is an event name pages cannot guess. */
export function agentSource(channel: string): string {
  return `(${agent.toString()})(${JSON.stringify(channel)},${MAX_CLIPBOARD_LENGTH})`;
}

/** Source for the page's own world: reports text a page puts on the clipboard by script. */
export function copyReporterSource(channel: string): string {
  return `(${copyReporter.toString()})(${JSON.stringify(channel)},${MAX_CLIPBOARD_LENGTH})`;
}

/** Expressions for the agent's world; the chosen control is the one last reported from there. */
export const agentCalls = {
  choose: (index: number) => `perchPage.choose(${JSON.stringify(index)})`,
  setValue: (value: string) => `perchPage.setValue(${JSON.stringify(value)})`,
} as const;

function copyReporter(channel: string, longest: number): void {
  const clipboard = globalThis.Clipboard?.prototype;
  if (clipboard === undefined) return;
  const original = clipboard.writeText;
  const doc = document;
  const send = doc.dispatchEvent.bind(doc);
  const Event = CustomEvent;
  clipboard.writeText = function writeText(text: string) {
    send(new Event(channel, { detail: String(text).slice(0, longest) }));
    return original.call(this, text).catch(() => undefined);
  };
}

function agent(channel: string, longest: number): void {
  const world: Record<string, unknown> = Object(globalThis);
  if (world["perchPage"] !== undefined) return;
  const pickers = ["date", "time", "month", "week", "datetime-local", "color"];
  let control: HTMLSelectElement | HTMLInputElement | undefined;

  const say = (message: unknown) => {
    const binding = world["perchAgent"];
    if (typeof binding === "function") binding(JSON.stringify(message));
  };
  const originOf = (event: Event) => event.composedPath()[0];
  const titleOf = (element: HTMLSelectElement | HTMLInputElement) => {
    // A label may wrap the control, whose options are no part of its name.
    const label = [...(element.labels?.[0]?.childNodes ?? [])].filter((node) => node !== element);
    const text = label.map((node) => node.textContent ?? "").join(" ");
    return (text.trim() || element.getAttribute("aria-label") || element.title || "").trim();
  };

  const asSelect = (target: EventTarget | undefined) => {
    const element = target instanceof Element ? target.closest("select") : null;
    return element !== null && !element.disabled && !element.multiple && element.size <= 1 ? element : undefined;
  };
  const asPicker = (target: EventTarget | undefined) => {
    let element = target instanceof Element ? target.closest("input") : null;
    const label = target instanceof Element ? target.closest("label") : null;
    if (element === null && label?.control instanceof HTMLInputElement) element = label.control;
    if (element === null || element.disabled || element.readOnly) return undefined;
    return pickers.includes(element.type) ? element : undefined;
  };

  const openSelect = (select: HTMLSelectElement) => {
    control = select;
    select.focus({ preventScroll: true });
    say({
      type: "select",
      title: titleOf(select),
      options: [...select.options].slice(0, 1000).map((option) => ({
        label: option.label,
        selected: option.selected,
        disabled:
          option.disabled || (option.parentElement instanceof HTMLOptGroupElement && option.parentElement.disabled),
        ...(option.parentElement instanceof HTMLOptGroupElement ? { group: option.parentElement.label } : {}),
      })),
    });
  };
  const openPicker = (input: HTMLInputElement) => {
    control = input;
    say({
      type: "value",
      kind: input.type,
      title: titleOf(input),
      value: input.value,
      min: input.min,
      max: input.max,
    });
  };

  addEventListener(
    "mousedown",
    (event) => {
      if (!event.isTrusted) return;
      const select = asSelect(originOf(event));
      if (select !== undefined) {
        event.preventDefault();
        openSelect(select);
      } else if (asPicker(originOf(event)) !== undefined) event.preventDefault();
    },
    true,
  );
  addEventListener(
    "click",
    (event) => {
      const picker = event.isTrusted ? asPicker(originOf(event)) : undefined;
      if (picker === undefined) return;
      event.preventDefault();
      openPicker(picker);
    },
    true,
  );
  addEventListener(
    "keydown",
    (event) => {
      if (
        !event.isTrusted ||
        !(event.key === " " || event.key === "Enter" || (event.altKey && event.key === "ArrowDown"))
      )
        return;
      const select = asSelect(originOf(event));
      const picker = asPicker(originOf(event));
      if (select === undefined && picker === undefined) return;
      event.preventDefault();
      if (select !== undefined) openSelect(select);
      else if (picker !== undefined) openPicker(picker);
    },
    true,
  );

  const takesText = (target: EventTarget | null | undefined): boolean => {
    if (target instanceof HTMLTextAreaElement) return !target.readOnly && !target.disabled;
    if (target instanceof HTMLInputElement) {
      const silent = ["button", "checkbox", "file", "image", "radio", "range", "reset", "submit", "hidden", ...pickers];
      return !target.readOnly && !target.disabled && !silent.includes(target.type);
    }
    return target instanceof HTMLElement && target.isContentEditable;
  };
  let open = false;
  const report = (now: boolean) => {
    if (now === open) return;
    open = now;
    say({ type: "keyboard", open });
  };
  addEventListener("focusin", (event) => report(takesText(originOf(event))), true);
  addEventListener("focusout", (event) => report(takesText(event.relatedTarget)), true);

  const copied = (event: ClipboardEvent) => {
    if (!event.isTrusted) return;
    const field = originOf(event);
    let text = event.defaultPrevented ? (event.clipboardData?.getData("text/plain") ?? "") : "";
    if (text === "" && (field instanceof HTMLInputElement || field instanceof HTMLTextAreaElement)) {
      // A password never leaves its field.
      if (field instanceof HTMLInputElement && field.type === "password") return;
      text = field.value.slice(field.selectionStart ?? 0, field.selectionEnd ?? 0);
    }
    if (text === "") text = getSelection()?.toString() ?? "";
    if (text !== "") say({ type: "copied", value: text.slice(0, longest) });
  };
  addEventListener("copy", copied);
  addEventListener("cut", copied);
  document.addEventListener(channel, (event) => {
    if (event instanceof CustomEvent && typeof event.detail === "string") say({ type: "copied", value: event.detail });
  });

  const changed = (element: HTMLElement) => {
    element.dispatchEvent(new Event("input", { bubbles: true, composed: true }));
    element.dispatchEvent(new Event("change", { bubbles: true }));
  };

  world["perchPage"] = {
    choose(index: number) {
      if (!(control instanceof HTMLSelectElement) || control.selectedIndex === index) return;
      control.selectedIndex = index;
      changed(control);
    },
    setValue(value: string) {
      if (!(control instanceof HTMLInputElement) || control.value === value) return;
      control.value = value;
      changed(control);
    },
  };
}
