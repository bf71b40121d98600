/** What a person sees of a phone in the panel: its size, its colours. */
import type { Page } from "playwright-core";
import { until } from "./until.ts";

export type Colour = readonly [number, number, number];
const NEAR = 14;

/** Red, green and blue at fractions of the live picture; undefined before the first frame. */
export async function pixel(panel: Page, x: number, y: number): Promise<Colour | undefined> {
  return panel.evaluate(
    async ([fx, fy]) => {
      const canvas = document.querySelector<HTMLCanvasElement>(".picture canvas");
      if (canvas === null || canvas.width === 0) return undefined;
      const bitmap = await createImageBitmap(canvas);
      const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
      context?.drawImage(bitmap, 0, 0);
      const { data } =
        context?.getImageData(Math.floor(fx * (bitmap.width - 1)), Math.floor(fy * (bitmap.height - 1)), 1, 1) ?? {};
      return data === undefined ? undefined : ([data[0] ?? 0, data[1] ?? 0, data[2] ?? 0] as const);
    },
    [x, y] as const,
  );
}

export function near(a: Colour, b: Colour): boolean {
  return a.every((value, index) => Math.abs(value - (b[index] ?? 0)) <= NEAR);
}

/** Waits until the live picture shows `colour` at a place; the left edge shows a fixture page's background. */
export async function showsColour(
  panel: Page,
  colour: Colour,
  { x = 0.02, y = 0.5, timeout = 20_000 }: { x?: number; y?: number; timeout?: number } = {},
): Promise<void> {
  let last: Colour | undefined;
  await until(
    `the picture to show ${colour.join(",")}`,
    async () => {
      last = await pixel(panel, x, y);
      return last !== undefined && near(last, colour);
    },
    { timeout },
  ).catch(async (error: unknown) => {
    const [said = ""] = await panel.locator("body").allInnerTexts();
    throw new Error(`It shows ${last?.join(",") ?? "nothing"}; the panel says: ${said.replaceAll("\n", " | ")}`, {
      cause: error,
    });
  });
}

/** Taps the phone at fractions of its picture, with a real mouse over the real picture. */
export async function tap(panel: Page, x: number, y: number): Promise<void> {
  const box = await box4(panel);
  await panel.mouse.click(box.x + x * box.width, box.y + y * box.height);
}

/** Turns the wheel over the middle of the picture; positive moves the content up. */
export async function wheel(panel: Page, dy: number): Promise<void> {
  const box = await box4(panel);
  await panel.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  await panel.mouse.wheel(0, dy);
}

async function box4(panel: Page) {
  const box = await panel.locator(".picture").boundingBox();
  if (box === null) throw new Error("There is no picture.");
  return box;
}

/** Size of the live picture in pixels. */
export async function pictureSize(
  panel: Page,
): Promise<{ readonly width: number; readonly height: number } | undefined> {
  return panel.evaluate(() => {
    const canvas = document.querySelector<HTMLCanvasElement>(".picture canvas");
    return canvas === null ? undefined : { width: canvas.width, height: canvas.height };
  });
}
