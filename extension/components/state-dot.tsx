import type { ReactNode } from "react";
import type { Phone, PhoneState } from "../../shared/phone-model.ts";
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

type InState = Pick<Phone, "state" | "unreachableSince">;

/** The same for a phone, which may be out of the server's sight while it runs. */
export function phoneStateWord({ state, unreachableSince }: InState): string {
  return unreachableSince === undefined ? PHONE_STATE_WORDS[state] : "out of reach";
}

/** Shape and colour of a phone's state; the word goes beside it, because colour alone says nothing to some. */
export function StateDot({ state, unreachableSince }: InState) {
  return <span className={`state-dot state-dot-${unreachableSince ? "lost" : state}`} aria-hidden="true" />;
}

export interface BadgeProps {
  readonly children: ReactNode;
  readonly tone?: "neutral" | "accent" | "warn" | "bad";
}

export function Badge({ children, tone = "neutral" }: BadgeProps) {
  return <span className={`badge badge-${tone}`}>{children}</span>;
}
