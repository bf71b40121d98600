/** A rule's run in words, before it is one. */
import type { Phone } from "../../../shared/phone-model.ts";
import type { ExtractedValue } from "../../../shared/rules/evaluate.ts";
import type { Rule } from "../../../shared/rules/model.ts";

/** "on Pixel, tall"; undefined while the person has to choose. */
export function phoneWords({ phone }: Rule["action"], phones: readonly Phone[]): string | undefined {
  if (phone === "ask") return undefined;
  if (phone === "new") return "on a new phone";
  if (typeof phone === "object") return `on a free phone tagged ${phone.tag}`;
  return `on ${phones.find(({ id }) => id === phone)?.name ?? "a phone that is gone"}`;
}

/** Whose word a value is. A page can say what it likes. */
export function sourceWords(source: ExtractedValue["source"]): string {
  switch (source) {
    case "url":
    case "query":
    case "path":
    case "group":
      return "from the page's address";
    case "menu":
      return "from what you clicked";
    case "selection":
      return "from what you selected";
    default:
      return "from the page itself";
  }
}
