/** Perch's line icons: one set on a 20 px grid, drawn at 16 or 20 px in the current text colour. Shapes: `icons.css`. */
import "./icons.css";

export type IconName =
  | "back"
  | "home"
  | "recents"
  | "rotate"
  | "camera"
  | "keyboard"
  | "more"
  | "settings"
  | "phone"
  | "tablet"
  | "plus"
  | "minus"
  | "start"
  | "park"
  | "open"
  | "link"
  | "close"
  | "check"
  | "warning"
  | "error"
  | "info"
  | "offline"
  | "shield"
  | "user"
  | "team"
  | "refresh"
  | "download"
  | "upload"
  | "copy"
  | "clipboard"
  | "trash"
  | "edit"
  | "expand"
  | "chevronDown"
  | "chevronRight"
  | "chevronUp"
  | "file"
  | "activity"
  | "hand"
  | "globe"
  | "search"
  | "panel"
  | "server"
  | "key"
  | "passkey"
  | "signOut"
  | "location"
  | "eye"
  | "clock"
  | "install"
  | "mail"
  | "automation"
  | "format"
  | "record"
  | "card"
  | "chart"
  | "stopwatch"
  | "stop"
  | "sound"
  | "mute"
  | "louder"
  | "quieter"
  | "power"
  | "apps";

export interface IconProps {
  readonly name: IconName;
  readonly size?: 16 | 20;
}

/** Decorative by itself: the control or text beside it carries the name. */
export function Icon({ name, size = 16 }: IconProps) {
  const dots = name === "more";
  return (
    <svg
      className="icon"
      width={size}
      height={size}
      viewBox="0 0 20 20"
      fill="none"
      stroke="currentColor"
      strokeWidth={dots ? 2.6 : size === 16 ? 1.7 : 1.5}
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path className={`icon-${name}`} />
    </svg>
  );
}
