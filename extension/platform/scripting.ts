/** Scripts in web pages: one registered by the browser on chosen sites, and functions run once in a tab's top document. */
import browser from "webextension-polyfill";
import { failure, type Result, success } from "./result.ts";

/**
 * The script every page on one of these match patterns gets, those that are open already included; without patterns it is
 * nowhere new, and stays in the pages that have it until they are left.
 */
export async function keepPageScript(id: string, file: string, patterns: readonly string[]): Promise<void> {
  const { scripting } = browser;
  const [known] = await scripting.getRegisteredContentScripts({ ids: [id] });
  if (patterns.length === 0) {
    if (known !== undefined) await scripting.unregisterContentScripts({ ids: [id] });
    return;
  }
  if (known === undefined) {
    await scripting.registerContentScripts([
      { id, js: [file], matches: [...patterns], runAt: "document_idle", allFrames: false, persistAcrossSessions: true },
    ]);
  } else if (JSON.stringify(known.matches) !== JSON.stringify(patterns)) {
    await scripting.updateContentScripts([{ id, matches: [...patterns] }]);
  }
  const added = patterns.filter((pattern) => known?.matches?.includes(pattern) !== true);
  const open = added.length === 0 ? [] : await browser.tabs.query({ url: added });
  // A tab that just went elsewhere, or shows an error, takes none.
  await Promise.allSettled(
    open.map(({ id: tabId }) => tabId !== undefined && scripting.executeScript({ target: { tabId }, files: [file] })),
  );
}

export interface PageTarget {
  readonly tabId: number;
  /** The document that is meant, where the browser names documents; without it, the one that is there. */
  readonly documentId: string | undefined;
}

/**
 * Runs `work` in the extension's isolated world of the tab's top document and gives what it resolves to, which a hostile
 * page's process can have made up. `work` travels as source: it sees nothing but its arguments.
 */
export async function runInPage<A extends readonly unknown[]>(
  { tabId, documentId }: PageTarget,
  work: (...given: A) => unknown,
  ...given: A
): Promise<Result<unknown, "not_allowed">> {
  try {
    const target = documentId === undefined ? { tabId, frameIds: [0] } : { tabId, documentIds: [documentId] };
    const [answer] = await browser.scripting.executeScript({ target, func: untyped(work), args: [...given] });
    return success(answer?.result);
  } catch (cause) {
    return failure("not_allowed", cause);
  }
}

/** The browser calls it with exactly the `args` given beside it. */
function untyped<A extends readonly unknown[]>(work: (...given: A) => unknown): (...all: unknown[]) => unknown {
  return work as unknown as (...all: unknown[]) => unknown;
}
