/** Does what was asked elsewhere in the extension (popup, context menu, key, address bar), each wish once. */
import { useEffect, useRef } from "react";
import type { PhoneId } from "../../../shared/ids.ts";
import { useToast } from "../../components/toast.tsx";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { defaultPhone } from "../../state/default-phone.ts";
import type { Intent } from "../../state/intents.ts";
import type { Calls } from "../panel/use-call.ts";

export interface IntentHandlers {
  readonly calls: Calls;
  /** Brings a phone into view. */
  readonly onShow: (id: PhoneId) => void;
  /** Text for a phone's clipboard, to be sent once its screen is live. */
  readonly onClipboard: (id: PhoneId, text: string) => void;
  readonly onAutomations: () => void;
}

/** `enabled` is false where another page of the extension is the one that answers. */
export function useIntents(enabled: boolean, handlers: IntentHandlers): void {
  const { app, phones } = usePage();
  const { status } = usePhones();
  const toast = useToast();
  const latest = useRef(handlers);
  latest.current = handlers;
  // Before the list is current nobody can say which phone is meant.
  const ready = enabled && status === "live";
  useEffect(() => {
    if (!ready) return;
    const handle = async ({ wish, requestId }: Intent) => {
      const { calls, onShow, onClipboard } = latest.current;
      const { phones: all, defaultPhoneId } = phones.snapshot();
      if (wish.type === "automations") return latest.current.onAutomations();
      if (wish.type === "show") return onShow(wish.phoneId);
      const target = wish.type === "launch" ? undefined : defaultPhone(all, wish.phoneId ?? defaultPhoneId);
      if (wish.type === "clipboard") {
        if (target === undefined) return toast({ text: "Make a phone first, then send text to it." });
        onClipboard(target.id, wish.text);
        return onShow(target.id);
      }
      if (wish.type === "install" && target !== undefined) {
        onShow(target.id);
        const result = await calls.run("install", (api) =>
          api.phones.installWebApp.mutate({ phoneId: target.id, url: wish.url }),
        );
        if (result?.ok === true) toast({ text: `${result.value.name} is on ${target.name}'s home screen.` });
        return;
      }
      if (wish.type === "open" && target !== undefined) {
        onShow(target.id);
        await calls.run("open", (api) => api.phones.openUrl.mutate({ phoneId: target.id, url: wish.url }));
        return;
      }
      const profile = wish.type === "launch" ? wish.profile : undefined;
      const result = await calls.run(`launch ${requestId}`, (api) =>
        api.phones.launch.mutate({
          idempotencyKey: requestId,
          ...(profile === undefined ? {} : { profile }),
          ...(wish.url === undefined ? {} : { url: wish.url }),
        }),
      );
      if (result?.ok === true) onShow(result.value.id);
    };
    const takeAll = async () => {
      for (const intent of await app.intents.take()) await handle(intent);
    };
    void takeAll();
    return app.intents.watch(() => void takeAll());
  }, [ready, app, phones, toast]);
}
