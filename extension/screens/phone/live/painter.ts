/** Puts decoded pictures on a canvas with as few copies as its kind allows. */

/** Larger pictures are no phone's. */
const MOST_PIXELS_A_SIDE = 8192;

export interface Painter {
  image(bitmap: ImageBitmap): void;
  /** Draws and closes. */
  video(frame: VideoFrame): void;
  /** What is on the canvas, as a file. */
  snapshot(): Promise<Blob | undefined>;
}

/**
 * A canvas keeps the first kind of context it is asked for. Bitmaps are handed over, which costs nothing; frames of video
 * are drawn, which is one copy and, unlike making a bitmap of them first, over at once. Either context takes both.
 */
export function createPainter(canvas: HTMLCanvasElement): Painter {
  const drawing = () => canvas.getContext("2d", { alpha: false });
  const handing = () => canvas.getContext("bitmaprenderer");
  function resize(width: number, height: number): void {
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
  }
  function image(bitmap: ImageBitmap): void {
    resize(bitmap.width, bitmap.height);
    const bitmaps = handing();
    if (bitmaps === null) {
      drawing()?.drawImage(bitmap, 0, 0);
      bitmap.close();
    } else bitmaps.transferFromImageBitmap(bitmap);
  }
  return {
    image,
    video(frame) {
      const { displayWidth: width, displayHeight: height } = frame;
      if (width > MOST_PIXELS_A_SIDE || height > MOST_PIXELS_A_SIDE) return frame.close();
      const context = drawing();
      if (context !== null) {
        resize(width, height);
        context.drawImage(frame, 0, 0, width, height);
        return frame.close();
      }
      void createImageBitmap(frame)
        .then(image, () => {})
        .finally(() => frame.close());
    },
    // The picture is copied before this returns; only making the file takes time.
    snapshot: () => new Promise((resolve) => canvas.toBlob((blob) => resolve(blob ?? undefined), "image/jpeg", 0.85)),
  };
}
