/** Parts of a page that are loaded when they are first shown, so that opening the page does not wait for them. */
import { type ReactNode, useCallback, useEffect, useState } from "react";
import { Button } from "./button.tsx";
import { Notice, Skeleton } from "./notice.tsx";

/** A module that may be there already. */
export interface LazyModule<Module> {
  loaded: Module | undefined;
  readonly load: () => Promise<Module>;
}

export function lazyModule<Module>(load: () => Promise<Module>): LazyModule<Module> {
  return { loaded: undefined, load };
}

export interface LazyPartProps<Module> {
  readonly module: LazyModule<Module>;
  /** What is loading, for screen readers, e.g. "Loading automations". */
  readonly loading: string;
  /** What could not be loaded, in a sentence. */
  readonly failed: string;
  readonly rows?: number;
  /** The page's heading until the part brings its own, where the part is a whole screen. */
  readonly heading?: string;
  readonly children: (loaded: Module) => ReactNode;
}

/** Once loaded it is there at once, without a blank moment. */
export function LazyPart<Module>({ module, loading, failed, rows = 4, heading, children }: LazyPartProps<Module>) {
  const [state, setState] = useState<"loading" | "ready" | "failed">("loading");
  const begin = useCallback(() => {
    if (module.loaded !== undefined) return;
    setState("loading");
    module.load().then(
      (loaded) => {
        module.loaded = loaded;
        setState("ready");
      },
      () => setState("failed"),
    );
  }, [module]);
  useEffect(begin, [begin]);
  if (module.loaded !== undefined) return children(module.loaded);
  return (
    <div className="lazy-part">
      {heading !== undefined && <h1 className="sr-only">{heading}</h1>}
      {state === "failed" ? (
        <Notice
          tone="error"
          title={failed}
          action={
            <Button icon="refresh" onClick={begin}>
              Try again
            </Button>
          }
        >
          If Perch was updated just now, close this and open it again.
        </Notice>
      ) : (
        <Skeleton label={loading} rows={rows} />
      )}
    </div>
  );
}
