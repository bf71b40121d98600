/** What rules ask of a page, and what was observed. All of a page's answers are what its author wants us to believe. */
import type { Condition, MenuTarget, Rule, Source, StartWay } from "./model.ts";
import { conditionsOf } from "./rule-parts.ts";

export interface PageNeeds {
  readonly dom: readonly { readonly css: string; readonly visible: boolean }[];
  readonly css: readonly { readonly css: string; readonly attr?: string }[];
  /** Lower-case names of `<meta>`: property, name or itemprop. */
  readonly meta: readonly string[];
  readonly text: boolean;
  readonly selection: boolean;
  /** Canonical address, android-app:// alternates and market:// links. */
  readonly links: boolean;
  readonly jsonLd: boolean;
  readonly media: boolean;
}

/** Lists follow the order of the needs; what was not asked is empty. */
export interface PageFacts {
  /** `count` stops at 1,000; -1: the page's browser cannot read the selector. With `visible`, only visible ones count. */
  readonly dom: readonly { readonly css: string; readonly visible: boolean; readonly count: number }[];
  readonly css: readonly { readonly css: string; readonly attr?: string; readonly value: string | null }[];
  readonly meta: readonly { readonly name: string; readonly content: string }[];
  readonly text: string;
  readonly selection: string;
  readonly canonical: string | null;
  /** Addresses of `android-app://` alternates and `market://` links. */
  readonly apps: readonly string[];
  /** Blocks as they stand in the page. */
  readonly jsonLd: readonly string[];
  readonly playing: boolean;
  /** The page was too large or too slow to be read whole; what is missing counts as not there. */
  readonly cut: boolean;
  /** Milliseconds the reading took. */
  readonly tookMs: number;
}

/** Everything a rule is judged by. The address comes from the browser, never from a page's message. */
export interface Facts {
  readonly start: StartWay;
  /** Unix ms. */
  readonly at: number;
  readonly url: string;
  /** Absent when the page was not read. */
  readonly page?: PageFacts;
  /** What was clicked in a context menu, from the browser. */
  readonly menu?: {
    readonly on: readonly MenuTarget[];
    readonly link?: string;
    readonly media?: string;
    readonly selection?: string;
  };
  /** Unix ms of earlier visits to this site, this one included. */
  readonly visits: readonly number[];
}

export const APP_META = ["al:android:package", "al:android:url", "al:android:app_name", "google-play-app"] as const;

/** What rules together ask of a page; undefined when none asks anything. */
export function needsOf(rules: readonly Pick<Rule, "when" | "extract">[]): PageNeeds | undefined {
  const conditions: readonly Condition[] = rules.flatMap(conditionsOf);
  const sources: readonly Source[] = rules.flatMap(({ extract }) => extract.flatMap(({ from }) => from));
  const has = (kind: Condition["kind"] | Source["kind"]) =>
    conditions.some((one) => one.kind === kind) || sources.some((one) => one.kind === kind);
  const needs: PageNeeds = {
    dom: unique(conditions.flatMap((one) => (one.kind === "dom" ? [{ css: one.css, visible: one.visible }] : []))),
    css: unique(
      sources.flatMap((one) =>
        one.kind === "css" ? [one.attr === undefined ? { css: one.css } : { css: one.css, attr: one.attr }] : [],
      ),
    ),
    meta: unique([
      ...[...conditions, ...sources].flatMap((one) => (one.kind === "meta" ? [one.name.toLowerCase()] : [])),
      ...(has("app") ? APP_META : []),
    ]),
    text: has("text"),
    selection: has("selection"),
    links: has("canonical") || has("app") || has("play"),
    jsonLd: has("jsonld"),
    media: has("media"),
  };
  const asks = Object.values(needs).some((need) => (Array.isArray(need) ? need.length > 0 : need));
  return asks ? needs : undefined;
}

function unique<T>(all: readonly T[]): readonly T[] {
  return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()];
}
