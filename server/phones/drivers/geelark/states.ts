/**
 * The partner's states of a phone (GeeLark OpenAPI, "Query status": 0 started, 1 starting, 2 shut down, 3 expired). Values it
 * may add are `unknown`, never a failure.
 */
import type { PhoneState } from "../../../../shared/phones.ts";
import type { DriverState } from "../../driver.ts";

export type VendorState = "started" | "starting" | "stopped" | "expired" | "gone" | "unknown";

const STATES: readonly VendorState[] = ["started", "starting", "stopped", "expired"];

export function vendorState(status: unknown): VendorState {
  return (typeof status === "number" ? STATES[status] : undefined) ?? "unknown";
}

/** A phone whose term is over keeps what is on it, as far as the partner says. */
const AS_OURS = {
  started: "running",
  starting: "running",
  stopped: "parked",
  expired: "parked",
  gone: "absent",
  unknown: "unknown",
} as const satisfies Record<VendorState, DriverState>;

export function driverState(state: VendorState): DriverState {
  return AS_OURS[state];
}

/** It costs the operator money now. */
export function isOn(state: VendorState): boolean {
  return AS_OURS[state] === "running";
}

/** What to do about a phone whose row and whose partner say different things. */
export type Remedy = "stop" | "stopped" | "ended" | "none";

/** `row`: its state here; undefined: there is no such phone here. */
export function remedyFor(row: PhoneState | undefined, there: VendorState): Remedy {
  if (there === "unknown") return "none";
  if (row === "running") return isOn(there) ? "none" : there === "stopped" ? "stopped" : "ended";
  if (row === "starting" || row === "creating" || row === "parking") return "none";
  return isOn(there) ? "stop" : "none";
}
