/** Runs of the team as far back as asked for, current while one of them goes on. */
import { useCallback, useEffect, useRef, useState } from "react";
import { hasEnded, type RunSummary } from "../../../shared/automation-model.ts";
import type { Failure } from "../../api/errors.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import type { RunsFilter } from "../../state/automations-place.ts";
import { statesOf, withNewest, withOlder } from "./model/runs-list-model.ts";

export interface Runs {
  /** Undefined until the server answered. */
  readonly runs: readonly RunSummary[] | undefined;
  readonly failure: Failure | undefined;
  /** Whether there are older ones. */
  readonly more: boolean;
  readonly loadingMore: boolean;
  readonly loadMore: () => void;
  readonly reload: () => void;
}

const PAGE = 50;
/** While a run goes on, how often the list asks how it is. */
const POLL_MS = 2_000;

interface Listed {
  /** What was asked for. */
  readonly asked: string;
  readonly runs: readonly RunSummary[];
  readonly more: boolean;
}

export function useRuns(filter: RunsFilter): Runs {
  const { phones } = usePage();
  const { status } = usePhones();
  const asked = JSON.stringify(filter);
  const [listed, setListed] = useState<Listed>();
  const [failure, setFailure] = useState<Failure>();
  const [loadingMore, setLoadingMore] = useState(false);
  const newest = useRef(asked);
  newest.current = asked;

  const read = useCallback(
    async (before?: RunSummary) => {
      const { group, ...rest } = JSON.parse(asked) as RunsFilter;
      const result = await phones.call((api) =>
        api.runs.list.query({
          ...rest,
          ...(group !== undefined && { states: [...statesOf(group)] }),
          ...(before !== undefined && { before: before.id }),
          limit: PAGE,
        }),
      );
      if (newest.current !== asked) return;
      setFailure(result.ok ? undefined : result.failure);
      if (!result.ok) return;
      const page = result.value;
      setListed((shown) => {
        const known = shown?.asked === asked ? shown : { asked, runs: [], more: page.length === PAGE };
        if (before !== undefined) return { asked, runs: withOlder(known.runs, page), more: page.length === PAGE };
        const runs = withNewest(known.runs, page, page.length < PAGE);
        return { asked, runs, more: runs.length > page.length ? known.more : page.length === PAGE };
      });
    },
    [phones, asked],
  );

  const live = status === "live";
  // biome-ignore lint/correctness/useExhaustiveDependencies: `live` turning true is the moment to read again
  useEffect(() => void read(), [read, live]);

  const shown = listed?.asked === asked ? listed : undefined;
  const going = shown?.runs.some((run) => !hasEnded(run.state)) === true;
  useEffect(() => {
    if (!going) return;
    const timer = setInterval(() => void read(), POLL_MS);
    return () => clearInterval(timer);
  }, [going, read]);

  const loadMore = async () => {
    const oldest = shown?.runs.at(-1);
    if (oldest === undefined) return;
    setLoadingMore(true);
    await read(oldest);
    setLoadingMore(false);
  };
  return {
    runs: shown?.runs,
    failure,
    more: shown?.more === true,
    loadingMore,
    loadMore: () => void loadMore(),
    reload: () => void read(),
  };
}
