/** Pictures and trees of one run: kept as encrypted files, named in the journal. */
import type { ArtifactKind } from "../../shared/automation-model.ts";
import type { PhoneHands, ScreenshotSink } from "./engine/ports.ts";
import type { JournalRepo } from "./journal.repo.ts";
import type { ArtifactStore } from "./run-artifacts.ts";
import type { Lease, RunsRepo } from "./runs.repo.ts";

export interface RunPictures {
  readonly screenshot: ScreenshotSink;
  /** What the screen showed when the run failed. A phone that is gone gives none. */
  failure(hands: PhoneHands, step: number | undefined): Promise<void>;
}

export async function openPictures(options: {
  lease: Lease;
  artifacts: ArtifactStore;
  journal: JournalRepo;
  runs: RunsRepo;
  /** Whether a picture of the run may become a file of the team. */
  mayBecomeFiles: boolean;
}): Promise<RunPictures> {
  const { lease, artifacts, journal, runs } = options;
  const names = new Set((await runs.artifacts(lease.runId)).map(({ name }) => name));
  const unique = (name: string): string => {
    const dot = name.lastIndexOf(".");
    let found = name;
    for (let n = 2; names.has(found); n += 1) found = `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
    names.add(found);
    return found;
  };
  const keep = async (
    kind: ArtifactKind,
    name: string,
    bytes: Uint8Array,
    step: number | undefined,
    baseline?: string,
  ) => {
    const file = await artifacts.write(lease.runId, bytes);
    await journal.artifact(lease, {
      kind,
      name: unique(name),
      bytes: bytes.length,
      file,
      step: step ?? null,
      baseline: (options.mayBecomeFiles ? baseline : undefined) ?? null,
    });
  };
  return {
    screenshot: (name, png, step, use = {}) =>
      keep(use.difference === true ? "difference" : "screenshot", name, png, step, use.baseline),
    async failure(hands, step) {
      const seen = await hands.look().catch(() => undefined);
      if (seen === undefined) return;
      await keep("failure_screenshot", "failure.png", seen.png, step);
      await keep("failure_tree", "failure-tree.json", Buffer.from(JSON.stringify(seen.tree)), step);
    },
  };
}
