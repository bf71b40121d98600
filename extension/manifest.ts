/** What the browsers are told about Perch. One source for both targets; `manifest.test.ts` pins what each build says. */
import type { UserManifest } from "wxt";
import { FIREFOX_EXTENSION_ID } from "../shared/accounts.ts";
import { PRODUCT_VERSION } from "../shared/version.ts";
import { DATA_COLLECTION } from "./data-collection.ts";
import { MANIFEST_KEY } from "./manifest-key.ts";

export interface ManifestTarget {
  readonly browser: string;
  /**
   * A headless browser cannot answer a permission prompt, so the build for end-to-end tests holds the loopback
   * origins from the start. Nothing else differs.
   */
  readonly loopbackHosts: boolean;
}

const ICON_SIZES = [16, 32, 48, 128] as const;
const icons = Object.fromEntries(ICON_SIZES.map((size) => [size, `icons/icon-${size}.png`]));

export function manifestFor(target: ManifestTarget): UserManifest {
  const firefox = target.browser === "firefox";
  return {
    name: "Perch",
    short_name: "Perch",
    version: PRODUCT_VERSION,
    description: "Cloud phones in your browser's side panel: open any page on a phone, and drive it live.",
    icons,
    permissions: [
      "storage",
      // Neither has a warning. The page without a window runs people's expressions; Firefox's worker is a page itself.
      ...(firefox ? [] : (["sidePanel", "offscreen"] as const)),
      "contextMenus",
      "activeTab",
      "scripting",
      "alarms",
      "identity",
    ],
    // Asked for by name: the server's origin in the click that enters its address, the sites of a rule in the click that
    // saves it. `webNavigation` and `tabs` are not asked for, ever (docs/decisions/pages-announce-themselves.md).
    optional_host_permissions: ["https://*/*", "http://*/*"],
    ...(target.loopbackHosts ? { host_permissions: ["http://localhost/*", "http://127.0.0.1/*"] } : {}),
    // Firefox's default policy rewrites http: and ws: to https: and wss:, which cuts off servers on a local network.
    content_security_policy: { extension_pages: "script-src 'self'; object-src 'self'" },
    omnibox: { keyword: "phone" },
    commands: {
      _execute_action: { suggested_key: { default: "Alt+Shift+J" } },
      "open-page": { suggested_key: { default: "Alt+P" }, description: "Open this page on a phone" },
      "toggle-panel": { suggested_key: { default: "Alt+Shift+K" }, description: "Show or hide the phone panel" },
    },
    action: {
      default_icon: icons,
      ...(firefox
        ? {
            theme_icons: ICON_SIZES.slice(0, 2).map((size) => ({
              // "light" is the icon for light text, that is for a dark toolbar.
              light: `icons/icon-dark-${size}.png`,
              dark: `icons/icon-${size}.png`,
              size,
            })),
          }
        : {}),
    },
    ...(firefox
      ? {
          browser_specific_settings: {
            gecko: {
              id: FIREFOX_EXTENSION_ID,
              strict_min_version: "140.0",
              data_collection_permissions: DATA_COLLECTION,
            },
          },
        }
      : { key: MANIFEST_KEY, minimum_chrome_version: "120" }),
  };
}
