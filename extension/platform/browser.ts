/**
 * The browser's interfaces for extensions. Firefox has them as `browser`, Chrome as `chrome`; both answer with promises in
 * Manifest V3 (developer.chrome.com/docs/extensions/develop/concepts/promises). Where they differ, the files here say so.
 */
import type { Browser } from "webextension-polyfill";

const found = globalThis as unknown as { readonly browser?: Browser; readonly chrome?: Browser };

/** A page that is none of an extension has neither. */
function interfaces(): Browser {
  const one = found.browser?.runtime?.id === undefined ? found.chrome : found.browser;
  if (one === undefined) throw new Error("This runs in an extension only.");
  return one;
}

const browser = interfaces();
export default browser;
