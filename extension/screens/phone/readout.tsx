/** A quiet line of numbers about the picture: rate, age, round trip, who watches. */
import { useEffect, useState } from "react";

export interface ScreenStats {
  /** Pictures drawn in the last second. */
  readonly fps: number;
  /** From the phone's screen to this one, in ms. */
  readonly ageMs: number | undefined;
  readonly roundTripMs: number | undefined;
}

export interface ReadoutProps {
  readonly read: () => ScreenStats | undefined;
  readonly viewers: number;
  readonly level: number | undefined;
}

export function Readout({ read, viewers, level }: ReadoutProps) {
  const [stats, setStats] = useState<ScreenStats>();
  useEffect(() => {
    setStats(read());
    const timer = setInterval(() => setStats(read()), 500);
    return () => clearInterval(timer);
  }, [read]);
  return (
    <p className="readout secondary tabular">
      <span>{stats === undefined ? "–" : Math.round(stats.fps)} fps</span>
      <span>age {milliseconds(stats?.ageMs)}</span>
      <span>round trip {milliseconds(stats?.roundTripMs)}</span>
      {level !== undefined && <span>level {level}</span>}
      <span>{viewers === 1 ? "1 viewer" : `${viewers} viewers`}</span>
    </p>
  );
}

function milliseconds(value: number | undefined): string {
  return value === undefined ? "–" : `${Math.round(value)} ms`;
}
