/** The drafts of this browser session, shown at once and written behind the typing. */
import { useCallback, useEffect, useRef, useState } from "react";
import { type FlowDraft, type FlowDrafts, flowDrafts, withDraft } from "../../state/flow-drafts.ts";

export interface DraftsState {
  /** Undefined until they are read. */
  readonly drafts: FlowDrafts | undefined;
  /** The browser did not keep the last change, e.g. for lack of room. */
  readonly unkept: boolean;
  readonly put: (key: string, draft: FlowDraft | undefined) => void;
}

const store = flowDrafts();

export function useFlowDrafts(): DraftsState {
  const [drafts, setDrafts] = useState<FlowDrafts>();
  const [unkept, setUnkept] = useState(false);
  /** Changes not yet written, newest per draft: a long text is not written once per letter. */
  const waiting = useRef(new Map<string, FlowDraft | undefined>());
  const writing = useRef(false);

  useEffect(() => {
    void store.get().then((stored) => setDrafts((shown) => shown ?? stored));
  }, []);

  const write = useCallback(async () => {
    if (writing.current) return;
    writing.current = true;
    while (waiting.current.size > 0) {
      const changes = [...waiting.current];
      waiting.current.clear();
      const kept = await store
        .update((all) => changes.reduce((next, [key, draft]) => withDraft(next, key, draft), all))
        .then(
          () => true,
          () => false,
        );
      setUnkept(!kept);
    }
    writing.current = false;
  }, []);

  const put = useCallback(
    (key: string, draft: FlowDraft | undefined) => {
      setDrafts((all) => withDraft(all ?? {}, key, draft));
      waiting.current.set(key, draft);
      void write();
    },
    [write],
  );
  return { drafts, unkept, put };
}
