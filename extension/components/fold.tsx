/** A line that says the most important thing, and the rest in place when it is opened. */
import { type ReactNode, useState } from "react";
import { Icon, type IconName } from "./icon.tsx";
import "./fold.css";

export interface FoldProps {
  readonly icon: IconName;
  readonly title: string;
  /** The answer at a glance. */
  readonly glance: ReactNode;
  /** Made when it is first opened, so that nothing is read for those who do not look. */
  readonly children: () => ReactNode;
}

export function Fold({ icon, title, glance, children }: FoldProps) {
  const [opened, setOpened] = useState(false);
  return (
    <details className="fold" onToggle={({ currentTarget }) => setOpened((before) => before || currentTarget.open)}>
      <summary>
        <Icon name={icon} />
        <h2>{title}</h2>
        <span className="fold-glance secondary tabular truncate">{glance}</span>
        <span className="fold-arrow">
          <Icon name="chevronRight" />
        </span>
      </summary>
      <div className="fold-content">{opened && children()}</div>
    </details>
  );
}
