/** The person's newest copy of their data, followed while it is being made. */
import { useEffect, useState } from "react";
import type { ExportView } from "../../../shared/privacy.ts";
import { usePage } from "../../state/app-context.tsx";

const POLL_MS = 1_000;

export function isMaking(copy: ExportView | undefined): boolean {
  return copy?.state === "waiting" || copy?.state === "running";
}

/** `known`: as the overview says. Asks for it alone while it moves; the list of all else is not read for that. */
export function useCopy(known: ExportView | undefined, onSettled: () => void): ExportView | undefined {
  const { phones } = usePage();
  const [heard, setHeard] = useState<ExportView>();
  const newest = heard !== undefined && heard.id === known?.id && isMaking(known) ? heard : known;
  const making = isMaking(newest);
  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer plans the next look
  useEffect(() => {
    if (!making) return;
    const timer = setTimeout(async () => {
      const result = await phones.call((api) => api.privacy.exports.query());
      const next = result.ok ? result.value.find(({ id }) => id === newest?.id) : newest;
      if (next !== undefined) setHeard({ ...next });
      if (!isMaking(next)) onSettled();
    }, POLL_MS);
    return () => clearTimeout(timer);
  }, [making, heard, known, phones]);
  return newest;
}
