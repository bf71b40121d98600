/** The items of the two menus of the phone screen. */
import type { Phone } from "../../../shared/phones.ts";
import type { PhoneKey } from "../../../shared/screen-protocol.ts";
import type { IconName } from "../../components/icon.tsx";
import type { MenuItem } from "../../components/menu.tsx";
import { isAwake } from "./model/phone-list.ts";
import { QUALITIES, type Quality } from "./model/quality.ts";

/** A dialog of the phone screen, by name. */
export type PhoneDialog = "new" | "rename" | "settings" | "remove" | "files" | "apps" | "shortcuts";

export interface PhoneMenuActions {
  readonly open: (dialog: PhoneDialog) => void;
  readonly park: () => void;
  /** Absent where the page already is the full-size view. */
  readonly fullSize: (() => void) | undefined;
}

/** Behind the ⋯ of the header: the phone as a whole. */
export function phoneMenu(phone: Phone, mayControl: boolean, actions: PhoneMenuActions): (MenuItem | "separator")[] {
  const { open, fullSize } = actions;
  const items: (MenuItem | "separator")[] = [];
  if (fullSize !== undefined) {
    items.push({ id: "full", label: "Full-size view", icon: "expand", onSelect: fullSize });
  }
  if (phone.capabilities.apps) {
    items.push({ id: "apps", label: "Apps…", icon: "apps", onSelect: () => open("apps") });
  }
  if (mayControl) {
    items.push(
      { id: "rename", label: "Rename…", icon: "edit", onSelect: () => open("rename") },
      { id: "settings", label: "Settings…", icon: "settings", onSelect: () => open("settings") },
    );
    if (isAwake(phone)) {
      items.push({
        id: "park",
        label: "Park",
        detail: "Frees it and keeps everything on it",
        icon: "park",
        onSelect: actions.park,
      });
    }
    items.push("separator", {
      id: "remove",
      label: "Remove…",
      icon: "trash",
      danger: true,
      onSelect: () => open("remove"),
    });
  }
  return items;
}

/** The keys at a device's edge, which the bar has no room for. */
const ANDROID_KEYS = [
  { name: "VolumeUp", label: "Volume up", icon: "louder", stays: true },
  { name: "VolumeDown", label: "Volume down", icon: "quieter", stays: true },
  { name: "VolumeMute", label: "Mute the phone", icon: "mute", stays: false },
  { name: "Power", label: "Power key", icon: "power", stays: false },
] as const satisfies readonly {
  name: PhoneKey;
  label: string;
  icon: IconName;
  stays: boolean;
}[];

export interface ScreenMenuActions {
  readonly open: (dialog: PhoneDialog) => void;
  readonly address: () => void;
  /** Absent where there is no page beside the phone. */
  readonly install: (() => void) | undefined;
  readonly quality: (quality: Quality) => void;
  readonly readout: () => void;
  readonly key: (name: PhoneKey) => void;
}

export interface ScreenMenuState {
  /** Live and in control. */
  readonly usable: boolean;
  readonly mayControl: boolean;
  readonly quality: Quality;
  readonly readout: boolean;
}

/** Behind the ⋯ of the hardware bar: what is done with the picture and the pages on it. */
export function screenMenu(
  phone: Phone,
  state: ScreenMenuState,
  actions: ScreenMenuActions,
): (MenuItem | "separator")[] {
  const { capabilities } = phone;
  const items: (MenuItem | "separator")[] = [];
  if (state.mayControl && capabilities.android) {
    for (const { name, label, icon, stays } of ANDROID_KEYS) {
      items.push({ id: name, label, icon, stays, disabled: !state.usable, onSelect: () => actions.key(name) });
    }
    items.push("separator");
  }
  if (state.mayControl && capabilities.openUrl) {
    items.push({ id: "address", label: "Open an address…", icon: "globe", onSelect: actions.address });
  }
  if (state.mayControl && capabilities.installWebApp && actions.install !== undefined) {
    items.push({ id: "install", label: "Install this tab's page", icon: "install", onSelect: actions.install });
  }
  if (capabilities.files) {
    items.push({
      id: "files",
      label: capabilities.upload && state.mayControl ? "Files…" : "Files on the phone…",
      icon: "file",
      onSelect: () => actions.open("files"),
    });
  }
  items.push("separator");
  for (const quality of QUALITIES) {
    items.push({
      id: quality.id,
      label: quality.label,
      detail: quality.detail,
      checked: quality.id === state.quality.id,
      onSelect: () => actions.quality(quality),
    });
  }
  items.push(
    "separator",
    {
      id: "readout",
      label: state.readout ? "Hide the picture's numbers" : "Show the picture's numbers",
      icon: "activity",
      onSelect: actions.readout,
    },
    { id: "shortcuts", label: "Keyboard shortcuts", icon: "keyboard", onSelect: () => actions.open("shortcuts") },
  );
  return items;
}
