/** Two versions of an automation: the one someone saved meanwhile, and the person's own. Nothing is replaced unseen. */
import type { FlowDetail } from "../../../shared/automation-model.ts";
import { Button } from "../../components/button.tsx";
import { Dialog } from "../../components/dialog.tsx";
import type { FlowDraft } from "../../state/flow-drafts.ts";

export interface VersionsDialogProps {
  readonly theirs: FlowDetail;
  readonly mine: FlowDraft;
  /** Goes on with one's own: the next save replaces theirs. */
  readonly onKeepMine: () => void;
  readonly onTakeTheirs: () => void;
  readonly onClose: () => void;
}

export function VersionsDialog({ theirs, mine, onKeepMine, onTakeTheirs, onClose }: VersionsDialogProps) {
  return (
    <Dialog
      title="Two versions"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onTakeTheirs}>Take theirs</Button>
          <Button kind="primary" onClick={onKeepMine}>
            Keep mine
          </Button>
        </>
      }
    >
      <p>Someone saved this automation after you began. Lines that only one version has are marked.</p>
      {theirs.name !== mine.name && (
        <p>
          Their name: {theirs.name}. Yours: {mine.name || "none"}.
        </p>
      )}
      <Version title="Theirs, saved" text={theirs.source} other={mine.source} />
      <Version title="Yours, not saved" text={mine.source} other={theirs.source} />
    </Dialog>
  );
}

function Version({ title, text, other }: { readonly title: string; readonly text: string; readonly other: string }) {
  const known = new Set(other.split("\n").map((line) => line.trimEnd()));
  return (
    <section className="version">
      <h3>{title}</h3>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a region that scrolls must be reachable by keyboard */}
      <section className="version-text mono" tabIndex={0} aria-label={title}>
        {text.split("\n").map((line, index) => {
          const only = !known.has(line.trimEnd());
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text never move
            <span key={index} className={only ? "version-only" : undefined}>
              {only && <span className="sr-only">only here: </span>}
              {`${line}\n`}
            </span>
          );
        })}
      </section>
    </section>
  );
}
