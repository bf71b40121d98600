/** Settings: the server, the look, the keys, and the way out. */
import { useEffect, useState } from "react";
import type { Me } from "../../../shared/accounts.ts";
import { PRODUCT_VERSION } from "../../../shared/version.ts";
import { failureWords, hostOf } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import { Notice } from "../../components/notice.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { openShortcutSettings, type Shortcut, shortcuts } from "../../platform/commands.ts";
import { releaseHost } from "../../platform/permissions.ts";
import { openTab } from "../../platform/tabs.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { indexedDbDrafts } from "../../state/flow-drafts.ts";
import { type Settings, THEMES, type Theme } from "../../state/settings.ts";
import { signOut } from "../../state/sign-out.ts";
import "./options.css";

const THEME_WORDS: Readonly<Record<Theme, string>> = { system: "Like the browser", light: "Light", dark: "Dark" };
/** Chrome names no description for the toolbar button's own key. */
const TOOLBAR_COMMANDS = ["_execute_action", "_execute_browser_action"];

export function Options({ settings }: { readonly settings: Settings }) {
  return (
    <main className="options">
      <header className="options-head">
        <img src="/icons/icon-48.png" alt="" width={32} height={32} />
        <h1>Settings</h1>
      </header>
      <ServerCard />
      <LookCard initial={settings.theme} />
      <KeysCard />
      <p className="secondary">Perch {PRODUCT_VERSION}</p>
    </main>
  );
}

function ServerCard() {
  const { app, phones: store } = usePage();
  const { server, status, failure } = usePhones();
  const [me, setMe] = useState<Me>();
  const [forgetting, setForgetting] = useState(false);
  const [busy, setBusy] = useState(false);
  const signedIn = status === "live";

  useEffect(() => {
    if (!signedIn) setMe(undefined);
    else void store.call((api) => api.account.me.query()).then((result) => result.ok && setMe(result.value));
  }, [signedIn, store]);

  if (server === undefined) {
    return (
      <Card title="Server">
        <p>Perch needs a server to run phones on.</p>
        <div>
          <Button kind="primary" onClick={() => void openTab("/welcome.html")}>
            Set up
          </Button>
        </div>
      </Card>
    );
  }

  /** The server ends the session if it can be reached; this browser forgets the token either way. */
  const leave = async () => {
    setBusy(true);
    await store.call(() => signOut(app, server));
    await indexedDbDrafts().clear(server);
    await app.tokens.delete(server);
    await app.phonesCache.clear();
    setBusy(false);
  };

  const forget = async () => {
    setForgetting(false);
    await leave();
    await releaseHost(server);
    await app.settings.update(({ theme, agreed }) => ({ theme, ...(agreed !== undefined && { agreed }) }));
  };

  const words = failure === undefined || failure.kind === "signed_out" ? undefined : failureWords(failure);
  return (
    <Card title="Server">
      <List label="Server">
        <ListRow
          title={hostOf(server)}
          detail={signedIn ? "Connected" : status === "stale" && words === undefined ? "Signed out" : "Not connected"}
          trail={
            <Button size="small" onClick={() => void openTab("/welcome.html")}>
              Change
            </Button>
          }
        />
        <ListRow
          title={me === undefined ? (signedIn ? "Signed in" : "Not signed in") : me.user.email}
          detail={me === undefined ? undefined : `${me.team.name}, ${me.team.role}`}
          trail={
            signedIn ? (
              <Button size="small" busy={busy} onClick={() => void leave()}>
                Sign out
              </Button>
            ) : (
              <Button size="small" kind="primary" onClick={() => void openTab("/welcome.html")}>
                Sign in
              </Button>
            )
          }
        />
      </List>
      {words !== undefined && (
        <Notice
          tone="warn"
          title={words.title}
          action={
            <Button size="small" onClick={() => void store.refresh()}>
              Try again
            </Button>
          }
        >
          {words.detail}
        </Notice>
      )}
      <div>
        <Button kind="quiet" size="small" icon="trash" onClick={() => setForgetting(true)}>
          Forget this server
        </Button>
      </div>
      {forgetting && (
        <Dialog
          title={`Forget ${hostOf(server)}?`}
          onClose={() => setForgetting(false)}
          actions={
            <>
              <Button onClick={() => setForgetting(false)}>Cancel</Button>
              <Button kind="danger" onClick={() => void forget()}>
                Forget
              </Button>
            </>
          }
        >
          <p>
            This browser signs out, forgets the address, and gives back its access to it. Your phones and everything on
            them stay on the server.
          </p>
        </Dialog>
      )}
    </Card>
  );
}

function LookCard({ initial }: { readonly initial: Theme }) {
  const { app } = usePage();
  const [theme, setTheme] = useState(initial);
  return (
    <Card title="Look">
      <fieldset className="options-themes">
        <legend className="sr-only">Look</legend>
        {THEMES.map((each) => (
          <label key={each} className="options-theme">
            <input
              type="radio"
              name="theme"
              checked={theme === each}
              onChange={() => {
                setTheme(each);
                void app.settings.update((settings) => ({ ...settings, theme: each }));
              }}
            />
            {THEME_WORDS[each]}
          </label>
        ))}
      </fieldset>
    </Card>
  );
}

function KeysCard() {
  const [keys, setKeys] = useState<readonly Shortcut[]>([]);
  useEffect(() => {
    const read = () => void shortcuts().then(setKeys);
    read();
    // People change them in another tab and come back.
    window.addEventListener("focus", read);
    return () => window.removeEventListener("focus", read);
  }, []);
  return (
    <Card
      title="Keyboard shortcuts"
      action={
        <Button size="small" onClick={() => void openShortcutSettings()}>
          Change
        </Button>
      }
    >
      <List label="Keyboard shortcuts">
        {keys.map((shortcut) => (
          <ListRow
            key={shortcut.name}
            title={TOOLBAR_COMMANDS.includes(shortcut.name) ? "Open Perch's menu" : shortcut.description}
            trail={
              shortcut.keys === undefined ? (
                <span className="secondary">not assigned</span>
              ) : (
                <kbd className="key">{shortcut.keys}</kbd>
              )
            }
          />
        ))}
      </List>
    </Card>
  );
}
