/** assertScreenshot: the screen, or one element of it, beside a picture of the workspace. */
import { baselinePath } from "../../../../shared/flows/files.ts";
import { baseName } from "../../../../shared/workspace-model.ts";
import type { CommandOf, Handlers, StepContext } from "../context.ts";
import { RunStop, StepFailure } from "../failures.ts";
import { findElement } from "../lookup.ts";
import { comparePictures, cropPicture, type Picture, readPicture, writePicture } from "../png.ts";
import { fileNamed } from "../words.ts";
import { screenshotName } from "./pictures.ts";

const SETTLE_MS = 1_000;
/** A screen that is still being drawn gets another look. */
const LOOKS = 3;
const BETWEEN_LOOKS_MS = 500;

export const comparing: Handlers<"assertScreenshot"> = {
  async assertScreenshot(step, command) {
    const baseline = fileNamed(step.file, baselinePath(await step.expand(command.path)));
    const threshold = percentage(await step.expand(command.thresholdPercentage));
    const name = screenshotName(baseName(baseline));
    if (!step.files.has(baseline)) {
      await keep(step, name, writePicture(await look(step, command)), { baseline });
      throw new StepFailure(
        "assertion",
        `There is no picture ${baseline} to compare with. The picture of now is kept: take it as the baseline, then run again.`,
      );
    }
    const expected = readPicture(step.files.bytes(baseline));
    if (expected === undefined) {
      throw new StepFailure("assertion", `${baseline} is no PNG picture that can be compared. Replace it.`);
    }
    for (let time = 1; ; time += 1) {
      const actual = await look(step, command);
      const different = differenceOf(expected, actual, threshold, baseline);
      if (different === undefined) return undefined;
      if (time < LOOKS) await step.pace.sleep(BETWEEN_LOOKS_MS, step.signal);
      else {
        await keep(step, name, writePicture(actual), { baseline });
        if (different.picture !== undefined) {
          const shown = writePicture(different.picture);
          await keep(step, name.replace(/\.png$/, "-difference.png"), shown, { difference: true });
        }
        throw new StepFailure("assertion", different.words);
      }
    }
  },
};

function differenceOf(
  expected: Picture,
  actual: Picture,
  threshold: number,
  baseline: string,
): { readonly words: string; readonly picture?: Picture } | undefined {
  const sizes = [expected, actual].map(({ width, height }) => `${width} × ${height}`);
  if (sizes[0] !== sizes[1]) {
    return { words: `The picture is ${sizes[1]} pixels and ${baseline} is ${sizes[0]}: they cannot be compared.` };
  }
  const { samePercentage, difference } = comparePictures(expected, actual);
  if (samePercentage >= threshold) return undefined;
  const words = `The picture is ${shown(samePercentage)} % the same as ${baseline}, which is less than ${threshold} %.`;
  return { words, picture: difference };
}

/** Rounded down: it must not look as much as was asked for. */
function shown(percent: number): string {
  return (Math.floor(percent * 100) / 100).toString();
}

async function look(step: StepContext, { cropOn }: CommandOf<"assertScreenshot">): Promise<Picture> {
  let bounds: Parameters<typeof cropPicture>[1] | undefined;
  if (cropOn !== undefined) {
    const { element } = await findElement(step, cropOn);
    bounds = (await step.phone.target(element.ref, SETTLE_MS))?.bounds ?? element.bounds;
  }
  await step.phone.still(SETTLE_MS);
  const picture = readPicture((await step.phone.screenshot()).png);
  if (picture === undefined) throw new StepFailure("internal", "The phone gave no picture. Try the run again.");
  return bounds === undefined ? picture : cropPicture(picture, bounds);
}

async function keep(
  step: StepContext,
  name: string,
  png: Uint8Array,
  use: Parameters<StepContext["saveScreenshot"]>[3],
): Promise<void> {
  if (step.screenshots >= step.limits.maxScreenshots) {
    throw new RunStop("limit", `A run takes at most ${step.limits.maxScreenshots} screenshots.`);
  }
  await step.saveScreenshot(name, png, step.seq, use);
}

function percentage(text: string): number {
  const value = Number(text.trim() || "x");
  if (value >= 0 && value <= 100) return value;
  throw new StepFailure("phone_cannot", `thresholdPercentage is a number from 0 to 100, not "${text.slice(0, 40)}".`);
}
