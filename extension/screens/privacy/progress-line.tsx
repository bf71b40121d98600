import type { Progress } from "./model/export-progress.ts";

/** A bar, and the same in words. */
export function ProgressLine({ label, progress }: { readonly label: string; readonly progress: Progress }) {
  const { done, words } = progress;
  return (
    <div className="progress-line">
      <progress aria-label={label} max={1} {...(done !== undefined && { value: done })} />
      <span className="secondary tabular">{words}</span>
    </div>
  );
}
