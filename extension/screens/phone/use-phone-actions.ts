/** What the buttons of the phone screen do to one phone. Every failure is said; nothing runs twice. */
import type { Phone, Screenshot } from "../../../shared/phones.ts";
import { MAX_CLIPBOARD_LENGTH } from "../../../shared/screen-protocol.ts";
import { useToast } from "../../components/toast.tsx";
import { copyText, readText } from "../../platform/clipboard.ts";
import { activeTab } from "../../platform/tabs.ts";
import { usePage } from "../../state/app-context.tsx";
import { untilUnparked } from "../../state/until-unparked.ts";
import type { Calls } from "../panel/use-call.ts";
import { textMessages } from "./live/keyboard.ts";
import { checkAddress } from "./model/phone-form.ts";
import { isPlayPage } from "./model/play-page.ts";
import type { Screen } from "./use-screen.ts";

export interface PhoneActions {
  start(): Promise<void>;
  park(): Promise<void>;
  keepAwake(): Promise<void>;
  /** Resolves with whether the phone took it. */
  open(url: string): Promise<boolean>;
  openTab(): Promise<void>;
  installTab(): Promise<void>;
  screenshot(): Promise<Screenshot | undefined>;
  paste(): Promise<void>;
  copyHere(): Promise<void>;
}

/** `onNeedAddress` is called when the browser does not tell this tab's address: a typed one works always. */
export function usePhoneActions(
  phone: Phone | undefined,
  screen: Screen,
  calls: Calls,
  onNeedAddress: () => void,
): PhoneActions {
  const toast = useToast();
  const { phones } = usePage();
  const phoneId = phone?.id;

  const tabAddress = async (): Promise<string | undefined> => {
    const tab = await activeTab();
    if (tab?.url === undefined) {
      toast({
        text: "The browser tells Perch a tab's address only after a click on Perch's button there. Click it, or type the address.",
      });
      onNeedAddress();
      return undefined;
    }
    const checked = checkAddress(tab.url);
    if (checked.ok) return checked.value;
    toast({
      text: "This tab is one of the browser's own pages. A phone opens pages that start with https:// or http://.",
    });
    return undefined;
  };
  const open = async (url: string): Promise<boolean> => {
    if (phoneId === undefined) return false;
    const result = await calls.run("open", (api) => api.phones.openUrl.mutate({ phoneId, url }));
    return result?.ok === true;
  };

  return {
    async start() {
      if (phoneId !== undefined) await calls.run("start", (api) => api.phones.start.mutate({ phoneId }));
    },
    async park() {
      if (phone === undefined) return;
      const result = await calls.run("park", (api) => api.phones.park.mutate({ phoneId: phone.id }));
      if (result?.ok !== true) return;
      toast({
        text: `${phone.name} is parked.`,
        action: {
          label: "Undo",
          onSelect: () => void calls.run("start", (api) => api.phones.start.mutate({ phoneId: phone.id })),
        },
        until: untilUnparked(phones, phone.id),
      });
    },
    async keepAwake() {
      if (phoneId === undefined) return;
      const result = await calls.run("keepAwake", (api) => api.phones.keepAwake.mutate({ phoneId }));
      if (result?.ok === true) screen.dispatch({ type: "keptAwake" });
    },
    open,
    async openTab() {
      const url = await tabAddress();
      if (url === undefined || !(await open(url))) return;
      if (phone?.capabilities.android === true && isPlayPage(url)) {
        toast({ text: `The app's page is open on ${phone.name}. Install it there.` });
      }
    },
    async installTab() {
      if (phone === undefined) return;
      const url = await tabAddress();
      if (url === undefined) return;
      const result = await calls.run("install", (api) => api.phones.installWebApp.mutate({ phoneId: phone.id, url }));
      if (result?.ok === true) toast({ text: `${result.value.name} is on ${phone.name}'s home screen.` });
    },
    async screenshot() {
      if (phoneId === undefined) return undefined;
      const result = await calls.run("screenshot", (api) => api.phones.screenshot.mutate({ phoneId }));
      return result?.ok === true ? result.value : undefined;
    },
    async paste() {
      const clipboard = await readText();
      if (!clipboard.ok) {
        return toast({
          text: "The browser did not let Perch read the clipboard. Click the picture and press Ctrl+V instead.",
        });
      }
      if (clipboard.value === "") return toast({ text: "This computer's clipboard has no text." });
      if (screen.state.keyboardWanted) {
        for (const message of textMessages(clipboard.value)) screen.send(message);
        return;
      }
      sendClipboard(screen, clipboard.value);
      toast({ text: "On the phone's clipboard. Tap a field there to type it in." });
    },
    async copyHere() {
      const text = screen.state.phoneClipboard;
      if (text === undefined) return;
      const result = await copyText(text);
      if (!result.ok)
        return toast({ text: "The browser did not allow copying. Click Copy here again.", tone: "error" });
      screen.dispatch({ type: "clipboardTaken" });
      toast({ text: "Copied from the phone." });
    },
  };
}

/** Longer text is cut to what the protocol takes. */
export function sendClipboard(screen: Screen, text: string): void {
  screen.send({ type: "clipboard", value: text.slice(0, MAX_CLIPBOARD_LENGTH) });
}
