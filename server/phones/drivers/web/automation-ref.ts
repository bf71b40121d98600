/** How an element is named to whoever asked for it: the way to it, frame by frame. */

/** One step: an element's number in a document; `frameId` is the frame the step before it holds. */
export interface Ref {
  readonly frameId: string;
  readonly token: string;
  readonly number: number;
}

const STEP = /^(?:([0-9A-Fa-f]{1,64}):)?([0-9a-f]{16})\.(\d{1,9})$/;

/** Steps from the page's own document inwards; undefined for what was never a ref. */
export function parseRef(text: string): readonly Ref[] | undefined {
  const steps: Ref[] = [];
  for (const part of text.split(">")) {
    const match = STEP.exec(part);
    const [, frameId = "", token = "", number = ""] = match ?? [];
    if (match === null || (frameId === "") !== (steps.length === 0)) return undefined;
    steps.push({ frameId, token, number: Number(number) });
  }
  return steps;
}
