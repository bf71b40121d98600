/** The top of the popup: the tab behind it, and the one thing most people came for. */
import { useState } from "react";
import { DEVICE_PROFILES, type DeviceProfileId, type Phone } from "../../../shared/phone-model.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { Menu, type MenuItem } from "../../components/menu.tsx";
import { phoneStateWord } from "../../components/state-dot.tsx";
import { openShortcutSettings } from "../../platform/commands.ts";
import { openTab, type TabView } from "../../platform/tabs.ts";

export interface ThisPageProps {
  readonly tab: TabView | undefined;
  /** The tab's address, if a phone can open it. */
  readonly url: string | undefined;
  readonly phones: readonly Phone[];
  /** Where "Open on phone" goes; undefined launches a new one. */
  readonly target: Phone | undefined;
  /** The keys that do the same, as really assigned. */
  readonly keys: string | undefined;
  readonly busy: boolean;
  /** Whether there is a server and someone is signed in. */
  readonly ready: boolean;
  readonly onOpen: (phoneId: Phone["id"] | undefined) => void;
  readonly onLaunch: (profile: DeviceProfileId) => void;
  readonly onInstall: () => void;
  readonly onPanel: () => void;
  readonly onChooseTarget: (phone: Phone) => void;
}

export function ThisPage(props: ThisPageProps) {
  const { tab, url, phones, target, keys, busy, ready } = props;
  const more: (MenuItem | "separator")[] = [
    { id: "panel", label: "Show the phone panel", icon: "panel", onSelect: props.onPanel },
    {
      id: "install",
      label: "Install this page as an app",
      icon: "install",
      disabled: url === undefined || !ready || target?.capabilities.installWebApp === false,
      onSelect: props.onInstall,
    },
    "separator",
    { id: "keys", label: "Keyboard shortcuts", icon: "keyboard", onSelect: () => void openShortcutSettings() },
    { id: "settings", label: "Settings", icon: "settings", onSelect: () => void openTab("/options.html") },
  ];
  const targets: (MenuItem | "separator")[] = [
    ...phones.map((phone) => ({
      id: phone.id,
      label: phone.name,
      detail: phoneStateWord(phone),
      checked: phone.id === target?.id,
      onSelect: () => props.onChooseTarget(phone),
    })),
    ...(phones.length > 0 ? (["separator"] as const) : []),
    ...DEVICE_PROFILES.map((profile) => ({
      id: profile.id,
      label: `New phone, ${profile.label.toLowerCase()}`,
      icon: "plus" as const,
      onSelect: () => props.onLaunch(profile.id),
    })),
  ];
  return (
    <header className="this-page">
      <div className="this-page-tab" data-line>
        <TabIcon tab={tab} />
        <span className="this-page-title">
          <span className="truncate">{tab?.title ?? (url === undefined ? "No page" : hostOfPage(url))}</span>
          {url !== undefined && <span className="secondary truncate">{hostOfPage(url)}</span>}
        </span>
        <Menu
          label="More"
          items={more}
          trigger={(trigger) => <IconButton icon="more" label="More" tooltip="left" {...trigger} />}
        />
      </div>
      {url === undefined ? (
        <div data-line>
          <Button wide size="large" icon="panel" onClick={props.onPanel} disabled={!ready}>
            Show the phone panel
          </Button>
          <p className="secondary this-page-why">Phones open https:// and http:// pages, not this one.</p>
        </div>
      ) : (
        <div data-line className="this-page-open">
          <Button
            kind="primary"
            size="large"
            icon="phone"
            busy={busy}
            disabled={!ready}
            onClick={() => props.onOpen(target?.id)}
          >
            <span className="this-page-verb">
              <span className="truncate">
                {target === undefined ? "Open on a new phone" : `Open on ${target.name}`}
              </span>
              {keys !== undefined && <kbd className="key">{keys}</kbd>}
            </span>
          </Button>
          <Menu
            label="Which phone"
            items={targets}
            trigger={(trigger) => (
              <button
                type="button"
                className="button button-primary this-page-choose"
                aria-label="Which phone"
                disabled={!ready}
                {...trigger}
              >
                <Icon name="chevronDown" />
              </button>
            )}
          />
        </div>
      )}
    </header>
  );
}

/** The tab's own icon where the browser hands it over, or the first letter: asking the site for it would tell the site. */
function TabIcon({ tab }: { readonly tab: TabView | undefined }) {
  const [broken, setBroken] = useState(false);
  const source = tab?.iconUrl;
  if (source?.startsWith("data:image/") === true && !broken) {
    return (
      <img className="tab-icon-image" src={source} alt="" width={20} height={20} onError={() => setBroken(true)} />
    );
  }
  const letter =
    tab?.url !== undefined && URL.canParse(tab.url) ? new URL(tab.url).hostname.replace(/^www\./, "")[0] : "";
  return (
    <span className="tab-icon-letter" aria-hidden="true">
      {letter === undefined || letter === "" ? <Icon name="globe" /> : letter.toUpperCase()}
    </span>
  );
}

function hostOfPage(url: string): string {
  const { host } = new URL(url);
  return host.replace(/^www\./, "");
}
