/** A line that leads to a page. */
import type { ReactNode } from "react";
import { Icon, type IconName } from "../../components/icon.tsx";

export interface NavRowProps {
  readonly icon: IconName;
  readonly title: string;
  readonly detail?: ReactNode;
  /** Before the arrow: a count or a state. */
  readonly note?: ReactNode;
  readonly onOpen: () => void;
}

export function NavRow({ icon, title, detail, note, onOpen }: NavRowProps) {
  return (
    <li className="nav-item">
      <button type="button" className="nav-row" onClick={onOpen}>
        <span className="list-lead">
          <Icon name={icon} size={20} />
        </span>
        <span className="list-text">
          <span className="list-title">{title}</span>
          {detail !== undefined && <span className="secondary tabular">{detail}</span>}
        </span>
        {note}
        <span className="nav-arrow">
          <Icon name="chevronRight" />
        </span>
      </button>
    </li>
  );
}
