/** A person's recording on a phone: found again whenever the panel opens, followed as it grows. */
import { useCallback, useEffect, useState } from "react";
import type { PhoneId, RecordingId } from "../../../shared/id-values.ts";
import type { RecordingDetail } from "../../../shared/recording-model.ts";
import type { Api } from "../../api/client.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import type { Calls } from "../panel/use-call.ts";
import { heard } from "./model/recording-log.ts";

export interface WatchedRecording {
  /** Undefined when there is none, or it is not known yet. */
  readonly recording: RecordingDetail | undefined;
  /** It was looked for. */
  readonly known: boolean;
  /** Does something to it and shows what came of it. True when it worked. */
  readonly act: (key: string, work: (api: Api) => Promise<RecordingDetail>) => Promise<boolean>;
  /** It is gone, or saved: shows none. */
  readonly leave: () => void;
}

const RETRY_MS = [1_000, 2_000, 5_000] as const;

/** `at`: a phone, whose unfinished recording is meant, or one recording. */
export function useRecording(
  at: { readonly phoneId: PhoneId } | { readonly recordingId: RecordingId },
  calls: Calls,
): WatchedRecording {
  const { app, phones } = usePage();
  const { server, status } = usePhones();
  const [recording, setRecording] = useState<RecordingDetail>();
  const [known, setKnown] = useState(false);
  const [round, setRound] = useState(0);
  const [phoneId, recordingId] = "phoneId" in at ? [at.phoneId, undefined] : [undefined, at.recordingId];
  const id = recording?.id;
  const live = status === "live";

  // biome-ignore lint/correctness/useExhaustiveDependencies: `round` asks again; so does being back
  useEffect(() => {
    if (server === undefined || id !== undefined) return;
    let left = false;
    void phones
      .call(async (api) => {
        const found =
          recordingId ??
          (await api.recordings.list.query(phoneId && { phoneId })).find(({ state }) => state !== "saved")?.id;
        return found === undefined ? undefined : api.recordings.get.query({ recordingId: found });
      })
      .then((result) => {
        if (left || !result.ok) return;
        setKnown(true);
        if (result.value !== undefined) setRecording(result.value);
      });
    return () => {
      left = true;
    };
  }, [phones, server, phoneId, recordingId, id, live, round]);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a stream belongs to a recording, not to its latest state
  useEffect(() => {
    if (server === undefined || recording === undefined) return;
    let stop: (() => void) | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    let attempts = 0;
    let after = recording.lastEvent;
    let left = false;
    const follow = () => {
      stop = app.followRecording?.(
        server,
        { recordingId: recording.id, after },
        {
          onOpen: () => {
            attempts = 0;
          },
          onEvent: (seq, event) => {
            after = seq;
            setRecording((shown) => (shown?.id === recording.id ? heard(shown, seq, event) : shown));
          },
          onLost: (finished) => {
            if (left || finished) return;
            timer = setTimeout(follow, RETRY_MS[Math.min(attempts, RETRY_MS.length - 1)]);
            attempts += 1;
          },
        },
      );
    };
    follow();
    return () => {
      left = true;
      clearTimeout(timer);
      stop?.();
    };
  }, [app, server, id]);

  const act = useCallback<WatchedRecording["act"]>(
    async (key, work) => {
      const result = await calls.run(key, work);
      if (result?.ok !== true) return false;
      setRecording(result.value);
      return true;
    },
    [calls.run],
  );
  const leave = useCallback(() => {
    setRecording(undefined);
    setRound((before) => before + 1);
  }, []);
  return { recording, known, act, leave };
}
