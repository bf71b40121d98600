import { useEffect, useState } from "react";
import { usePhones } from "./app-context.tsx";
import { type PrivacyMark, privacyMark } from "./privacy-mark.ts";

/** The mark of the server in use, kept current. */
export function usePrivacyMark(): PrivacyMark | undefined {
  const { server } = usePhones();
  const [mark, setMark] = useState<PrivacyMark>();
  useEffect(() => {
    void privacyMark().get().then(setMark);
    return privacyMark().watch(setMark);
  }, []);
  return mark?.server === server ? mark : undefined;
}
