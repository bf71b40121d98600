import type { KeyboardEvent } from "react";
import { Icon, type IconName } from "./icon.tsx";
import "./tabs.css";

export interface TabItem<T extends string> {
  readonly id: T;
  readonly label: string;
  readonly icon: IconName;
  /** Something with a clock waits here; said to screen readers. */
  readonly notice?: string;
}

export interface TabBarProps<T extends string> {
  /** Accessible name. */
  readonly label: string;
  readonly tabs: readonly TabItem<T>[];
  readonly current: T;
  readonly onChange: (tab: T) => void;
}

/** The bottom bar. The screen it shows is `<div role="tabpanel" id={tabPanelId(id)} aria-labelledby={tabId(id)}>`. */
export function TabBar<T extends string>({ label, tabs, current, onChange }: TabBarProps<T>) {
  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const index = tabs.findIndex((tab) => tab.id === current);
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    const next = tabs[(index + step + tabs.length) % tabs.length];
    if (step === 0 || next === undefined) return;
    event.preventDefault();
    onChange(next.id);
    event.currentTarget.querySelector<HTMLElement>(`#${CSS.escape(tabId(next.id))}`)?.focus();
  };
  return (
    <div className="tab-bar" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
      {tabs.map((tab) => (
        <button
          key={tab.id}
          id={tabId(tab.id)}
          type="button"
          role="tab"
          className="tab"
          aria-selected={tab.id === current}
          aria-controls={tab.id === current ? tabPanelId(tab.id) : undefined}
          tabIndex={tab.id === current ? 0 : -1}
          onClick={() => onChange(tab.id)}
        >
          <span className="tab-icon">
            <Icon name={tab.icon} size={20} />
            {tab.notice !== undefined && <span className="tab-notice" />}
          </span>
          <span>{tab.label}</span>
          {tab.notice !== undefined && <span className="sr-only">{tab.notice}</span>}
        </button>
      ))}
    </div>
  );
}

export function tabId(id: string): string {
  return `tab-${id}`;
}
export function tabPanelId(id: string): string {
  return `tabpanel-${id}`;
}
