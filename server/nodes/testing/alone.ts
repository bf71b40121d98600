/** A node without others, for tests of parts that are given one. */

import { newId } from "../../../shared/ids.ts";
import type { AppOptions } from "../../app.ts";
import type { PhonesNode } from "../../phones/phones-node.ts";
import type { RunClaims } from "../run-claims.ts";

export const ALONE: PhonesNode = {
  ...{ id: newId("node"), alone: true },
  hasOthers: () => false,
  mayAct: () => true,
  isDraining: () => false,
  demandBoot: async () => {},
};

export const runsAlone = (holder: string): RunClaims => ({
  ...{ holder, alone: true },
  others: () => [],
  nodes: () => undefined,
  mayAct: () => true,
  mayBegin: () => true,
  isOver: async () => undefined,
});

/** For an app whose server is one process. */
export const ONE_NODE: Pick<AppOptions, "forwarding" | "peerRequests" | "onlyNodes"> = {
  forwarding: { call: (c, here) => here(c.req.raw), request: async () => undefined },
  peerRequests: { of: () => undefined },
  onlyNodes: false,
};
