/** What things lie on: cards, lists and rows. */
import type { ReactNode } from "react";
import "./surface.css";

export interface CardProps {
  readonly title?: string;
  /** Beside the title. */
  readonly action?: ReactNode;
  readonly children: ReactNode;
}

export function Card({ title, action, children }: CardProps) {
  return (
    <section className="card">
      {title !== undefined && (
        <header className="card-head">
          <h2>{title}</h2>
          {action}
        </header>
      )}
      {children}
    </section>
  );
}

export interface ListProps {
  /** Accessible name. */
  readonly label: string;
  readonly children: ReactNode;
}

/** Rows with hairlines between them; children are `ListRow`s. */
export function List({ label, children }: ListProps) {
  return (
    <ul className="list" aria-label={label}>
      {children}
    </ul>
  );
}

export interface ListRowProps {
  readonly title: ReactNode;
  /** Second line. */
  readonly detail?: ReactNode;
  /** Before the text: an icon or a dot. */
  readonly lead?: ReactNode;
  /** After the text: a value or buttons. */
  readonly trail?: ReactNode;
}

export function ListRow({ title, detail, lead, trail }: ListRowProps) {
  return (
    <li className="list-row">
      {lead !== undefined && <span className="list-lead">{lead}</span>}
      <span className="list-text">
        <span className="list-title">{title}</span>
        {detail !== undefined && <span className="secondary">{detail}</span>}
      </span>
      {trail !== undefined && <span className="list-trail">{trail}</span>}
    </li>
  );
}
