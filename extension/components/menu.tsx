import { type KeyboardEvent, type ReactNode, useEffect, useId, useRef, useState } from "react";
import { focusedIndex } from "./focus.ts";
import { Icon, type IconName } from "./icon.tsx";
import "./menu.css";

export interface MenuItem {
  readonly id: string;
  readonly label: string;
  readonly icon?: IconName;
  /** Second line. */
  readonly detail?: string;
  readonly danger?: boolean;
  readonly disabled?: boolean;
  /** For a choice among items: shows a check and says so. */
  readonly checked?: boolean;
  /** The list stays, for what is pressed several times. */
  readonly stays?: boolean;
  readonly onSelect: () => void;
}

export interface MenuTriggerProps {
  readonly ref: (element: HTMLButtonElement | null) => void;
  readonly onClick: () => void;
  readonly onKeyDown: (event: KeyboardEvent) => void;
  readonly "aria-haspopup": "menu";
  readonly "aria-expanded": boolean;
  readonly "aria-controls": string | undefined;
}

export interface MenuProps {
  /** Accessible name of the list. */
  readonly label: string;
  readonly items: readonly (MenuItem | "separator")[];
  readonly align?: "start" | "end";
  /** Which side of the button the list opens on; above for bars at the bottom. */
  readonly side?: "below" | "above";
  /** Renders the button that opens the menu; spread the given props on it. */
  readonly trigger: (props: MenuTriggerProps) => ReactNode;
}

/** A menu button (WAI-ARIA APG): arrows, Home, End, first letters, Escape gives the focus back. */
export function Menu({ label, items, align = "end", side = "below", trigger }: MenuProps) {
  const id = useId();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement | null>(null);
  const root = useRef<HTMLDivElement>(null);
  const list = useRef<HTMLDivElement>(null);

  const choices = () => [
    ...(list.current?.querySelectorAll<HTMLButtonElement>("[role^=menuitem]:not(:disabled)") ?? []),
  ];
  const close = (refocus: boolean) => {
    setOpen(false);
    if (refocus) button.current?.focus();
  };

  useEffect(() => {
    if (!open) return;
    const first = list.current?.querySelector<HTMLButtonElement>("[aria-checked=true]:not(:disabled)");
    (first ?? list.current?.querySelector<HTMLButtonElement>("[role^=menuitem]:not(:disabled)"))?.focus();
    const outside = (event: PointerEvent) => {
      if (event.target instanceof Node && root.current?.contains(event.target) === false) setOpen(false);
    };
    document.addEventListener("pointerdown", outside, true);
    return () => document.removeEventListener("pointerdown", outside, true);
  }, [open]);

  const onListKey = (event: KeyboardEvent) => {
    const all = choices();
    const current = focusedIndex(all);
    const move = (index: number) => {
      event.preventDefault();
      event.stopPropagation();
      all.at(index % Math.max(all.length, 1))?.focus();
    };
    if (event.key === "ArrowDown") move(current + 1);
    else if (event.key === "ArrowUp") move(current - 1);
    else if (event.key === "Home") move(0);
    else if (event.key === "End") move(-1);
    else if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      close(true);
    } else if (event.key === "Tab") setOpen(false);
    else if (event.key.length === 1 && /\S/.test(event.key)) {
      const letter = event.key.toLowerCase();
      const order = [...all.slice(current + 1), ...all.slice(0, current + 1)];
      const next = order.find((choice) => choice.dataset["label"]?.toLowerCase().startsWith(letter) === true);
      if (next !== undefined) {
        event.stopPropagation();
        next.focus();
      }
    }
  };

  return (
    <div className="menu-root" ref={root}>
      {trigger({
        ref: (element) => {
          button.current = element;
        },
        onClick: () => setOpen(!open),
        onKeyDown: (event) => {
          if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
          event.preventDefault();
          event.stopPropagation();
          setOpen(true);
        },
        "aria-haspopup": "menu",
        "aria-expanded": open,
        "aria-controls": open ? id : undefined,
      })}
      {open && (
        <div
          className={`menu menu-${align} menu-${side}`}
          id={id}
          role="menu"
          aria-label={label}
          ref={list}
          onKeyDown={onListKey}
          tabIndex={-1}
        >
          {items.map((item, index) =>
            item === "separator" ? (
              // biome-ignore lint/suspicious/noArrayIndexKey: separators have no identity of their own
              <hr className="menu-separator" key={`separator-${index}`} />
            ) : (
              <button
                key={item.id}
                type="button"
                {...(item.checked === undefined
                  ? { role: "menuitem" }
                  : { role: "menuitemradio", "aria-checked": item.checked })}
                className={`menu-item${item.danger === true ? " menu-item-danger" : ""}`}
                disabled={item.disabled}
                data-label={item.label}
                tabIndex={-1}
                onClick={() => {
                  if (item.stays !== true) close(true);
                  item.onSelect();
                }}
              >
                {item.checked === undefined ? (
                  item.icon !== undefined && <Icon name={item.icon} />
                ) : (
                  <span className="menu-check">{item.checked && <Icon name="check" />}</span>
                )}
                <span className="menu-text">
                  <span>{item.label}</span>
                  {item.detail !== undefined && <span className="secondary">{item.detail}</span>}
                </span>
              </button>
            ),
          )}
        </div>
      )}
    </div>
  );
}
