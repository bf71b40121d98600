/** Pictures, trees and failures of one run: kept as encrypted files, named in the journal. */
import type { ArtifactKind } from "../../shared/automation-model.ts";
import { failureDetail } from "./engine/candidates.ts";
import type { FlowFailure } from "./engine/context.ts";
import type { FindElements, PhoneHands, ScreenshotSink } from "./engine/ports.ts";
import type { JournalRepo } from "./journal.repo.ts";
import type { ArtifactStore } from "./run-artifacts.ts";
import type { Lease, RunsRepo } from "./runs.repo.ts";

export interface RunPictures {
  readonly screenshot: ScreenshotSink;
  /** What the screen showed when the run failed, and what on it could have been meant. A phone that is gone gives none. */
  failure(hands: PhoneHands, failure: FlowFailure): Promise<void>;
}

export async function openPictures(options: {
  lease: Lease;
  artifacts: ArtifactStore;
  journal: JournalRepo;
  runs: RunsRepo;
  find: FindElements;
}): Promise<RunPictures> {
  const { lease, artifacts, journal, runs } = options;
  const earlier = await runs.artifacts(lease.runId);
  const names = new Set(earlier.map(({ name }) => name));
  const unique = (name: string): string => {
    const dot = name.lastIndexOf(".");
    let found = name;
    for (let n = 2; names.has(found); n += 1) found = `${name.slice(0, dot)}-${n}${name.slice(dot)}`;
    names.add(found);
    return found;
  };
  const keep = async (kind: ArtifactKind, name: string, bytes: Uint8Array, step: number | undefined) => {
    const file = await artifacts.write(lease.runId, bytes);
    await journal.artifact(lease, { kind, name: unique(name), bytes: bytes.length, file, step: step ?? null });
  };
  return {
    screenshot: (name, png, step) => keep("screenshot", name, png, step),
    async failure(hands, failure) {
      // A run that goes on after a crash fails again where it had failed; the screen is another one by then.
      if (earlier.some(({ kind }) => kind === "failure_screenshot")) return;
      const { step, code } = failure;
      const seen = await hands.look().catch(() => undefined);
      if (seen === undefined) return;
      await keep("failure_screenshot", "failure.png", seen.png, step);
      await keep("failure_tree", "failure-tree.json", json(seen.tree), step);
      if (code === "assertion" || code === "element_not_found" || code === "element_covered") {
        await keep("failure", "failure.json", json(failureDetail(failure, seen.tree, options.find)), step);
      }
    },
  };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
