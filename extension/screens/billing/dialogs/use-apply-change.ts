/** Makes a change at the price that was shown; when it is no longer that, shows the new one and asks again. */
import { useRef, useState } from "react";
import { isRefused } from "../../../api/errors.ts";
import { useToast } from "../../../components/toast.tsx";
import { useCall } from "../../panel/use-call.ts";
import type { Change, PreviewRead } from "./change-preview.tsx";

export function useApplyChange(read: PreviewRead, onDone: () => void) {
  const calls = useCall();
  const toast = useToast();
  const [stale, setStale] = useState<string>();
  const key = useRef(crypto.randomUUID());
  const apply = async (change: Change, said: string) => {
    const { preview } = read;
    if (preview === undefined) return;
    const result = await calls.run(
      "apply",
      (api) =>
        api.billing.applyChange.mutate({
          ...{ change, shown: preview.due, prorationAt: preview.prorationAt },
          idempotencyKey: key.current,
        }),
      (failure) => {
        if (!isRefused(failure, "conflict") || failure.kind !== "refused") return false;
        setStale(failure.error.message);
        return true;
      },
    );
    if (result?.ok === true) {
      toast({ text: said });
      onDone();
    } else if (result?.failure.kind === "refused") {
      key.current = crypto.randomUUID();
      read.again();
    }
  };
  return { apply, busy: calls.busy("apply"), stale };
}
