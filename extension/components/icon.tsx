/** Perch's line icons: one set on a 20 px grid, drawn at 16 or 20 px in the current text colour. */

const PATHS = {
  back: "M12.5 4.5 7 10l5.5 5.5",
  home: "M3.5 9.5 10 4l6.5 5.5M5.5 8.5V16h9V8.5",
  recents: "M5 5h10v10H5z",
  rotate: "M15.5 8A6 6 0 1 0 16 11M15.8 3.8V8h-4.2",
  camera: "M3.5 6.5h3L8 4.5h4l1.5 2h3v9h-13zM10 8.2a2.6 2.6 0 1 0 0 5.2 2.6 2.6 0 0 0 0-5.2z",
  keyboard: "M2.5 5.5h15v9h-15zM5.5 8.3h.01M8.5 8.3h.01M11.5 8.3h.01M14.5 8.3h.01M7 11.7h6",
  more: "M4.5 10h.01M10 10h.01M15.5 10h.01",
  settings: "M3 6h8M15 6h2M3 14h2M9 14h8M13 4a2 2 0 1 0 0 4 2 2 0 0 0 0-4zM7 12a2 2 0 1 0 0 4 2 2 0 0 0 0-4z",
  phone: "M6.5 2.5h7a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-13a1 1 0 0 1 1-1zM9 15h2",
  tablet: "M4.5 2.5h11a1 1 0 0 1 1 1v13a1 1 0 0 1-1 1h-11a1 1 0 0 1-1-1v-13a1 1 0 0 1 1-1zM9 15h2",
  plus: "M10 4v12M4 10h12",
  start: "M6.5 4.2v11.6L16 10z",
  park: "M7 4.5v11M13 4.5v11",
  open: "M8 4.5H4.5v11h11V12M11.5 3.5h5v5M16.5 3.5 9.5 10.5",
  link: "M8.5 11.5a3 3 0 0 0 4.2 0l2.6-2.6a3 3 0 0 0-4.2-4.2l-1 1M11.5 8.5a3 3 0 0 0-4.2 0l-2.6 2.6a3 3 0 0 0 4.2 4.2l1-1",
  close: "M5 5l10 10M15 5 5 15",
  check: "M4 10.5 8.2 14.5 16 6",
  warning: "M10 3.2 18 16.5H2zM10 8v4M10 14.3h.01",
  error: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 6.2v4.6M10 13.6h.01",
  info: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 9v4.6M10 6.4h.01",
  offline: "M3 3l14 14M4 9a9 9 0 0 1 3-2M16 9a9 9 0 0 0-5-2.4M6.5 12a5 5 0 0 1 2.5-1.5M10 15.2h.01",
  shield: "M10 2.8 16 5v4.6c0 3.6-2.4 6.2-6 7.6-3.6-1.4-6-4-6-7.6V5zM7.3 10l1.9 1.9 3.6-3.8",
  user: "M10 3.5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM4 16.5c.6-3 2.9-4.6 6-4.6s5.4 1.6 6 4.6",
  refresh: "M4.5 8A6 6 0 0 1 15.5 7.5M15.5 12A6 6 0 0 1 4.5 12.5M15.8 3.8v3.9h-3.9M4.2 16.2v-3.9h3.9",
  download: "M10 3.5v9M6.3 9 10 12.7 13.7 9M4 16.5h12",
  upload: "M10 13V4M6.3 7.5 10 3.8l3.7 3.7M4 16.5h12",
  copy: "M7.5 7.5h9v9h-9zM12.5 7.5v-4h-9v9h4",
  clipboard: "M7 4.5H4.5v12h11v-12H13M7.5 3h5v3h-5z",
  trash: "M3.5 5.5h13M8 5.5v-2h4v2M5.5 5.5 6.2 16.5h7.6l.7-11M8.5 8.5v5M11.5 8.5v5",
  edit: "M12.8 4.2l3 3L7 16H4v-3z",
  expand: "M11.5 3.5h5v5M16.5 3.5l-5.5 5.5M8.5 16.5h-5v-5M3.5 16.5 9 11",
  chevronDown: "M5 7.5l5 5 5-5",
  chevronRight: "M7.5 5l5 5-5 5",
  file: "M5.5 2.5h6l3.5 3.5v11.5h-9.5zM11.5 2.5V6H15",
  activity: "M2.5 10.5H6l2.3-6 3.6 11 2.3-5h3.3",
  hand: "M6.5 11V5.5a1.2 1.2 0 0 1 2.4 0V9.5V4.2a1.2 1.2 0 0 1 2.4 0V9.5V5.5a1.2 1.2 0 0 1 2.4 0v6c0 3.5-1.6 5.5-4.4 5.5-2.4 0-3.6-1.3-4.8-3.8L3.4 11c.8-.9 2-.7 3.1.9",
  globe:
    "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM2.8 10h14.4M10 2.8c2.2 2.2 3 4.6 3 7.2s-.8 5-3 7.2c-2.2-2.2-3-4.6-3-7.2s.8-5 3-7.2z",
  search: "M9 3.5a5.5 5.5 0 1 0 0 11 5.5 5.5 0 0 0 0-11zM13 13l4 4",
  panel: "M2.5 4h15v12h-15zM11.5 4v12",
  server: "M3.5 3.5h13v5h-13zM3.5 11.5h13v5h-13zM6.5 6h.01M6.5 14h.01",
  key: "M12.5 3.5a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM9.6 10.4 3.5 16.5M5.5 14.5l2 2",
  signOut: "M8 4H4v12h4M12.5 6.5 16 10l-3.5 3.5M16 10H8",
  location:
    "M10 2.8a5 5 0 0 0-5 5c0 3.5 5 9.4 5 9.4s5-5.9 5-9.4a5 5 0 0 0-5-5zM10 6.2a1.7 1.7 0 1 0 0 3.4 1.7 1.7 0 0 0 0-3.4z",
  eye: "M2.5 10C4.3 6.8 6.9 5.2 10 5.2s5.7 1.6 7.5 4.8c-1.8 3.2-4.4 4.8-7.5 4.8S4.3 13.2 2.5 10zM10 7.8a2.2 2.2 0 1 0 0 4.4 2.2 2.2 0 0 0 0-4.4z",
  clock: "M10 2.8a7.2 7.2 0 1 0 0 14.4 7.2 7.2 0 0 0 0-14.4zM10 6v4.2l2.8 1.8",
  install: "M10 3v7M7 7.5 10 10.5l3-3M4 10.5v6h12v-6",
  mail: "M2.5 4.5h15v11h-15zM3 5.2 10 11l7-5.8",
} as const satisfies Record<string, string>;

export type IconName = keyof typeof PATHS;

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
      <path d={PATHS[name]} />
    </svg>
  );
}
