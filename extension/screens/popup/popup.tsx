/** The popup: this tab on a phone in one click, and every phone's state at a glance. */
import { type KeyboardEvent, useEffect, useMemo, useRef, useState } from "react";
import type { PhoneId } from "../../../shared/id-values.ts";
import { type DeviceProfileId, type Phone, parsePhoneUrl } from "../../../shared/phone-model.ts";
import { failureSentence, isRefused } from "../../api/errors.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { focusedIndex } from "../../components/focus.ts";
import { Icon } from "../../components/icon.tsx";
import { EmptyState, Skeleton } from "../../components/notice.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { tell } from "../../messaging/protocol.ts";
import type { Shortcut } from "../../platform/commands.ts";
import { openPanel, openPanelFromPopup } from "../../platform/panel.ts";
import { openTab, type TabView } from "../../platform/tabs.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { defaultPhone } from "../../state/default-phone.ts";
import type { Wish } from "../../state/intents.ts";
import { untilUnparked } from "../../state/until-unparked.ts";
import { BILLING, connectionLine, PRIVACY } from "./connection.ts";
import { digitIndex, moveFocus } from "./keyboard.ts";
import { later } from "./later.tsx";
import { PhoneRow } from "./phone-row.tsx";
import { ThisPage } from "./this-page.tsx";
import "./popup.css";

const Fitting = later(async () => (await import("./fitting/fitting.tsx")).Fitting);
const ConnectionNotice = later(async () => (await import("./connection-notice.tsx")).ConnectionNotice);
const Announcements = later(async () => (await import("../panel/announcements.tsx")).Announcements);
const Cost = later(async () => (await import("./cost.tsx")).Cost);
const NextStart = later(async () => (await import("./cost.tsx")).NextStart);
const PrivacyWord = later(async () => (await import("./privacy-word.tsx")).PrivacyWord, "Privacy");
const ProfilePicker = later(async () => (await import("../../components/profile-picker.tsx")).ProfilePicker);

const toPrivacy = () => void openTab(PRIVACY);
const toBilling = () => void openTab(BILLING);

export interface PopupProps {
  readonly tab: TabView | undefined;
  readonly shortcuts: readonly Shortcut[];
}

