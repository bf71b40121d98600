/** Finds the node that has a phone. */
import type { NodeId, PhoneId, RecordingId, RunId } from "../../shared/ids.ts";
import type { Membership } from "./membership.ts";
import type { NodesRepo, SeenNode } from "./nodes.repo.ts";
import { placeFor } from "./placement.ts";
import { nodeOfHolder } from "./run-claims.ts";

/** `gone`: its node does not live, and this one cannot go on with it. */
export type Where =
  | { readonly at: "here" }
  | { readonly at: "other"; readonly node: SeenNode }
  | { readonly at: "gone" };

export interface Whereabouts {
  ofPhone(id: PhoneId): Promise<Where>;
  ofRecording(id: RecordingId): Promise<Where>;
  /** Where the files of a run are: everywhere, when they are shared, else at the node that worked on it. */
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
  /** Of a run: its phone, and who worked on it last. */
  run: (id: RunId) => Promise<{ readonly phoneId: PhoneId | null; readonly holder: string | null } | undefined>;
  /** Every node reaches all files. */
  filesAreShared: boolean;
}): Whereabouts {
  const { membership, repo, region, takeOver } = options;

  async function ofPhone(id: PhoneId): Promise<Where> {
    if (membership.alone) return HERE;
    const owner = await repo.nodeOf(id);
    if (owner === undefined || owner === null || owner === membership.id) return HERE;
    const node = await living(owner);
    if (node !== undefined) return { at: "other", node };
    return (await takeOver(id)) ? HERE : { at: "gone" };
  }
  async function living(id: NodeId): Promise<SeenNode | undefined> {
    const known = membership.other(id);
    if (known !== undefined) return known;
    // It may have come since the last heartbeat.
    await membership.look();
    return membership.other(id);
  }
  const ofItsPhone = async (phone: PhoneId | undefined) => (phone === undefined ? HERE : ofPhone(phone));

  return {
    ofPhone,
    ofRecording: async (id) => (membership.alone ? HERE : ofItsPhone(await options.phoneOfRecording(id))),
    async ofRun(id) {
      if (membership.alone || options.filesAreShared) return HERE;
      const run = await options.run(id);
      const worker = nodeOfHolder(run?.holder);
      // Its phone may have moved since; the files have not.
      if (worker === undefined) return ofItsPhone(run?.phoneId ?? undefined);
      if (worker === membership.id) return HERE;
      const node = await living(worker);
      return node === undefined ? { at: "gone" } : { at: "other", node };
    },
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
