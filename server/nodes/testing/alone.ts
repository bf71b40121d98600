/** A node without others, for tests of parts that are given one. */
import { newId } from "../../../shared/ids.ts";
import type { PhonesNode } from "../../phones/phones-node.ts";

export const ALONE: PhonesNode = {
  ...{ id: newId("node"), alone: true },
  hasOthers: () => false,
  mayAct: () => true,
  isDraining: () => false,
  demandBoot: async () => {},
};
