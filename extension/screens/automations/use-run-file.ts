/** Files of a run as a screen shows them: pictures and videos as addresses, JSON as values. Read once they are wanted. */
import { useEffect, useState } from "react";
import type { RunArtifact } from "../../../shared/automation-model.ts";
import type { RunId } from "../../../shared/id-values.ts";
import { readRunFile } from "../../api/run-files.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";

export interface RunFile {
  readonly blob?: Blob;
  readonly url?: string;
  /** The server did not give it. */
  readonly lost: boolean;
}

/** `type`: that it is, whatever the server calls it. Nothing is read while `wanted` is false. */
export function useRunFile(
  runId: RunId,
  name: string | undefined,
  type: RunArtifact["mimeType"] = "image/png",
  wanted = true,
): RunFile {
  const { app } = usePage();
  const { server } = usePhones();
  const [file, setFile] = useState<RunFile>({ lost: false });
  useEffect(() => {
    if (server === undefined || name === undefined || !wanted) return;
    let url: string | undefined;
    let left = false;
    void readRunFile(app, server, { kind: "artifact", runId, name }).then((bytes) => {
      if (left) return;
      if (bytes === undefined) return setFile({ lost: true });
      const blob = new Blob([bytes], { type });
      url = URL.createObjectURL(blob);
      setFile({ blob, url, lost: false });
    });
    return () => {
      left = true;
      if (url !== undefined) URL.revokeObjectURL(url);
    };
  }, [app, server, runId, name, type, wanted]);
  return file;
}

export interface JsonFile<T> {
  readonly value?: T;
  readonly lost: boolean;
}

/** The value of a JSON file whose shape `fits` vouches for. */
export function useRunJson<T>(
  runId: RunId,
  name: string | undefined,
  fits: (value: unknown) => value is T,
): JsonFile<T> {
  const { app } = usePage();
  const { server } = usePhones();
  const [file, setFile] = useState<JsonFile<T>>({ lost: false });
  useEffect(() => {
    if (server === undefined || name === undefined) return;
    let left = false;
    const read = async () => {
      const bytes = await readRunFile(app, server, { kind: "artifact", runId, name });
      const value: unknown = bytes && JSON.parse(await bytes.text());
      if (!left) setFile(fits(value) ? { value, lost: false } : { lost: true });
    };
    read().catch(() => !left && setFile({ lost: true }));
    return () => {
      left = true;
    };
  }, [app, server, runId, name, fits]);
  return file;
}
