/** This computer's clipboard. All calls need a page with focus, most also a gesture. */
import { failure, type Result, success } from "./result.ts";

export type ClipboardProblem = "unsupported" | "refused";

export async function copyText(text: string): Promise<Result<undefined, ClipboardProblem>> {
  try {
    await navigator.clipboard.writeText(text);
    return success(undefined);
  } catch (cause) {
    return failure("refused", cause);
  }
}

/** `png` is a PNG image. */
export async function copyImage(png: Blob): Promise<Result<undefined, ClipboardProblem>> {
  if (typeof ClipboardItem === "undefined") return failure("unsupported");
  try {
    await navigator.clipboard.write([new ClipboardItem({ "image/png": png })]);
    return success(undefined);
  } catch (cause) {
    return failure("refused", cause);
  }
}

/** Firefox shows its own Paste button first; Chrome asks once. */
export async function readText(): Promise<Result<string, ClipboardProblem>> {
  try {
    return success(await navigator.clipboard.readText());
  } catch (cause) {
    return failure("refused", cause);
  }
}
