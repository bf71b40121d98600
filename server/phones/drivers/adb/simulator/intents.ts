/** Which app opens what, as the package manager would say. */
import type { Intent } from "./app.ts";
import { BROWSER, LAUNCHER, SETTINGS, STORE, StoreApp } from "./apps/system.ts";
import type { Packages } from "./packages.ts";

export const VIEW = "android.intent.action.VIEW";
export const MAIN = "android.intent.action.MAIN";

/** `pkg/.Activity` in full: `pkg/pkg.Activity`. */
export function expand(component: string): string {
  const [name = "", activity = ""] = component.split("/");
  return `${name}/${activity.startsWith(".") ? name + activity : activity}`;
}

/** The package that opens it; undefined: nothing does. */
export function resolve(intent: Intent, packages: Packages): string | undefined {
  if (intent.component !== undefined) {
    const one = packages.get(intent.component.split("/")[0] ?? "");
    if (one === undefined) return undefined;
    return expand(`${one.name}/${one.app.activity}`) === expand(intent.component) ? one.name : undefined;
  }
  const candidates = [...openers(intent)].filter((name) => packages.get(name) !== undefined);
  if (intent.package === undefined) return candidates[0];
  if (candidates.includes(intent.package)) return intent.package;
  return intent.action === MAIN && packages.get(intent.package) !== undefined ? intent.package : undefined;
}

function* openers({ action, data }: Intent): Generator<string> {
  if (action.startsWith("android.settings.")) yield SETTINGS;
  if (action === MAIN && data === undefined) yield LAUNCHER;
  if (action !== VIEW || data === undefined) return;
  if (StoreApp.opens(data)) yield STORE;
  if (/^https?:\/\//i.test(data)) yield BROWSER;
  if (data.startsWith("shop://")) yield "com.example.shop";
}
