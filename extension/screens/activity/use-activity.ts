import { useEffect, useRef, useState } from "react";
import type { Phone } from "../../../shared/phones.ts";
import { usePhones } from "../../state/app-context.tsx";
import { type ActivityEntry, addActivity } from "../phone/model/activity.ts";

/** What happened to the phones since this page first heard from the server; newest first. */
export function useActivity(): readonly ActivityEntry[] {
  const { phones, status } = usePhones();
  const seen = useRef<readonly Phone[] | undefined>(undefined);
  const [entries, setEntries] = useState<readonly ActivityEntry[]>([]);
  useEffect(() => {
    if (status !== "live") return;
    const before = seen.current;
    seen.current = phones;
    if (before !== undefined) setEntries((all) => addActivity(all, before, phones, Date.now()));
  }, [phones, status]);
  return entries;
}
