/** Rows, buttons and fields, put below each other. Sizes are in dp here and in pixels in the views they make. */
import type { Area } from "./app.ts";
import type { Rect } from "./canvas.ts";
import type { Field, Scroll, View } from "./view.ts";

export interface Row {
  /** In dp. */
  readonly height: number;
  view(rect: Rect, area: Area): View;
}

interface Words {
  readonly id?: string;
  readonly size?: number;
  readonly colour?: number;
  readonly fill?: number;
  readonly description?: string;
  readonly align?: "start" | "middle";
}

export const words = (text: string, options: Words = {}): Row => ({
  height: 32 * (options.size ?? 1),
  view: (bounds, { theme }) => ({ kind: "TextView", text, colour: theme.text, bounds, ...options }),
});

export const button = (
  text: string,
  onTap: () => void,
  options: {
    readonly id?: string;
    readonly enabled?: boolean;
    readonly description?: string;
    readonly onLongTap?: () => void;
  } = {},
): Row => ({
  height: 48,
  view: (bounds, { theme }) => ({
    kind: "Button",
    text,
    bounds,
    align: "middle",
    fill: options.enabled === false ? theme.surface : theme.accent,
    colour: options.enabled === false ? theme.faint : theme.dark ? 0x000000 : 0xffffff,
    onTap,
    ...options,
  }),
});

export const input = (
  field: Field,
  focus: (field: Field) => void,
  options: { readonly id: string; readonly hint: string; readonly password?: boolean },
): Row => ({
  height: 48,
  view: (bounds, { theme }) => ({
    kind: "EditText",
    bounds,
    field,
    fill: theme.surface,
    line: theme.faint,
    colour: field.value === "" ? theme.faint : theme.text,
    onTap: () => focus(field),
    ...options,
  }),
});

export const tick = (
  kind: "CheckBox" | "Switch",
  text: string,
  checked: boolean,
  onTap: () => void,
  options: { readonly id?: string } = {},
): Row => ({
  height: 48,
  view: (bounds, { theme }) => ({
    kind,
    text,
    bounds,
    checkable: true,
    checked,
    colour: theme.text,
    onTap,
    ...options,
  }),
});

/** A line of a list: a title, and below it what it is now. */
export const entry = (title: string, summary: string, onTap: (() => void) | undefined): Row => ({
  height: 64,
  view: (bounds, { theme, scale }) => {
    const part = (from: number, height: number): Rect => ({
      ...bounds,
      x: bounds.x + Math.round(16 * scale),
      y: bounds.y + Math.round(from * scale),
      width: bounds.width - Math.round(32 * scale),
      height: Math.round(height * scale),
    });
    const title_: View = {
      kind: "TextView",
      id: "android:id/title",
      text: title,
      bounds: part(8, 24),
      colour: theme.text,
    };
    const summary_: View = {
      kind: "TextView",
      id: "android:id/summary",
      text: summary,
      bounds: part(34, 20),
      size: 0.67,
      colour: theme.faint,
    };
    return { kind: "LinearLayout", bounds, onTap, children: summary === "" ? [title_] : [title_, summary_] };
  },
});

/** Cards beside each other that scroll sideways. */
export const carousel = (
  id: string,
  scroll: Scroll,
  cards: readonly { readonly text: string; readonly fill: number; readonly onTap: () => void }[],
): Row => ({
  height: 120,
  view: (bounds, { scale }) => {
    const [card, gap] = [Math.round(140 * scale), Math.round(12 * scale)];
    scroll.max = Math.max(0, cards.length * (card + gap) - gap - bounds.width);
    scroll.offset = Math.min(scroll.offset, scroll.max);
    return {
      kind: "HorizontalScrollView",
      id,
      bounds,
      scroll,
      children: cards.map(({ text, fill, onTap }, index) => ({
        kind: "TextView",
        text,
        fill,
        colour: 0xffffff,
        align: "middle",
        size: 0.67,
        onTap,
        bounds: { ...bounds, x: bounds.x + index * (card + gap) - scroll.offset, width: card },
      })),
    };
  },
});

/** A whole screen: a bar with its name, then rows that scroll where they do not fit. */
export function page(
  area: Area,
  options: {
    readonly title?: string;
    readonly fill?: number;
    readonly rows: readonly Row[];
    readonly scroll?: Scroll;
    readonly listId?: string;
    readonly gap?: number;
    readonly inset?: number;
  },
): View {
  const { rect, scale, theme } = area;
  const bar = options.title === undefined ? 0 : Math.round(56 * scale);
  const inset = Math.round((options.inset ?? 16) * scale);
  const gap = (options.gap ?? 8) * scale;
  const body: Rect = { ...rect, y: rect.y + bar, height: rect.height - bar };
  const whole = options.rows.reduce((sum, { height }) => sum + height * scale + gap, gap);
  const { scroll } = options;
  if (scroll !== undefined) {
    scroll.max = Math.max(0, Math.round(whole - body.height));
    scroll.offset = Math.min(scroll.offset, scroll.max);
  }
  let y = body.y + gap - (scroll?.offset ?? 0);
  const rows = options.rows.map((row) => {
    const bounds = {
      x: body.x + inset,
      y: Math.round(y),
      width: body.width - 2 * inset,
      height: Math.round(row.height * scale),
    };
    y += row.height * scale + gap;
    return row.view(bounds, area);
  });
  const list: View = {
    kind: scroll === undefined ? "FrameLayout" : "ScrollView",
    bounds: body,
    scroll,
    id: options.listId,
    children: rows,
  };
  const heading: View = {
    kind: "TextView",
    text: options.title,
    bounds: { ...rect, height: bar },
    fill: theme.surface,
    colour: theme.text,
  };
  return {
    kind: "FrameLayout",
    bounds: rect,
    fill: options.fill ?? theme.background,
    children: options.title === undefined ? [list] : [heading, list],
  };
}
