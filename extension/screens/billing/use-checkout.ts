/**
 * Buying: the hosted page opens in a tab, and this side asks what became of it whenever the person comes back, and every
 * few seconds while they can see both. What is bought is given by the server, whether or not anybody asks.
 */
import { useCallback, useEffect, useRef, useState } from "react";
import type { CheckoutState, checkoutInput } from "../../../shared/billing/billing.ts";
import type { Failure } from "../../api/errors.ts";
import { openTab } from "../../platform/tabs.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { type PendingCheckout, pendingCheckout } from "../../state/pending-checkout.ts";
import type { Calls } from "../panel/use-call.ts";

type Input = NonNullable<(typeof checkoutInput)["_zod"]["input"]>;
export type Purchase = Omit<Input, "idempotencyKey">;

export interface Checkout {
  readonly pending: PendingCheckout | undefined;
  /** Undefined until the server was asked. */
  readonly state: CheckoutState | undefined;
  /** Opens the page for it, and says whether that worked. `refused`: failures the caller shows in place. */
  buy(purchase: Purchase, what: string, refused?: (failure: Failure) => boolean): Promise<boolean>;
  reopen(): void;
  forget(): void;
}

const OPEN_MS = 4_000;
const PROCESSING_MS = 15_000;

/** `onPaid` is called once for each purchase that came through. */
export function useCheckout(calls: Calls, may: boolean, onPaid: () => void): Checkout {
  const { phones } = usePage();
  const { server } = usePhones();
  const [pending, setPending] = useState<PendingCheckout>();
  const [state, setState] = useState<CheckoutState>();
  const told = useRef<string>(undefined);
  useEffect(() => {
    const show = (kept: PendingCheckout | undefined) => setPending(kept?.server === server ? kept : undefined);
    void pendingCheckout().get().then(show);
    return pendingCheckout().watch(show);
  }, [server]);

  const checkoutId = may ? pending?.checkoutId : undefined;
  const settled = state?.state === "paid" || state?.state === "expired";
  const wait = state?.state === "processing" ? PROCESSING_MS : OPEN_MS;
  const paid = useRef(onPaid);
  paid.current = onPaid;
  useEffect(() => {
    if (checkoutId === undefined || settled) return;
    let gone = false;
    const ask = async () => {
      if (document.visibilityState !== "visible") return;
      const result = await phones.call((api) => api.billing.checkoutState.mutate({ checkoutId }));
      if (gone || !result.ok) return;
      setState(result.value);
      if (result.value.state !== "paid" || told.current === checkoutId) return;
      told.current = checkoutId;
      let first = false;
      // Whichever page of billing hears it first says it.
      await pendingCheckout().update((kept) => {
        first = kept?.checkoutId === checkoutId && kept.told !== true;
        return first && kept !== undefined ? { ...kept, told: true } : kept;
      });
      if (first) paid.current();
    };
    void ask();
    const back = () => void ask();
    const timer = setInterval(back, wait);
    window.addEventListener("focus", back);
    document.addEventListener("visibilitychange", back);
    return () => {
      gone = true;
      clearInterval(timer);
      window.removeEventListener("focus", back);
      document.removeEventListener("visibilitychange", back);
    };
  }, [phones, checkoutId, settled, wait]);

  const over = useRef(settled);
  over.current = settled;
  // What was read to its end does not wait for the next visit.
  useEffect(
    () => () => {
      if (over.current) void pendingCheckout().clear();
    },
    [],
  );

  const keys = useRef(new Map<string, string>());
  const buy = useCallback<Checkout["buy"]>(
    async (purchase, what, refused) => {
      const intent = JSON.stringify(purchase);
      // One key for one purchase: asked again after a lost answer, it opens the same page.
      const idempotencyKey = keys.current.get(intent) ?? crypto.randomUUID();
      keys.current.set(intent, idempotencyKey);
      const result = await calls.run(
        `buy ${intent}`,
        (api) => api.billing.checkout.mutate({ ...purchase, idempotencyKey }),
        refused,
      );
      if (result === undefined || server === undefined) return false;
      if (!result.ok) {
        if (result.failure.kind === "refused") keys.current.delete(intent);
        return false;
      }
      keys.current.delete(intent);
      setState(undefined);
      await pendingCheckout().set({ server, checkoutId: result.value.id, url: result.value.url, what });
      await openTab(result.value.url);
      return true;
    },
    [calls, server],
  );
  return {
    pending,
    state,
    buy,
    reopen: () => {
      if (pending !== undefined) void openTab(pending.url);
    },
    forget: () => {
      setState(undefined);
      void pendingCheckout().clear();
    },
  };
}
