/** An app of the simulated phone: what it shows now, and what it does when it is touched or opened. */
import type { Rect } from "./canvas.ts";
import type { Field, View } from "./view.ts";

export interface Theme {
  readonly dark: boolean;
  readonly background: number;
  readonly surface: number;
  readonly text: number;
  readonly faint: number;
  readonly accent: number;
}
export const LIGHT: Theme = {
  dark: false,
  background: 0xffffff,
  surface: 0xf1f3f4,
  text: 0x202124,
  faint: 0x5f6368,
  accent: 0x1a73e8,
};
export const DARK: Theme = {
  dark: true,
  background: 0x121212,
  surface: 0x2a2b2e,
  text: 0xe8eaed,
  faint: 0x9aa0a6,
  accent: 0x8ab4f8,
};

/** The part of the screen an app draws on: below the status bar, above the keyboard. */
export interface Area {
  readonly rect: Rect;
  /** Pixels of a dp. */
  readonly scale: number;
  readonly theme: Theme;
  /** Of what moves, in milliseconds. */
  readonly atMs: number;
}

export interface Intent {
  readonly action: string;
  readonly data?: string | undefined;
  readonly component?: string | undefined;
  readonly package?: string | undefined;
  readonly extras?: ReadonlyMap<string, string> | undefined;
}

/** What an app can ask of the phone. */
export interface AppPhone {
  /** False: nothing opens it. */
  startIntent(intent: Intent): boolean;
  launch(app: string): boolean;
  focus(field: Field | undefined): void;
  /** Asks the person once, where it was neither granted nor refused. */
  askPermission(app: string, permission: string, words: string): void;
  granted(app: string, permission: string): boolean;
  crash(app: string): void;
  /** Says that what the app shows is different now. */
  changed(): void;
  install(app: string): void;
  installed(app: string): boolean;
  icons(): readonly { readonly package: string; readonly label: string; readonly colour: number }[];
  setDark(dark: boolean): void;
  readonly dark: boolean;
  readonly airplane: boolean;
  setAirplane(on: boolean): void;
  readonly location: { readonly latitude: number; readonly longitude: number } | undefined;
}

export interface App {
  readonly package: string;
  readonly activity: string;
  readonly label: string;
  /** Of its icon. */
  readonly colour: number;
  /** Something moves all the time, so the screen never idles. */
  readonly moving?: boolean;
  view(area: Area, phone: AppPhone): View;
  open?(intent: Intent, phone: AppPhone): void;
  /** True when Back was for the app itself. */
  back?(phone: AppPhone): boolean;
  /** As if newly installed. */
  clear(): void;
}
