/** The address bar after the keyword `phone`. */
import browser from "webextension-polyfill";

export interface Suggestion {
  readonly content: string;
  /** Plain text; escaped here, because Chrome reads markup. */
  readonly description: string;
}

/** Register synchronously when the worker starts. */
export function onOmnibox(handlers: {
  readonly suggest: (text: string) => Promise<readonly Suggestion[]>;
  readonly enter: (text: string) => void;
  /** Shown for the typed text itself. */
  readonly hint: string;
}): void {
  browser.omnibox.setDefaultSuggestion({ description: escapeXml(handlers.hint) });
  browser.omnibox.onInputChanged.addListener((text, answer) => {
    void handlers.suggest(text).then((suggestions) => {
      answer(suggestions.map(({ content, description }) => ({ content, description: escapeXml(description) })));
    });
  });
  browser.omnibox.onInputEntered.addListener((text) => handlers.enter(text));
}

function escapeXml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
