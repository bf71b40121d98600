import { useEffect, useState } from "react";

/** The current Unix time in ms, anew every second while `ticking`; aligned to whole seconds so that clocks tick together. */
export function useNow(ticking: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!ticking) return;
    let timer: ReturnType<typeof setTimeout>;
    const tick = () => {
      setNow(Date.now());
      timer = setTimeout(tick, 1_000 - (Date.now() % 1_000));
    };
    tick();
    return () => clearTimeout(timer);
  }, [ticking]);
  return now;
}
