import type { ButtonHTMLAttributes, ReactNode, Ref } from "react";
import { Icon, type IconName } from "./icon.tsx";
import "./button.css";

export interface ButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> {
  readonly children: ReactNode;
  readonly kind?: "primary" | "secondary" | "quiet" | "danger";
  readonly size?: "small" | "medium" | "large";
  readonly icon?: IconName;
  /** Shows that the action runs and keeps it from running twice; the button stays focusable. */
  readonly busy?: boolean;
  /** Fills the width it is given. */
  readonly wide?: boolean;
  readonly ref?: Ref<HTMLButtonElement>;
}

/** A verb. One primary button per view. */
export function Button(props: ButtonProps) {
  const { children, kind = "secondary", size = "medium", icon, busy = false, wide = false, onClick, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      className={`button button-${kind} button-${size}${wide ? " button-wide" : ""}`}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <Spinner /> : icon !== undefined && <Icon name={icon} />}
      <span className="button-label">{children}</span>
    </button>
  );
}

export interface IconButtonProps extends Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children" | "aria-label"> {
  readonly icon: IconName;
  /** Accessible name and tooltip. */
  readonly label: string;
  /** Keys that do the same, shown in the tooltip, e.g. "Alt+P". */
  readonly shortcut?: string;
  readonly size?: "small" | "medium" | "large";
  readonly busy?: boolean;
  /** For a control that is on or off. */
  readonly pressed?: boolean;
  /** Where the tooltip fits. */
  readonly tooltip?: "above" | "below" | "left";
  readonly ref?: Ref<HTMLButtonElement>;
}

export function IconButton(props: IconButtonProps) {
  const { icon, label, shortcut, size = "medium", busy = false, pressed, tooltip = "above", onClick, ...rest } = props;
  return (
    <button
      type="button"
      {...rest}
      className={`icon-button icon-button-${size} tooltip-${tooltip}`}
      aria-label={label}
      aria-pressed={pressed}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      data-tooltip={shortcut === undefined ? label : `${label}  ${shortcut}`}
      onClick={(event) => {
        if (busy) event.preventDefault();
        else onClick?.(event);
      }}
    >
      {busy ? <Spinner /> : <Icon name={icon} size={size === "large" ? 20 : 16} />}
    </button>
  );
}

export function Spinner() {
  return <span className="spinner" aria-hidden="true" />;
}