export function Popup({ tab, shortcuts }: PopupProps) {
  const { app, phones: store } = usePage();
  const { phones, status, failure, defaultPhoneId } = usePhones();
  const toast = useToast();
  const root = useRef<HTMLElement>(null);
  const [busy, setBusy] = useState<ReadonlySet<string>>(new Set());
  const [choosing, setChoosing] = useState(false);
  const [handingOver, setHandingOver] = useState(false);

  // Rows keep their places while the popup is open: a click must not land on a phone that just moved there.
  const places = useRef<readonly PhoneId[]>([]);
  const ordered = useMemo(() => {
    const kept = places.current.flatMap((id) => phones.find((phone) => phone.id === id) ?? []);
    const all = [...kept, ...phones.filter((phone) => !kept.includes(phone)).sort(byStateThenUse)];
    places.current = all.map((phone) => phone.id);
    return all;
  }, [phones]);
  const running = phones.filter((phone) => phone.state === "running").length;
  const now = useNow(running > 0);
  const target = defaultPhone(phones, defaultPhoneId);
  const url = tab?.url?.startsWith("http") === true ? parsePhoneUrl(tab.url) : undefined;
  const usable =
    status === "live" ||
    status === "stored" ||
    (status === "stale" && failure?.kind !== "signed_out" && phones.length > 0);
  const connection = connectionLine(status, failure, running, phones.length > 0);
  const openKeys = shortcuts.find((shortcut) => shortcut.name === "open-page")?.keys;

  useEffect(() => {
    if (status === "live") void tell("phones_changed", { running });
  }, [status, running]);

  /** The panel does what the wish says, so this window may close as soon as the wish is kept. */
  const give = (wish: Wish) => {
    if (handingOver) return;
    setHandingOver(true);
    void (async () => {
      const opened = await openPanelFromPopup(tab?.windowId, () => app.intents.put(wish));
      if (!opened.ok) await openTab("/sidepanel.html?full=1");
      window.close();
    })();
  };

  const act = async (phone: Phone, action: "start" | "park") => {
    if (busy.has(phone.id)) return;
    setBusy((all) => new Set(all).add(phone.id));
    const { id: phoneId } = phone;
    const result = await store.call((api) =>
      action === "start" ? api.phones.start.mutate({ phoneId }) : api.phones.park.mutate({ phoneId }),
    );
    setBusy((all) => new Set([...all].filter((id) => id !== phoneId)));
    if (!result.ok) {
      toast({
        ...{ tone: "error", text: failureSentence(result.failure) },
        ...(isRefused(result.failure, "payment_required") && {
          action: { label: "Add phone time", onSelect: toBilling },
        }),
      });
    } else if (action === "park") {
      toast({
        text: `${phone.name} is parked; everything on it is kept.`,
        action: { label: "Undo", onSelect: () => void act(phone, "start") },
        until: untilUnparked(store, phoneId),
      });
    }
  };

  const launch = (profile: DeviceProfileId) => give({ type: "launch", profile });

  const onKeyDown = (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    const digit = digitIndex(event.key, ordered.length);
    const phone = digit === undefined ? undefined : ordered[digit];
    if (phone !== undefined && usable) {
      event.preventDefault();
      give({ type: "show", phoneId: phone.id });
      return;
    }
    const lines = [...(root.current?.querySelectorAll<HTMLElement>("[data-line]") ?? [])];
    const controls = lines.map((line) => [...line.querySelectorAll<HTMLElement>("button:not(:disabled), a[href]")]);
    const walkable = controls.filter((line) => line.length > 0);
    const line = walkable.findIndex((each) => focusedIndex(each) !== -1);
    const control = focusedIndex(walkable[line] ?? []);
    const next = moveFocus(
      walkable.map((each) => each.length),
      line === -1 ? undefined : { line, control },
      event.key,
    );
    if (next === undefined) return;
    event.preventDefault();
    walkable[next.line]?.[next.control]?.focus();
  };

  return (
    <main className="popup" ref={root} onKeyDown={onKeyDown}>
      <h1 className="sr-only">Perch</h1>
      <Announcements />
      <ThisPage
        tab={tab}
        url={url}
        phones={ordered}
        target={target}
        keys={openKeys}
        busy={handingOver}
        ready={usable}
        onOpen={(phoneId) => {
          if (url !== undefined) give(phoneId === undefined ? { type: "open", url } : { type: "open", url, phoneId });
        }}
        onLaunch={(profile) => {
          if (url !== undefined) give({ type: "launch", profile, url });
        }}
        onInstall={() => {
          if (url !== undefined) give({ type: "install", url });
        }}
        onPanel={() => {
          void openPanel(tab?.windowId).then((opened) =>
            opened.ok ? window.close() : openTab("/sidepanel.html?full=1"),
          );
        }}
        onChooseTarget={(phone) => void app.settings.update((settings) => ({ ...settings, defaultPhoneId: phone.id }))}
      />
      {usable && url !== undefined && tab !== undefined && <Fitting tab={tab} />}
      {(status === "no_server" || failure !== undefined) && <ConnectionNotice onPrivacy={toPrivacy} />}
      {status === "loading" && <Skeleton label="Loading your phones" rows={2} />}
      {usable && ordered.length > 0 && (
        <ul className="popup-phones" aria-label="Phones">
          {ordered.map((phone, index) => (
            <PhoneRow
              key={phone.id}
              phone={phone}
              digit={index < 9 ? index + 1 : undefined}
              nowMs={now}
              busy={busy.has(phone.id)}
              onShow={() => give({ type: "show", phoneId: phone.id })}
              onStart={() => void act(phone, "start")}
              onPark={() => void act(phone, "park")}
            />
          ))}
        </ul>
      )}
      {status === "live" && ordered.length === 0 && !choosing && (
        <EmptyState
          icon="phone"
          title="No phone yet"
          action={
            <Button kind={url === undefined ? "primary" : "secondary"} icon="plus" onClick={() => setChoosing(true)}>
              New phone
            </Button>
          }
        >
          A phone keeps its pages, sign-ins and files, and costs nothing while it is parked.
        </EmptyState>
      )}
      {usable && (ordered.length > 0 || choosing) && (
        <div className="popup-new">
          <div data-line>
            <button
              type="button"
              className="popup-new-button"
              aria-expanded={choosing}
              onClick={() => setChoosing(!choosing)}
            >
              <Icon name={choosing ? "chevronDown" : "plus"} /> New phone
            </button>
          </div>
          {choosing && (
            <div data-line>
              <ProfilePicker disabled={handingOver} onChoose={launch} />
            </div>
          )}
        </div>
      )}
      {usable && <NextStart running={running} onBilling={toBilling} />}
      <footer className="popup-foot" data-line>
        <span className="popup-connection" role="status">
          <span className={`popup-link popup-link-${connection.tone}`} aria-hidden="true" />
          <span className="tabular">{connection.text}</span>
        </span>
        {usable && <Cost running={running} onBilling={toBilling} />}
        <Button kind="quiet" size="small" icon="shield" onClick={toPrivacy}>
          <PrivacyWord />
        </Button>
        <IconButton
          icon="settings"
          label="Settings"
          size="small"
          tooltip="left"
          onClick={() => void openTab("/options.html").then(() => window.close())}
        />
      </footer>
    </main>
  );
}

function byStateThenUse(a: Phone, b: Phone): number {
  const awake =
    Number(b.state !== "parked" && b.state !== "failed") - Number(a.state !== "parked" && a.state !== "failed");
  return awake !== 0 ? awake : (b.lastUsedAt ?? b.createdAt).localeCompare(a.lastUsedAt ?? a.createdAt);
}
