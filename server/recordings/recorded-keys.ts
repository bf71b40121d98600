/** The phone's keys as steps, and those that no step stands for. */
import type { RecordedKey } from "../../shared/recording-model.ts";
import type { PhoneKey } from "../../shared/screen-protocol.ts";

export const KEYS: Partial<Readonly<Record<PhoneKey, RecordedKey>>> = {
  Enter: "Enter",
  Tab: "Tab",
  Escape: "Escape",
  Home: "Home",
  ArrowUp: "Remote Dpad Up",
  ArrowDown: "Remote Dpad Down",
  ArrowLeft: "Remote Dpad Left",
  ArrowRight: "Remote Dpad Right",
  VolumeUp: "Volume Up",
  VolumeDown: "Volume Down",
  Power: "Power",
};

/** In words, for the note that says so. */
export const LEFT_OUT: Partial<Readonly<Record<PhoneKey, string>>> = {
  AppSwitch: "Recents",
  Reload: "Reloading",
  Delete: "The Delete key",
  PageUp: "Page up",
  PageDown: "Page down",
  Copy: "Copying",
  Cut: "Cutting",
  Undo: "Undo",
  VolumeMute: "The mute key",
};
