/** Parts of the popup that come after the first paint, or when they are asked for. Without them it does all else. */
import { type ComponentType, lazy, Suspense } from "react";

/** `until` stands in the part's place before it is there. */
export function later<P extends object>(load: () => Promise<ComponentType<P>>, until?: string) {
  const Part = lazy(
    async (): Promise<{ default: ComponentType<P> }> => ({ default: await load().catch(() => () => null) }),
  );
  return (props: P) => (
    <Suspense fallback={until}>
      <Part {...props} />
    </Suspense>
  );
}
