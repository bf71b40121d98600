/** The phone tab: switcher, live picture, buttons, and every state in between. */
import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import type { PhoneId } from "../../../shared/ids.ts";
import type { PhoneModel, Screenshot } from "../../../shared/phones.ts";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import { useToast } from "../../components/toast.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { defaultPhone } from "../../state/default-phone.ts";
import { useBurn } from "../billing/use-burn.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { fullSizePath, type PanelPlace } from "../panel/panel-place.ts";
import { useCall } from "../panel/use-call.ts";
import { useSignIn } from "../panel/use-sign-in.ts";
import { AddressBar } from "./address-bar.tsx";
import { FirstUse } from "./first-use.tsx";
import { HardwareBar, type RecordButton } from "./hardware-bar.tsx";
import { shownParksAt } from "./model/idle-warning.ts";
import { announcement, phoneView } from "./model/phone-view.ts";
import { QUALITIES, type Quality } from "./model/quality.ts";
import { shortcutAction } from "./model/shortcuts.ts";
import { NewPhone, PhoneDialogHost } from "./phone-dialog-host.tsx";
import { PhoneFacts } from "./phone-facts.tsx";
import { PhoneHeader } from "./phone-header.tsx";
import { type PhoneDialog, phoneMenu, screenMenu } from "./phone-menus.ts";
import { Readout } from "./readout.tsx";
import { ScreenshotDialog } from "./screenshot-dialog.tsx";
import { ShortcutsDialog } from "./shortcuts-dialog.tsx";
import { Stage, type StageHandle } from "./stage.tsx";
import { StageOverlay } from "./stage-overlay.tsx";
import { StartButton, StartCost, type StartCosts } from "./start-cost.tsx";
import { Strips } from "./strips.tsx";
import { AskApkDialog } from "./uploads/ask-apk-dialog.tsx";
import { foldersLeftOut } from "./uploads/folders.ts";
import { UploadStrip } from "./uploads/upload-strip.tsx";
import { useUploads } from "./uploads/use-uploads.ts";
import { useIntents } from "./use-intents.ts";
import { sendClipboard, usePhoneActions } from "./use-phone-actions.ts";
import { type Intercept, useScreen } from "./use-screen.ts";
import { useSound } from "./use-sound.ts";
import { useTabApp } from "./use-tab-app.ts";
import "./phone.css";

export interface PhoneScreenProps {
  readonly place: PanelPlace;
  /** The phone tab is the one shown. */
  readonly active: boolean;
  /** The person's role allows control. */
  readonly mayControl: boolean;
  /** The person's role allows buying. */
  readonly mayPay: boolean;
  /** Brings the phone tab to the front. */
  readonly onShow: () => void;
  /** Grows with each wish to record. */
  readonly recordWish: number;
  /** Shows the Automations tab, at the place that is stored for it. */
  readonly onAutomations: () => void;
}

const RECORDING = lazyModule(() => import("../automations/recording-bar.tsx"));

