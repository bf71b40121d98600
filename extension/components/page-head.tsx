/** The top line of a page inside a screen: the way back, what it is, and what else can be done. */
import type { ReactNode } from "react";
import { IconButton } from "./button.tsx";
import "./page-head.css";

export interface PageHeadProps {
  /** Where the way back leads, e.g. "All automations". */
  readonly back: string;
  readonly onBack: () => void;
  readonly title: string;
  readonly detail?: ReactNode;
  readonly actions?: ReactNode;
}

export function PageHead({ back, onBack, title, detail, actions }: PageHeadProps) {
  return (
    <header className="page-head">
      <IconButton icon="back" label={back} tooltip="below" onClick={onBack} />
      <div className="list-text">
        <h1 className="truncate" title={title}>
          {title}
        </h1>
        {detail !== undefined && <p className="secondary tabular truncate">{detail}</p>}
      </div>
      {actions}
    </header>
  );
}
