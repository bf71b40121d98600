/** Windows of the system above an app. Ids and words as AOSP's PermissionController and `AppErrorDialog` have them. */
import type { Area } from "./app.ts";
import type { View } from "./view.ts";

export interface Dialog {
  /** The package its window belongs to. */
  readonly package: string;
  readonly title: { readonly id: string; readonly text: string };
  readonly buttons: readonly { readonly id: string; readonly text: string; readonly onTap: () => void }[];
}

export function dialogView({ title, buttons }: Dialog, { rect, scale, theme }: Area): View {
  const px = (dp: number) => Math.round(dp * scale);
  const height = px(72 + 56 * buttons.length);
  const box = {
    x: rect.x + px(24),
    y: rect.y + Math.round((rect.height - height) / 2),
    width: rect.width - px(48),
    height,
  };
  return {
    kind: "FrameLayout",
    bounds: box,
    fill: theme.dark ? 0x3c4043 : 0xd2e3fc,
    children: [
      {
        kind: "TextView",
        ...title,
        size: 0.67,
        colour: theme.text,
        bounds: { ...box, x: box.x + px(12), height: px(64) },
      },
      ...buttons.map((button, index) => ({
        kind: "Button",
        ...button,
        align: "middle" as const,
        fill: theme.accent,
        colour: theme.dark ? 0x000000 : 0xffffff,
        bounds: { x: box.x + px(12), y: box.y + px(68 + 56 * index), width: box.width - px(24), height: px(48) },
      })),
    ],
  };
}

export function permissionDialog(label: string, words: string, decide: (granted: boolean) => void): Dialog {
  const id = (name: string) => `com.android.permissioncontroller:id/${name}`;
  return {
    package: "com.android.permissioncontroller",
    title: { id: id("permission_message"), text: `Allow ${label} to ${words}?` },
    buttons: [
      { id: id("permission_allow_foreground_only_button"), text: "While using the app", onTap: () => decide(true) },
      { id: id("permission_allow_one_time_button"), text: "Only this time", onTap: () => decide(true) },
      { id: id("permission_deny_button"), text: "Don’t allow", onTap: () => decide(false) },
    ],
  };
}

export function crashDialog(label: string, close: () => void, info: () => void): Dialog {
  return {
    package: "android",
    title: { id: "android:id/alertTitle", text: `${label} keeps stopping` },
    buttons: [
      { id: "android:id/aerr_app_info", text: "App info", onTap: info },
      { id: "android:id/aerr_close", text: "Close app", onTap: close },
    ],
  };
}

/** Notifications, of which there are none. */
export function shadeView({ rect, scale }: Area): View {
  const bounds = { ...rect, height: Math.round(48 * scale) };
  return {
    kind: "FrameLayout",
    id: "notification_panel",
    bounds: rect,
    fill: 0x303134,
    children: [{ kind: "TextView", text: "No notifications", colour: 0xe8eaed, bounds }],
  };
}
