/** takeScreenshot and recordings. */
import type { Selector } from "../../../../shared/flows/model.ts";
import type { UiBounds } from "../../../../shared/ui-tree.ts";
import type { Handlers, StepContext } from "../context.ts";
import { RunStop, StepFailure } from "../failures.ts";
import { findElement } from "../lookup.ts";
import { cropPicture, readPicture, writePicture } from "../png.ts";
import { quoted } from "../words.ts";

const MOST_NAME = 120;
const SETTLE_MS = 1_000;

/** A file name out of a path a flow gives: it names a file of the run, never one of the machine. @throws StepFailure */
export function screenshotName(path: string): string {
  const parts = path.trim().replaceAll("\\", "/").split("/");
  const plain = parts.filter((part) => !["", ".", ".."].includes(part));
  if (plain.length === 0 || /\p{Cc}/u.test(path)) {
    throw new StepFailure("phone_cannot", `"${quoted(path, 60)}" is no name for a screenshot.`);
  }
  const name = plain
    .join("-")
    .replace(/\.png$/i, "")
    .slice(0, MOST_NAME);
  return `${name}.png`;
}

/** The element's part of the screen, once it stands still. */
async function boundsOf(step: StepContext, selector: Selector): Promise<UiBounds> {
  const { element } = await findElement(step, selector);
  return (await step.phone.target(element.ref, SETTLE_MS))?.bounds ?? element.bounds;
}

function cropped(png: Uint8Array, bounds: UiBounds): Uint8Array {
  const picture = readPicture(png);
  if (picture === undefined) throw new StepFailure("internal", "The phone gave no picture. Try the run again.");
  return writePicture(cropPicture(picture, bounds));
}

export const pictures: Handlers<"takeScreenshot" | "startRecording" | "stopRecording"> = {
  async takeScreenshot(step, { path, cropOn }) {
    if (step.screenshots >= step.limits.maxScreenshots) {
      throw new RunStop("limit", `A run takes at most ${step.limits.maxScreenshots} screenshots.`);
    }
    const name = screenshotName(step.hide(await step.expand(path)));
    const bounds = cropOn && (await boundsOf(step, cropOn));
    const { png } = await step.phone.screenshot();
    await step.saveScreenshot(name, bounds === undefined ? png : cropped(png, bounds), step.seq);
    return undefined;
  },
  async startRecording(step, { path }) {
    const { recordings } = step;
    if (!recordings.can) throw new StepFailure("phone_cannot", "This phone cannot be recorded. Use a web phone.");
    if (recordings.name !== undefined) {
      throw new StepFailure("phone_cannot", `${recordings.name} is being recorded already. Stop that first.`);
    }
    if (recordings.count >= step.limits.maxRecordings) {
      throw new RunStop("limit", `A run makes at most ${step.limits.maxRecordings} recordings.`);
    }
    const name = screenshotName(step.hide(await step.expand(path))).replace(/(\.(mp4|webm))?\.png$/i, "");
    recordings.start(name, step.seq);
    return undefined;
  },
  async stopRecording({ recordings }) {
    if (recordings.name === undefined) return "Nothing was being recorded.";
    recordings.stop();
    return undefined;
  },
};
