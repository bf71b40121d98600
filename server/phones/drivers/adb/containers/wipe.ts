/** Wiping a phone: how much there was, gone, and looked at afterwards. */
import type { PhoneId } from "../../../../../shared/ids.ts";
import type { WipeReceipt } from "../../../../../shared/phones.ts";
import type { Clock } from "../../../../clock.ts";
import { PerchError } from "../../../../errors.ts";
import { errorFields, type Log } from "../../../../log.ts";
import { TOYBOX } from "./egress-guard.ts";
import type { Engine } from "./engine.ts";
import type { PhoneContainerRow } from "./phone-hosts.repo.ts";
import { containerName, helperPlan } from "./plans.ts";

const COUNT_MS = 60_000;

interface Contents {
  readonly files: number;
  readonly bytes: number;
}
const NOTHING: Contents = { files: 0, bytes: 0 };

/** A line for each file with its size and nothing else, so no name leaves the phone. */
export async function countContents(engine: Engine, row: PhoneContainerRow, instance: string): Promise<Contents> {
  const argv = [TOYBOX, "find", "/phone", "-xdev", "-type", "f", "-printf", "%s\n"];
  const plan = helperPlan({ name: "count", image: row.image, argv, instance, volume: row.volume });
  const { stdout } = await engine.runOnce(plan, COUNT_MS);
  return stdout
    .split("\n")
    .filter((line) => /^\d{1,15}$/.test(line))
    .reduce(({ files, bytes }, line) => ({ files: files + 1, bytes: bytes + Number(line) }), NOTHING);
}

/** Verified by the Engine, which no longer knows container nor volume. What it did not manage stays to be tried again. */
export async function wipePhone(options: {
  readonly engine: Engine;
  readonly row: PhoneContainerRow;
  readonly instance: string;
  readonly clock: Clock;
  readonly log: Log;
}): Promise<WipeReceipt> {
  const { engine, row, instance, clock, log } = options;
  const id: PhoneId = row.phoneId;
  await engine.remove(containerName(id));
  const there = await engine.hasVolume(row.volume);
  const contents = !there
    ? NOTHING
    : await countContents(engine, row, instance).catch((error: unknown) => {
        // The image went: what is counted is for the receipt, and wiping does not wait for it.
        log.warn("What a phone stored could not be counted", { phoneId: id, ...errorFields(error) });
        return NOTHING;
      });
  await engine.removeVolume(row.volume);
  const left = (await engine.inspect(containerName(id))) !== undefined || (await engine.hasVolume(row.volume));
  if (left) throw new PerchError("unavailable", "The phone's data could not be wiped completely. It is tried again.");
  return { phoneId: id, ...contents, verifiedAbsent: true, wipedAt: new Date(clock.now()).toISOString() };
}
