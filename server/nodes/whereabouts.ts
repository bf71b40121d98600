/** Finds the node that has a phone. */
import type { PhoneId, RecordingId, RunId } from "../../shared/ids.ts";
import type { Membership } from "./membership.ts";
import type { NodesRepo, SeenNode } from "./nodes.repo.ts";
import { placeFor } from "./placement.ts";

/** `gone`: its node does not live, and this one cannot go on with it. */
export type Where =
  | { readonly at: "here" }
  | { readonly at: "other"; readonly node: SeenNode }
  | { readonly at: "gone" };

export interface Whereabouts {
  ofPhone(id: PhoneId): Promise<Where>;
  ofRecording(id: RecordingId): Promise<Where>;
  ofRun(id: RunId): Promise<Where>;
  /** Those of these that other nodes have which live. */
  byNode(ids: readonly PhoneId[]): Promise<ReadonlyMap<SeenNode, readonly PhoneId[]>>;
  /** Where a new phone of this kind goes. */
  forNew(driver: string): Promise<Where>;
}

const HERE = { at: "here" } as const;

export function createWhereabouts(options: {
  membership: Membership;
  repo: NodesRepo;
  region: string;
  /** Goes on here with a phone whose node is gone; false where that cannot be. */
  takeOver: (id: PhoneId) => Promise<boolean>;
  phoneOfRecording: (id: RecordingId) => Promise<PhoneId | undefined>;
  phoneOfRun: (id: RunId) => Promise<PhoneId | undefined>;
}): Whereabouts {
  const { membership, repo, region, takeOver } = options;

  async function ofPhone(id: PhoneId): Promise<Where> {
    if (membership.alone) return HERE;
    const owner = await repo.nodeOf(id);
    if (owner === undefined || owner === null || owner === membership.id) return HERE;
    let node = membership.other(owner);
    if (node === undefined) {
      // It may have come since the last heartbeat.
      await membership.look();
      node = membership.other(owner);
    }
    if (node !== undefined) return { at: "other", node };
    return (await takeOver(id)) ? HERE : { at: "gone" };
  }
  const ofItsPhone = async (phone: PhoneId | undefined) => (phone === undefined ? HERE : ofPhone(phone));

  return {
    ofPhone,
    ofRecording: async (id) => (membership.alone ? HERE : ofItsPhone(await options.phoneOfRecording(id))),
    ofRun: async (id) => (membership.alone ? HERE : ofItsPhone(await options.phoneOfRun(id))),
    async byNode(ids) {
      const found = new Map<SeenNode, PhoneId[]>();
      if (!membership.hasOthers() || ids.length === 0) return found;
      for (const { id, nodeId } of await repo.nodesOf(ids)) {
        const node = nodeId === null ? undefined : membership.other(nodeId);
        if (node !== undefined) found.set(node, [...(found.get(node) ?? []), id]);
      }
      return found;
    },
    async forNew(driver) {
      if (membership.alone || driver !== "web") return HERE;
      await membership.look();
      const place = placeFor(membership.nodes(), { region, here: membership.id });
      // Without room anywhere, this node says so.
      return place === undefined || place.id === membership.id ? HERE : { at: "other", node: place };
    },
  };
}
