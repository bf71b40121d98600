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
export function appDetail({ id, label, version }: PhoneApp): string {
  if (id === label) return version === undefined ? "" : `Version ${version}`;
  return version === undefined ? id : `${id} · ${version}`;
}
