import type { PrivacyClock } from "./privacy-clock.ts";

/** In few words: `Deletion in 5 d`, `Copy ready, 6 d left`, `Policy v2 from 7 Dec`. */
export function clockWords({ kind, at, version }: PrivacyClock, nowMs: number): string {
  switch (kind) {
    case "purging":
      return "Your account is being deleted";
    case "incident":
      return "Something happened to your data";
    case "deletion":
      return Date.parse(at) <= nowMs ? "Deletion starts now" : `Deletion in ${timeLeftWords(at, nowMs)}`;
    case "export":
      return `Your copy is ready, ${timeLeftWords(at, nowMs)} left`;
    case "policy":
      return `Policy v${version} from ${dayOf(at)}`;
    case "inactivity":
      return "Your account stays, since you are here";
  }
}

/** `5 d`, and in the last two days `31 h`, in the last hour `12 min`. Never more than there is. */
export function timeLeftWords(at: string, nowMs: number): string {
  const minutes = Math.max(0, Math.floor((Date.parse(at) - nowMs) / 60_000));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} d`;
}

function dayOf(at: string): string {
  return new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" });
}
