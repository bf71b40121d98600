/**
 * When each piece of the phone's sound is played: a short buffer takes up what the network is early or late, and what comes
 * too late for the picture is left out, so that sound never falls behind.
 */

/** How far ahead of its playing the first piece after silence is put. */
const LEAD_S = 0.06;
/** Sound waiting longer than this is late: what comes next is left out. */
const MOST_WAITING_S = 0.15;

export interface SoundSchedule {
  /**
   * The time at which a piece of `durationS` begins, on the clock that shows `nowS`; undefined when it is left out.
   */
  place(durationS: number, nowS: number): number | undefined;
}

export function createSoundSchedule(): SoundSchedule {
  /** When all that was placed has been played. */
  let endS = Number.NEGATIVE_INFINITY;
  return {
    place(durationS, nowS) {
      if (!(durationS > 0)) return undefined;
      if (endS - nowS > MOST_WAITING_S) return undefined;
      // Silence lay between: the buffer fills again.
      if (endS < nowS) endS = nowS + LEAD_S;
      const startS = endS;
      endS += durationS;
      return startS;
    },
  };
}
