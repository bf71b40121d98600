/** Android's key codes for the keys a viewer can press (AOSP `android.view.KeyEvent`). */
import { AndroidKeyCode, AndroidKeyEventMeta } from "@yume-chan/scrcpy";
import type { PhoneKey } from "../../../../../shared/screen-protocol.ts";

export interface AndroidKey {
  readonly code: AndroidKeyCode;
  readonly meta: AndroidKeyEventMeta;
}

const plain = (code: AndroidKeyCode): AndroidKey => ({ code, meta: AndroidKeyEventMeta.None });
const ctrl = (code: AndroidKeyCode): AndroidKey => ({ code, meta: AndroidKeyEventMeta.Ctrl });

export const ANDROID_KEYS: Readonly<Record<PhoneKey, AndroidKey>> = {
  Back: plain(AndroidKeyCode.AndroidBack),
  Home: plain(AndroidKeyCode.AndroidHome),
  AppSwitch: plain(AndroidKeyCode.AndroidAppSwitch),
  // Browsers know it; there is no key for it that all Androids have.
  Reload: ctrl(AndroidKeyCode.KeyR),
  Enter: plain(AndroidKeyCode.Enter),
  Backspace: plain(AndroidKeyCode.Backspace),
  Delete: plain(AndroidKeyCode.Delete),
  Tab: plain(AndroidKeyCode.Tab),
  Escape: plain(AndroidKeyCode.Escape),
  ArrowUp: plain(AndroidKeyCode.ArrowUp),
  ArrowDown: plain(AndroidKeyCode.ArrowDown),
  ArrowLeft: plain(AndroidKeyCode.ArrowLeft),
  ArrowRight: plain(AndroidKeyCode.ArrowRight),
  PageUp: plain(AndroidKeyCode.PageUp),
  PageDown: plain(AndroidKeyCode.PageDown),
  SelectAll: ctrl(AndroidKeyCode.KeyA),
  Copy: ctrl(AndroidKeyCode.KeyC),
  Cut: ctrl(AndroidKeyCode.KeyX),
  Undo: ctrl(AndroidKeyCode.KeyZ),
  VolumeUp: plain(AndroidKeyCode.VolumeUp),
  VolumeDown: plain(AndroidKeyCode.VolumeDown),
  VolumeMute: plain(AndroidKeyCode.VolumeMute),
  Power: plain(AndroidKeyCode.Power),
};
