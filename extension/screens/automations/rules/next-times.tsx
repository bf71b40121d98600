/** The next times of a schedule, so that nobody has to read cron. */

import { isTimeZone } from "../../../../shared/phone-model.ts";
import { nextCron, parseCron } from "../../../../shared/rules/cron.ts";
import { useNow } from "../../../components/use-now.ts";

const SHOWN = 3;

export function NextTimes({ cron, timeZone }: { readonly cron: string; readonly timeZone: string }) {
  const now = useNow(true);
  const parsed = parseCron(cron);
  if (!parsed.ok || !isTimeZone(timeZone)) return null;
  const times: number[] = [];
  for (let at: number | undefined = now; at !== undefined && times.length < SHOWN; ) {
    at = nextCron(parsed.value, timeZone, at);
    if (at !== undefined) times.push(at);
  }
  const format = new Intl.DateTimeFormat(undefined, {
    weekday: "short",
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZone,
  });
  return <p className="secondary tabular">Next: {times.map((at) => format.format(at)).join(" · ")}</p>;
}
