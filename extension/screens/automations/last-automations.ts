/** What the Automations screen's lists showed last; kept by the panel, which outlives the screen. */
import { useRef } from "react";
import type { FlowSummary, RunSummary } from "../../../shared/automation-model.ts";
import type { LastRead } from "../panel/use-remote.ts";

export interface LastAutomations {
  readonly flows: LastRead<readonly FlowSummary[]>;
  readonly runs: LastRead<readonly RunSummary[]>;
}

export function useLastAutomations(): LastAutomations {
  return { flows: useRef(undefined), runs: useRef(undefined) };
}
