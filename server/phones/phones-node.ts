/** The node phones are on: what happens to a phone, happens on the one node that has it. */
import type { NodeId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { Membership } from "../nodes/membership.ts";
import type { PhoneRow } from "./phones.repo.ts";

export type PhonesNode = Pick<Membership, "id" | "alone" | "hasOthers" | "mayAct" | "isDraining" | "demandBoot">;

/** Whether this node has the phone; where there is no other, it has every one. */
export function isHere(node: Pick<PhonesNode, "id" | "alone">, row: Pick<PhoneRow, "nodeId">): boolean {
  return node.alone || row.nodeId === node.id;
}

/** For queries about phones of this node; undefined where there is no other. */
export function ownerOf(node: Pick<PhonesNode, "id" | "alone">): NodeId | undefined {
  return node.alone ? undefined : node.id;
}

export function isElsewhere(): PerchError {
  return new PerchError(
    "unavailable",
    "The machine that keeps this phone cannot be reached now. Nothing was changed. Try again in a moment.",
  );
}

export function isBeingDrained(): PerchError {
  return new PerchError(
    "unavailable",
    "The machine that keeps this phone is being taken out of service, so nothing starts there. Try again in a while.",
  );
}
