/** What runs and what it costs now: read again when a phone starts or stops, and now and then because minutes run out. */
import { useEffect, useMemo, useRef } from "react";
import type { BurnView } from "../../../shared/billing/billing.ts";
import type { Api } from "../../api/client.ts";
import { usePhones } from "../../state/app-context.tsx";
import { useRemote } from "../panel/use-remote.ts";

const POLL_MS = 30_000;

/** `on`: whether anybody looks; else nothing is asked. */
export function useBurn(on: boolean): BurnView | undefined {
  const { phones } = usePhones();
  const running = phones.filter(({ state }) => state === "running").length;
  const read = useMemo(
    () =>
      async (api: Api): Promise<BurnView | undefined> =>
        on ? api.billing.burn.query() : undefined,
    [on],
  );
  const { value, reload } = useRemote(read);
  const asked = useRef(running);
  useEffect(() => {
    if (asked.current !== running) reload();
    asked.current = running;
  }, [running, reload]);
  useEffect(() => {
    if (!on) return;
    const timer = setInterval(() => {
      if (document.visibilityState === "visible") reload();
    }, POLL_MS);
    return () => clearInterval(timer);
  }, [on, reload]);
  return on ? value : undefined;
}
