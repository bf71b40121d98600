/** A line that says the most important thing, and the rest in place when it is opened. */
import { type ReactNode, useEffect, useRef, useState } from "react";
import { Icon, type IconName } from "./icon.tsx";
import "./fold.css";

export interface FoldProps {
  readonly icon: IconName;
  readonly title: string;
  /** The answer at a glance. */
  readonly glance: ReactNode;
  /** Opened from the start, where something led here. */
  readonly opened?: boolean;
  /** Made when it is first opened, so that nothing is read for those who do not look. */
  readonly children: () => ReactNode;
}

export function Fold({ icon, title, glance, opened: from = false, children }: FoldProps) {
  const [opened, setOpened] = useState(from);
  const summary = useRef<HTMLElement>(null);
  useEffect(() => {
    if (from) summary.current?.focus();
  }, [from]);
  return (
    <details
      className="fold"
      open={from}
      onToggle={({ currentTarget }) => setOpened((before) => before || currentTarget.open)}
    >
      <summary ref={summary}>
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
