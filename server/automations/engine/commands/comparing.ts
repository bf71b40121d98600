/** assertScreenshot: the screen, or one element of it, beside a picture of the workspace. */
import { baselinePath } from "../../../../shared/flows/files.ts";
import { baseName } from "../../../../shared/workspace-model.ts";
import type { CommandOf, Handlers, StepContext } from "../context.ts";
import { RunStop, StepFailure } from "../failures.ts";
import { findElement } from "../lookup.ts";
import type { PictureAnswer, PictureQuestion } from "../picture-answer.ts";
import { checkPicture } from "../picture-check.ts";
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
    const expected = step.files.has(baseline) ? step.files.bytes(baseline) : undefined;
    for (let time = 1; ; time += 1) {
      const question = { expected, threshold, ...(await look(step, command)) };
      const answer = await checkPicture(question, step.signal);
      if (answer.kind === "same") return undefined;
      const again = answer.kind === "sizes" || answer.kind === "different";
      if (!again || time === LOOKS) throw await failureOf(step, answer, baseline, threshold);
      await step.pace.sleep(BETWEEN_LOOKS_MS, step.signal);
    }
  },
};

/** Keeps the pictures a person needs to judge, and says what is wrong. */
async function failureOf(
  step: StepContext,
  answer: Exclude<PictureAnswer, { readonly kind: "same" }>,
  baseline: string,
  threshold: number,
): Promise<StepFailure> {
  if (answer.kind === "unreadable") {
    return answer.which === "actual"
      ? new StepFailure("internal", "The phone gave no picture. Try the run again.")
      : new StepFailure("assertion", `${baseline} is no PNG picture that can be compared. Replace it.`);
  }
  const name = screenshotName(baseName(baseline));
  await keep(step, name, answer.actual, { baseline });
  switch (answer.kind) {
    case "nothing_expected":
      return new StepFailure(
        "assertion",
        `There is no picture ${baseline} to compare with. The picture of now is kept: take it as the baseline, then run again.`,
      );
    case "sizes": {
      const [expected, actual] = answer.sizes;
      return new StepFailure(
        "assertion",
        `The picture is ${actual} pixels and ${baseline} is ${expected}: they cannot be compared.`,
      );
    }
    case "different":
      await keep(step, name.replace(/\.png$/, "-difference.png"), answer.difference, { difference: true });
      return new StepFailure(
        "assertion",
        `The picture is ${shown(answer.same)}% the same as ${baseline}, which is less than ${threshold}%.`,
      );
  }
}

/** Rounded down: it must not look as much as was asked for. */
function shown(percent: number): string {
  return (Math.floor(percent * 100) / 100).toString();
}

async function look(
  step: StepContext,
  { cropOn }: CommandOf<"assertScreenshot">,
): Promise<Pick<PictureQuestion, "actual" | "bounds">> {
  let bounds: PictureQuestion["bounds"];
  if (cropOn !== undefined) {
    const { element } = await findElement(step, cropOn);
    bounds = (await step.phone.target(element.ref, SETTLE_MS))?.bounds ?? element.bounds;
  }
  await step.phone.still(SETTLE_MS);
  return { actual: (await step.phone.screenshot()).png, bounds };
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
