/** The time a page writes into its pixels: a row of black (1) and white (0) cells along the top, least bit first. */

/** The last cell makes the number of black ones odd, so that a blurred or empty strip is not read as a time. */
export const CODE_BITS = 24;
const RANGE_MS = 2 ** (CODE_BITS - 1);

/** Which cells are black for this time. */
export function codeCells(nowMs: number): readonly boolean[] {
  const written = Math.floor(nowMs) % RANGE_MS;
  const bits = Array.from({ length: CODE_BITS - 1 }, (_, index) => Math.floor(written / 2 ** index) % 2 === 1);
  return [...bits, bits.filter(Boolean).length % 2 === 0];
}

/**
 * Age of a picture in ms, from the grey values (0–255) at the middles of its cells; undefined when they are not a code.
 * @param nowMs Unix milliseconds on the clock of the page.
 */
export function codeAge(greys: readonly number[], nowMs: number): number | undefined {
  if (greys.length !== CODE_BITS || greys.some((grey) => grey > 80 && grey < 175)) return undefined;
  const bits = greys.map((grey) => grey < 128);
  if (bits.filter(Boolean).length % 2 !== 1) return undefined;
  const written = bits.slice(0, -1).reduce((sum, on, index) => sum + (on ? 2 ** index : 0), 0);
  return ((nowMs % RANGE_MS) - written + RANGE_MS) % RANGE_MS;
}
