/** Hands the page's parts to its screens. */
import { createContext, type ReactNode, useContext, useEffect, useSyncExternalStore } from "react";
import type { App } from "./compose-app.ts";
import type { PhonesSnapshot, PhonesStore } from "./phones.ts";
import { applyTheme } from "./settings.ts";

export interface PageParts {
  readonly app: App;
  readonly phones: PhonesStore;
}

const PartsContext = createContext<PageParts | undefined>(undefined);

/** Starts following the server while the page is there, and keeps the chosen look on it. */
export function PageProvider({ parts, children }: { readonly parts: PageParts; readonly children: ReactNode }) {
  useEffect(() => {
    void parts.phones.start();
    void parts.app.settings.get().then((settings) => applyTheme(settings.theme));
    const unwatch = parts.app.settings.watch((settings) => applyTheme(settings.theme));
    return () => {
      unwatch();
      parts.phones.stop();
    };
  }, [parts]);
  return <PartsContext value={parts}>{children}</PartsContext>;
}

export function usePage(): PageParts {
  const parts = useContext(PartsContext);
  if (parts === undefined) throw new Error("usePage needs a PageProvider above it.");
  return parts;
}

export function usePhones(): PhonesSnapshot {
  const { phones } = usePage();
  return useSyncExternalStore(phones.subscribe, phones.snapshot);
}
