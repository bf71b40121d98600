/** Which apps are shown, and in which order. */
import type { PhoneApp } from "../../../../shared/phones.ts";

export interface AppsShown {
  /** What was searched for, of all apps; undefined while nothing is. */
  readonly found: readonly PhoneApp[] | undefined;
  /** What was installed. */
  readonly own: readonly PhoneApp[];
  /** What came with the phone. */
  readonly system: readonly PhoneApp[];
}

export function appsShown(apps: readonly PhoneApp[], search: string): AppsShown {
  const sorted = [...apps].sort((a, b) => a.label.localeCompare(b.label) || a.id.localeCompare(b.id));
  const words = search.trim().toLocaleLowerCase().split(/\s+/).filter(Boolean);
  if (words.length > 0) {
    const fits = ({ label, id }: PhoneApp) => {
      const text = `${label} ${id}`.toLocaleLowerCase();
      return words.every((word) => text.includes(word));
    };
    return { found: sorted.filter(fits), own: [], system: [] };
  }
  return {
    found: undefined,
    own: sorted.filter(({ system }) => !system),
    system: sorted.filter(({ system }) => system),
  };
}

/** What tells it from another of the same name. */
export function appDetail({ id, version }: PhoneApp): string {
  return version === undefined ? id : `${id} · version\u00a0${version}`;
}

/** Whether Android did not say what it calls itself. */
export function isNameless({ id, label }: PhoneApp): boolean {
  return id === label;
}

/** Parts of packages that say nothing of the app. */
const COMMON = /^(android|apps?|client|main|mobile|release)$/i;

/** A nameless one gets what its package says most: "Vending" of com.android.vending. */
export function readable(app: PhoneApp): PhoneApp {
  if (!isNameless(app)) return app;
  const parts = app.id.split(".").slice(1);
  const word = parts.findLast((part) => !COMMON.test(part)) ?? parts.at(-1) ?? app.id;
  const text = word.replaceAll("_", " ");
  return { ...app, label: text.charAt(0).toUpperCase() + text.slice(1) };
}
