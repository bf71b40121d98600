import type { ReactNode } from "react";
import type { PhoneState } from "../../shared/phone-model.ts";
import "./state-dot.css";

/** The one word a person reads for each state of a phone. */
export const PHONE_STATE_WORDS: Readonly<Record<PhoneState, string>> = {
  creating: "getting ready",
  starting: "starting",
  running: "running",
  parking: "parking",
  parked: "parked",
  failed: "stopped",
  removed: "removed",
};

/** Shape and colour of a phone's state; the word goes beside it, because colour alone says nothing to some. */
export function StateDot({ state }: { readonly state: PhoneState }) {
  return <span className={`state-dot state-dot-${state}`} aria-hidden="true" />;
}

export interface BadgeProps {
  readonly children: ReactNode;
  readonly tone?: "neutral" | "accent" | "warn" | "bad";
}

export function Badge({ children, tone = "neutral" }: BadgeProps) {
  return <span className={`badge badge-${tone}`}>{children}</span>;
}
