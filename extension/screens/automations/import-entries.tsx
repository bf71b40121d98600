/** What an import would bring and what stays out. */
import type { ImportEntry, ImportPreview } from "../../../shared/workspace-model.ts";
import { Icon } from "../../components/icon.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card } from "../../components/surface.tsx";
import { FILE_ICONS } from "./folder-group.tsx";

/** More of one file are noise: the first ones explain the rest. */
const MOST_PROBLEMS = 3;

export function ImportEntries({ preview }: { readonly preview: ImportPreview }) {
  if (preview.entries.length === 0) return <p className="secondary">Nothing in this can be kept.</p>;
  return (
    <Card title="What comes">
      <ul className="list" aria-label="What comes">
        {preview.entries.map((entry) => (
          <Entry key={entry.path} entry={entry} />
        ))}
      </ul>
    </Card>
  );
}

function Entry({ entry }: { readonly entry: ImportEntry }) {
  const { path, kind, change, diagnostics, notes } = entry;
  return (
    <li className="import-entry">
      <Icon name={kind === "flow" ? "automation" : FILE_ICONS[kind]} />
      <span className="list-text">
        <span className="import-path">{path}</span>
        {diagnostics.slice(0, MOST_PROBLEMS).map((diagnostic) => (
          <span key={`${diagnostic.file}:${diagnostic.line}:${diagnostic.message}`} className="tone-bad step-message">
            {diagnostic.file === undefined ? "" : `${diagnostic.file}, `}line {diagnostic.line}: {diagnostic.message}
          </span>
        ))}
        {diagnostics.length > MOST_PROBLEMS && (
          <span className="tone-bad step-message">And {diagnostics.length - MOST_PROBLEMS} more mistakes.</span>
        )}
        {notes.slice(0, MOST_PROBLEMS * 2).map((note) => (
          <span key={note} className="secondary">
            {note}
          </span>
        ))}
      </span>
      {change === "replaced" && <Badge tone="warn">Replaces</Badge>}
      {change === "same" && <span className="secondary">the same</span>}
    </li>
  );
}

export function SkippedFiles({ skipped }: Pick<ImportPreview, "skipped">) {
  if (skipped.length === 0) return null;
  return (
    <details className="disclosure" open={skipped.length <= 5}>
      <summary>
        <Icon name="chevronRight" />
        {skipped.length === 1 ? "1 file stays out" : `${skipped.length} files stay out`}
      </summary>
      <ul className="list" aria-label="Files that stay out">
        {skipped.map(({ path, reason }) => (
          <li key={path} className="import-entry">
            <span className="list-text">
              <span className="import-path">{path}</span>
              <span className="secondary">{reason}</span>
            </span>
          </li>
        ))}
      </ul>
    </details>
  );
}
