/** What is on the screen: one tree that is drawn, tapped and dumped, so that all three agree. */
import { type Canvas, type Colour, contains, intersect, type Rect, textWidth } from "./canvas.ts";
import { GLYPH_HEIGHT } from "./font.ts";

/** A text field. Its cursor stands at the end. */
export interface Field {
  value: string;
  /** All of it is selected: what is typed replaces it. */
  selected: boolean;
  /** What Enter does; nothing closes the keyboard. */
  readonly action?: () => void;
}
/** How far a list is scrolled, in pixels. */
export interface Scroll {
  readonly axis: "x" | "y";
  offset: number;
  max: number;
}

export interface View {
  /** The last part of the class: `Button`. With a dot it is the whole name. */
  readonly kind: string;
  /** In pixels of the screen. */
  readonly bounds: Rect;
  readonly id?: string | undefined;
  readonly text?: string | undefined;
  readonly description?: string | undefined;
  readonly hint?: string | undefined;
  readonly enabled?: boolean | undefined;
  readonly checkable?: boolean | undefined;
  readonly checked?: boolean | undefined;
  readonly selected?: boolean | undefined;
  readonly password?: boolean | undefined;
  readonly field?: Field | undefined;
  readonly scroll?: Scroll | undefined;
  readonly onTap?: ((x: number, y: number) => void) | undefined;
  readonly onLongTap?: (() => void) | undefined;
  readonly fill?: Colour | undefined;
  readonly line?: Colour | undefined;
  readonly colour?: Colour | undefined;
  readonly align?: "start" | "middle" | undefined;
  readonly valign?: "middle" | "end" | undefined;
  /** Painted behind its letters; not a view of its own. */
  readonly paint?: readonly { readonly rect: Rect; readonly fill: Colour }[] | undefined;
  /** Of its letters, against what is usual. */
  readonly size?: number | undefined;
  readonly children?: readonly View[] | undefined;
}

/** A view as far as it is seen. */
export interface SeenView {
  readonly view: View;
  readonly visible: Rect;
  readonly children: readonly SeenView[];
}

/** Cuts every view to what its parents show of it; what is not seen is left out. */
export function seen(view: View, clip: Rect): SeenView | undefined {
  const visible = intersect(view.bounds, clip);
  if (visible.width === 0 || visible.height === 0) return undefined;
  return {
    view,
    visible,
    children: (view.children ?? []).map((child) => seen(child, visible)).filter((child) => child !== undefined),
  };
}

/** The views under a point, the outermost first. */
export function under(root: SeenView, x: number, y: number): View[] {
  if (!contains(root.visible, x, y)) return [];
  for (const child of root.children.toReversed()) {
    const path = under(child, x, y);
    if (path.length > 0) return [root.view, ...path];
  }
  return [root.view];
}

export function* walk(root: SeenView): Generator<SeenView> {
  yield root;
  for (const child of root.children) yield* walk(child);
}

/** What a field shows: dots for a password, its hint while it is empty. */
export function shownText(view: View): string {
  if (view.field === undefined) return view.text ?? "";
  if (view.field.value === "") return view.hint ?? "";
  return view.password === true ? "•".repeat([...view.field.value].length) : view.field.value;
}

/** `scale`: pixels of a dp. `focused`: the field with the cursor. */
export function draw(canvas: Canvas, { view, visible, children }: SeenView, scale: number, focused?: Field): void {
  if (view.fill !== undefined) canvas.fill(visible, view.fill);
  for (const { rect, fill } of view.paint ?? []) canvas.fill(intersect(rect, visible), fill);
  const line = Math.max(1, Math.round(scale));
  if (view.line !== undefined) canvas.outline(view.bounds, visible, view.line, line);
  const dot = Math.max(1, Math.round(1.5 * scale * (view.size ?? 1)));
  const text = shownText(view);
  const { x, y, width, height } = view.bounds;
  const pad =
    view.align === "middle"
      ? Math.max(0, (width - textWidth(text, dot)) / 2)
      : view.fill === undefined && view.line === undefined
        ? 0
        : 8 * scale;
  const left = Math.round(x + pad);
  const room = height - GLYPH_HEIGHT * dot;
  const top = Math.round(y + (view.valign === "end" ? room - 8 * scale : room / 2));
  if (text !== "") canvas.text(text, left, top, visible, view.colour ?? 0x202124, dot);
  if (view.field !== undefined && view.field === focused) {
    const at = left + (view.field.value === "" ? 0 : textWidth(text, dot));
    canvas.fill(intersect({ x: at, y: top - dot, width: line, height: (GLYPH_HEIGHT + 2) * dot }, visible), 0x1a73e8);
  }
  if (view.checkable === true && view.checked !== undefined) drawCheck(canvas, view, visible, scale);
  for (const child of children) draw(canvas, child, scale, focused);
}

function drawCheck(canvas: Canvas, view: View, visible: Rect, scale: number): void {
  const side = Math.round(16 * scale);
  const { x, y, width, height } = view.bounds;
  const box = {
    x: x + width - side - Math.round(8 * scale),
    y: y + Math.round((height - side) / 2),
    width: side,
    height: side,
  };
  canvas.outline(box, visible, 0x5f6368, Math.max(1, Math.round(2 * scale)));
  const inset = Math.round(4 * scale);
  if (view.checked === true)
    canvas.fill(
      intersect({ x: box.x + inset, y: box.y + inset, width: side - 2 * inset, height: side - 2 * inset }, visible),
      0x1a73e8,
    );
}

/** The whole class as Android says it. */
export function className(kind: string): string {
  if (kind.includes(".")) return kind;
  if (kind === "View") return "android.view.View";
  if (kind === "WebView") return "android.webkit.WebView";
  return `android.widget.${kind}`;
}
