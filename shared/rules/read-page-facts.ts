/** A page's answer as it comes in a message, which a broken or hostile page can have written itself. */
import type { PageFacts, PageNeeds } from "./page-facts.ts";

const MAX_TEXT = 10_240;
const MAX_VALUE = 8_192;
const MAX_META = 2_048;
const MAX_JSON_LD = 65_536;
const MAX_BLOCKS = 20;
const MAX_APPS = 10;
const MAX_NAMES = 200;

/** Takes from an answer what was asked for, capped; undefined when it is not an answer to that. Never throws. */
export function readPageFacts(value: unknown, needs: PageNeeds): PageFacts | undefined {
  const { dom, css, meta, text, selection, canonical, apps, jsonLd, playing, cut, tookMs } = fields(value);
  if (!Array.isArray(dom) || !Array.isArray(css) || !Array.isArray(meta) || !isTexts(apps) || !isTexts(jsonLd)) return;
  if (typeof text !== "string" || typeof selection !== "string") return;
  if (canonical !== null && typeof canonical !== "string") return;
  if (typeof playing !== "boolean" || typeof cut !== "boolean" || typeof tookMs !== "number") return;
  const counts = needs.dom.map((need, index) => ({ ...need, count: fields(dom[index])["count"] }));
  const values = needs.css.map((need, index) => ({ ...need, value: fields(css[index])["value"] }));
  if (!counts.every(hasCount) || !values.every(hasValue)) return;
  return {
    dom: counts,
    css: values.map((one) => ({ ...one, value: one.value?.slice(0, MAX_VALUE) ?? null })),
    meta: needs.meta.flatMap((name) => {
      const content = meta
        .slice(0, MAX_NAMES)
        .map(fields)
        .find((one) => one["name"] === name)?.["content"];
      return typeof content === "string" ? [{ name, content: content.slice(0, MAX_META) }] : [];
    }),
    text: needs.text ? text.slice(0, MAX_TEXT) : "",
    selection: needs.selection ? selection.slice(0, MAX_META) : "",
    canonical: needs.links ? (canonical?.slice(0, MAX_VALUE) ?? null) : null,
    apps: needs.links ? apps.slice(0, MAX_APPS).map((one) => one.slice(0, MAX_META)) : [],
    jsonLd: needs.jsonLd ? withinTotal(jsonLd.slice(0, MAX_BLOCKS)) : [],
    playing: needs.media && playing,
    cut,
    tookMs,
  };
}

function withinTotal(blocks: readonly string[]): readonly string[] {
  let left = MAX_JSON_LD;
  return blocks.filter((block) => {
    left -= block.length;
    return left >= 0;
  });
}

function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}

function hasCount<T extends { readonly count: unknown }>(one: T): one is T & { readonly count: number } {
  return typeof one.count === "number";
}

function hasValue<T extends { readonly value: unknown }>(one: T): one is T & { readonly value: string | null } {
  return one.value === null || typeof one.value === "string";
}
