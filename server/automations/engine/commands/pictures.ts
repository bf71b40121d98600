/** takeScreenshot; what needs pictures of earlier runs or moving ones is refused. */
import type { Handlers } from "../context.ts";
import { RunStop, StepFailure } from "../failures.ts";

const MOST_NAME = 120;

/** A file name out of a path a flow gives: it names a file of the run, never one of the machine. @throws StepFailure */
export function screenshotName(path: string): string {
  const parts = path.trim().replaceAll("\\", "/").split("/");
  const plain = parts.filter((part) => !["", ".", ".."].includes(part));
  if (plain.length === 0 || /\p{Cc}/u.test(path)) {
    throw new StepFailure("phone_cannot", `"${path.slice(0, 60)}" is no name for a screenshot.`);
  }
  const name = plain
    .join("-")
    .replace(/\.png$/i, "")
    .slice(0, MOST_NAME);
  return `${name}.png`;
}

export const pictures: Handlers<"takeScreenshot" | "assertScreenshot" | "startRecording" | "stopRecording"> = {
  async takeScreenshot(step, { path, cropOn }) {
    if (step.screenshots >= step.limits.maxScreenshots) {
      throw new RunStop("limit", `A run takes at most ${step.limits.maxScreenshots} screenshots.`);
    }
    const name = screenshotName(await step.expand(path));
    const { png } = await step.phone.screenshot();
    await step.saveScreenshot(name, png, step.seq);
    return cropOn === undefined ? undefined : "The picture shows the whole screen; cropping is not there yet.";
  },
  async assertScreenshot() {
    throw new StepFailure("phone_cannot", "Comparing screenshots is not there yet. Take one with takeScreenshot.");
  },
  async startRecording() {
    throw new StepFailure("phone_cannot", "Recording the screen is not there yet. Take pictures with takeScreenshot.");
  },
  async stopRecording() {
    throw new StepFailure("phone_cannot", "Recording the screen is not there yet.");
  },
};
