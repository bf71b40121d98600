import type { ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";
import "./notice.css";

export type NoticeTone = "info" | "warn" | "error";
const ICONS: Readonly<Record<NoticeTone, IconName>> = { info: "info", warn: "warning", error: "error" };

export interface NoticeProps {
  readonly tone?: NoticeTone;
  readonly title?: string;
  readonly children: ReactNode;
  /** The one thing to do about it. */
  readonly action?: ReactNode;
}

/** Says what happened and what to do, in place. Errors are announced at once, the rest politely. */
export function Notice({ tone = "info", title, children, action }: NoticeProps) {
  return (
    <div className={`notice notice-${tone}`} role={tone === "error" ? "alert" : "status"}>
      <span className="notice-icon">
        <Icon name={ICONS[tone]} />
      </span>
      <div className="notice-text">
        {title !== undefined && <p className="notice-title">{title}</p>}
        <div>{children}</div>
        {action !== undefined && <div className="notice-action">{action}</div>}
      </div>
    </div>
  );
}

export interface EmptyStateProps {
  readonly icon: IconName;
  readonly title: string;
  /** What this is, or why there is nothing. */
  readonly children: ReactNode;
  /** The first step. */
  readonly action?: ReactNode;
}

export function EmptyState({ icon, title, children, action }: EmptyStateProps) {
  return (
    <div className="empty-state">
      <span className="empty-state-icon">
        <Icon name={icon} size={20} />
      </span>
      <h2>{title}</h2>
      <div className="empty-state-text">{children}</div>
      {action}
    </div>
  );
}

export interface SkeletonProps {
  /** What is loading, for screen readers. */
  readonly label: string;
  readonly rows?: number;
}

/** Stands in for rows that load. Invisible for the first 200 ms, so quick answers never flash. */
export function Skeleton({ label, rows = 3 }: SkeletonProps) {
  return (
    <div className="skeleton" role="status" aria-label={label}>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: rows are all alike
        <span className="skeleton-row" key={index} />
      ))}
    </div>
  );
}