export function PhoneScreen(props: PhoneScreenProps) {
  const { place, active, mayControl, mayPay, onShow, recordWish, onAutomations } = props;
  const { phones: store } = usePage();
  const { phones, status, failure, defaultPhoneId } = usePhones();
  const [chosen, setChosen] = useState<PhoneId | undefined>(place.phoneId);
  const [dialog, setDialog] = useState<PhoneDialog>();
  const [shot, setShot] = useState<{ screenshot: Screenshot; name: string; takenAt: number }>();
  const [address, setAddress] = useState(false);
  const [readout, setReadout] = useState(false);
  const [quality, setQuality] = useState<Quality>(QUALITIES[0]);
  const [typing, setTyping] = useState(false);
  const [clipboard, setClipboard] = useState<{ id: PhoneId; text: string }>();
  const [recording, setRecording] = useState<RecordButton>();
  const stage = useRef<StageHandle>(null);
  const intercept = useRef<Intercept>(undefined);
  const toast = useToast();
  const calls = useCall();
  const signIn = useSignIn();

  const phone = defaultPhone(phones, chosen ?? defaultPhoneId);
  // Without this a phone that starts elsewhere would change what this panel shows.
  const phoneId = phone?.id;
  useEffect(() => {
    if (phoneId !== undefined) setChosen(phoneId);
  }, [phoneId]);

  const sound = useSound(phoneId);
  const mode = mayControl ? "control" : "view";
  const screen = useScreen({ phone, active, mode, quality, sound, stage, intercept });
  const uploads = useUploads(dialog === "files" || dialog === "apps");
  const tabApp = useTabApp(phone?.capabilities.android === true && !place.full);
  const actions = usePhoneActions(phone, screen, calls, () => setAddress(true));
  const show = (id: PhoneId) => {
    setChosen(id);
    onShow();
  };
  useIntents(!place.full, {
    calls,
    onShow: show,
    onClipboard: (id, text) => setClipboard({ id, text }),
    onAutomations,
  });

  const view = phoneView(phone, screen.state);
  const burn = useBurn(active && status === "live" && phone?.state === "running");
  const costs = useRef<StartCosts>(new Map());
  const models = useRef<readonly PhoneModel[]>(undefined);
  const live = view.kind === "live";
  const usable = live && screen.state.controller;

  useEffect(() => {
    if (clipboard === undefined || clipboard.id !== phoneId || !usable) return;
    setClipboard(undefined);
    sendClipboard(screen, clipboard.text);
    toast({ text: "The text is on the phone's clipboard." });
  }, [clipboard, phoneId, usable, screen, toast]);

  const takeShot = async () => {
    const screenshot = await actions.screenshot();
    if (screenshot !== undefined && phone !== undefined) {
      setShot({ screenshot, name: phone.name, takenAt: Date.now() });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const action = shortcutAction(event.nativeEvent);
    if (action === undefined) return;
    const run = {
      back: () => usable && screen.send({ type: "key", name: "Back" }),
      home: () => usable && screen.send({ type: "key", name: "Home" }),
      recents: () => usable && screen.send({ type: "key", name: "AppSwitch" }),
      rotate: () => usable && screen.send({ type: "rotate" }),
      screenshot: () => live && void takeShot(),
      openTab: () => mayControl && !place.full && void actions.openTab(),
      address: () => mayControl && phone !== undefined && setAddress(true),
      paste: () => usable && void actions.paste(),
      newPhone: () => mayControl && setDialog("new"),
      shortcuts: () => setDialog("shortcuts"),
    }[action];
    event.preventDefault();
    run();
  };

  // What the picture already says needs no second place.
  const saidByPicture =
    view.kind === "reconnecting" && (failure?.kind === "offline" || failure?.kind === "server_unreachable");
  const banner = status === "stale" && failure !== undefined && failure.kind !== "refused" && !saidByPicture;
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: shortcuts of the whole screen; every one has its own button
    <div
      className={`phone-screen${place.full ? " phone-screen-full" : ""}`}
      onKeyDown={onKeyDown}
      // A file dropped beside the picture would take the panel's place.
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => event.preventDefault()}
    >
      <PhoneHeader
        phones={phones}
        phone={phone}
        mayControl={mayControl}
        onChoose={setChosen}
        onNew={() => setDialog("new")}
        menu={
          phone === undefined
            ? []
            : phoneMenu(phone, mayControl, {
                open: setDialog,
                park: () => void actions.park(),
                fullSize: place.full ? undefined : () => void openTab(fullSizePath(phone.id)),
              })
        }
      />
      <div className="phone-notices">
        {banner && <FailureNotice failure={failure} onRetry={() => void store.refresh()} />}
      </div>
      {phone === undefined ? (
        status === "live" && <FirstUse mayControl={mayControl} onNew={() => setDialog("new")} />
      ) : (
        <Stage
          ref={stage}
          phone={phone}
          size={screen.state.size ?? phone}
          live={live}
          usable={usable}
          lastPicture={screen.state.hasPicture ? undefined : screen.lastPicture(phone.id)}
          onTyping={setTyping}
          onFiles={
            mayControl && phone.capabilities.upload
              ? (files, folders) => {
                  uploads.add(phone, files);
                  if (folders > 0) toast({ text: foldersLeftOut(folders) });
                }
              : undefined
          }
          overlay={
            view.kind === "live" || view.kind === "first_use" ? null : (
              <StageOverlay
                view={view}
                start={
                  mayControl && (
                    <StartButton
                      key={phone.id}
                      phoneId={phone.id}
                      known={costs.current}
                      busy={calls.busy("start")}
                      onStart={() => void actions.start()}
                    />
                  )
                }
                onReconnect={() => {
                  screen.reconnect();
                  void store.refresh();
                }}
                onSignIn={signIn.start}
              />
            )
          }
        />
      )}
      {phone !== undefined && (
        <div className="instruments">
          <Strips
            screen={screen.state}
            parksAt={shownParksAt(phone, screen.state, Date.now())}
            coveredUntil={burn?.coveredUntil}
            mayPay={mayPay}
            mayControl={mayControl}
            keepingAwake={calls.busy("keepAwake")}
            onKeepAwake={() => void actions.keepAwake()}
            onAskControl={() => {
              screen.send({ type: "control", action: "ask" });
              screen.dispatch({ type: "askedForControl" });
            }}
            onTakeControl={() => screen.send({ type: "control", action: "take" })}
            onGiveControl={() => screen.send({ type: "control", action: "give" })}
            onKeepControl={() => screen.send({ type: "control", action: "decline" })}
            onCopy={() => void actions.copyHere()}
            onDismissCopy={() => screen.dispatch({ type: "clipboardTaken" })}
            onDismissPictures={() => screen.dispatch({ type: "picturesOnly", said: true })}
          />
          {dialog !== "files" && dialog !== "apps" && (
            <UploadStrip items={uploads.items} onShow={() => setDialog("files")} />
          )}
          {mayControl && (
            <LazyPart module={RECORDING} loading="Loading recording" failed="Recording could not be loaded." rows={0}>
              {({ RecordingBar }) => (
                <RecordingBar
                  key={phone.id}
                  phone={phone}
                  usable={usable}
                  intercept={intercept}
                  onButton={setRecording}
                  wish={recordWish}
                  onSaved={onAutomations}
                />
              )}
            </LazyPart>
          )}
          {readout && live && <Readout read={screen.stats} viewers={screen.state.viewers} level={screen.state.level} />}
          {address && (
            <AddressBar
              busy={calls.busy("open")}
              onClose={() => setAddress(false)}
              onOpen={(url) => void actions.open(url).then((opened) => opened && setAddress(false))}
            />
          )}
          <HardwareBar
            capabilities={phone.capabilities}
            usable={usable}
            canPicture={live}
            mayOpen={mayControl}
            typing={typing}
            busy={calls.busy}
            onKey={(name) => screen.send({ type: "key", name })}
            onRotate={() => screen.send({ type: "rotate" })}
            onScreenshot={() => void takeShot()}
            onType={() => stage.current?.focusKeys()}
            sound={phone.capabilities.audio && (screen.state.audible || !live) ? sound : undefined}
            recording={mayControl ? recording : undefined}
            onPaste={() => void actions.paste()}
            onOpenTab={place.full ? undefined : () => void actions.openTab()}
            openTabLabel={tabApp ? "Open this app's page on the phone" : "Open this tab's page"}
            menuSide={place.full ? "below" : "above"}
            menu={screenMenu(
              phone,
              { mayControl, usable, quality, readout },
              {
                open: setDialog,
                address: () => setAddress(true),
                install: place.full ? undefined : () => void actions.installTab(),
                quality: setQuality,
                readout: () => setReadout(!readout),
                key: (name) => screen.send({ type: "key", name }),
              },
            )}
          />
          {place.full && <PhoneFacts phone={phone} />}
        </div>
      )}
      <p className="sr-only" role="status" aria-live="polite">
        {announcement(phone, view)}
      </p>
      {dialog === "new" && (
        <NewPhone
          cost={<StartCost known={costs.current} />}
          models={models}
          onClose={() => setDialog(undefined)}
          onMade={(made) => {
            setDialog(undefined);
            show(made.id);
          }}
        />
      )}
      {dialog === "shortcuts" && <ShortcutsDialog onClose={() => setDialog(undefined)} />}
      {phone !== undefined && (
        <PhoneDialogHost
          phone={phone}
          dialog={dialog}
          mayControl={mayControl}
          uploads={uploads}
          onClose={() => setDialog(undefined)}
        />
      )}
      {uploads.asking !== undefined && <AskApkDialog asking={uploads.asking} onAnswer={uploads.answer} />}
      {shot !== undefined && (
        <ScreenshotDialog
          screenshot={shot.screenshot}
          phoneName={shot.name}
          takenAt={shot.takenAt}
          onClose={() => setShot(undefined)}
        />
      )}
    </div>
  );
}
