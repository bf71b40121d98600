/** The drafts of this browser, shown at once and written behind the typing; another panel's changes come in by themselves. */
import { useCallback, useEffect, useRef, useState } from "react";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { draftsIn, type FlowDraft, type FlowDrafts, indexedDbDrafts, withDraft } from "../../state/flow-drafts.ts";

export interface DraftsState {
  /** Undefined until they are read. */
  readonly drafts: FlowDrafts | undefined;
  /** The browser did not keep the last change, e.g. for lack of room. */
  readonly unkept: boolean;
  readonly put: (key: string, draft: FlowDraft | undefined) => void;
}

const store = indexedDbDrafts();

export function useFlowDrafts(): DraftsState {
  const { tokens } = usePage().app;
  const { server } = usePhones();
  /** The team this browser works in; in another one all of this begins anew. */
  const team = useRef<string>(undefined);
  const [drafts, setDrafts] = useState<FlowDrafts>();
  const [unkept, setUnkept] = useState(false);
  /** Changes not yet written, newest per draft: a long text is not written once per letter. */
  const waiting = useRef(new Map<string, FlowDraft | undefined>());
  const writing = useRef(false);
  /** Counts changes made here and their writing: what was read meanwhile may be older than what is shown. */
  const changes = useRef(0);

  useEffect(() => {
    if (server === undefined) return;
    let left = false;
    const read = async () => {
      if (writing.current) return;
      const before = changes.current;
      team.current = (await tokens.get(server))?.team;
      const stored = draftsIn(team.current, await store.all(server).catch(() => ({})));
      // What was changed here meanwhile is newer, and announces itself once it is written.
      if (left || writing.current || before !== changes.current) return;
      setDrafts(stored);
    };
    void read();
    const stop = store.watch(() => void read());
    return () => {
      left = true;
      stop();
    };
  }, [server, tokens]);

  const write = useCallback(async () => {
    if (writing.current || server === undefined) return;
    writing.current = true;
    while (waiting.current.size > 0) {
      const next = [...waiting.current];
      waiting.current.clear();
      const kept = await Promise.all(
        next.map(([key, draft]) => store.put(server, key, draft && written(draft, team.current))),
      ).then(
        () => true,
        () => false,
      );
      setUnkept(!kept);
    }
    changes.current += 1;
    writing.current = false;
  }, [server]);

  const put = useCallback(
    (key: string, draft: FlowDraft | undefined) => {
      changes.current += 1;
      setDrafts((all) => withDraft(all ?? {}, key, draft));
      waiting.current.set(key, draft);
      void write();
    },
    [write],
  );
  return { drafts, unkept, put };
}

function written(draft: FlowDraft, team: string | undefined): FlowDraft {
  return team === undefined ? draft : { ...draft, team };
}
