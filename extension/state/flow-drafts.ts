/**
 * Automations being written and not saved. Kept in this browser until they are saved, discarded or the person signs out:
 * closing the panel or the browser, or a session that ended, loses nothing. Each belongs to one server and one person.
 */
import * as z from "zod/mini";
import type { FlowId } from "../../shared/id-values.ts";
import { flowId } from "./automation-ids.ts";
import { announcer, indexedStore } from "./indexed-db.ts";
import "./zod.ts";

const draftSchema = z.object({
  name: z.string(),
  source: z.string(),
  /** `updatedAt` of the saved automation this began from; absent for a new one. */
  base: z.exactOptional(z.string()),
  /** Id of the team it was written in; absent before teams were told apart. */
  team: z.exactOptional(z.string()),
});
export type FlowDraft = Readonly<z.infer<typeof draftSchema>>;

/** By flow id; a new automation has a key of its own that begins with `new-`. */
export type FlowDrafts = Readonly<Record<string, FlowDraft>>;

export interface DraftStore {
  all(server: string): Promise<FlowDrafts>;
  /** Undefined takes it out. Rejects when the browser has no room. */
  put(server: string, key: string, draft: FlowDraft | undefined): Promise<void>;
  clear(server: string): Promise<void>;
  /** Says who signs in: what someone else left there is removed. */
  claim(server: string, person: string): Promise<void>;
  /** Calls back on every change, from any part of the extension; returns how to stop. */
  watch(onChange: () => void): () => void;
}

/** Beside the drafts of a server: whose they are. No flow has this key. */
const OWNER = "owner";
const ownerSchema = z.object({ person: z.string() });

export function indexedDbDrafts(): DraftStore {
  const store = indexedStore({ database: "perch.drafts", store: "drafts", keyPath: ["server", "key"] });
  const { announce, watch } = announcer("perch.drafts");
  const ofServer = (server: string) => IDBKeyRange.bound([server, ""], [server, "\uffff"]);
  const clear = async (server: string) => {
    await store.run("readwrite", (drafts) => drafts.delete(ofServer(server)));
    announce();
  };
  return {
    async all(server) {
      const rows = await store.run<unknown[]>("readonly", (drafts) => drafts.getAll(ofServer(server)));
      return draftsOf(rows);
    },
    async put(server, key, draft) {
      if (draft === undefined) await store.run("readwrite", (drafts) => drafts.delete([server, key]));
      else await store.run("readwrite", (drafts) => drafts.put({ server, key, ...draft }));
      announce();
    },
    clear,
    async claim(server, person) {
      const row = await store.run<unknown>("readonly", (drafts) => drafts.get([server, OWNER]));
      const owner = ownerSchema.safeParse(row);
      if (owner.success && owner.data.person === person) return;
      if (owner.success) await clear(server);
      await store.run("readwrite", (drafts) => drafts.put({ server, key: OWNER, person }));
    },
    watch,
  };
}

/** What can be read of stored rows. */
export function draftsOf(rows: readonly unknown[]): FlowDrafts {
  const keyed = z.object({ key: z.string() });
  return Object.fromEntries(
    rows.flatMap((row) => {
      const key = keyed.safeParse(row);
      const draft = draftSchema.safeParse(row);
      return key.success && draft.success ? [[key.data.key, draft.data]] : [];
    }),
  );
}

export function newDraftKey(): string {
  return `new-${crypto.randomUUID()}`;
}
/** The saved automation a key stands for; undefined for a new one. */
export function flowIdOf(key: string): FlowId | undefined {
  const parsed = flowId.safeParse(key);
  return parsed.success ? parsed.data : undefined;
}

/** Those that were written in a team, as far as that is known. */
export function draftsIn(team: string | undefined, drafts: FlowDrafts): FlowDrafts {
  return Object.fromEntries(
    Object.entries(drafts).filter(([, draft]) => team === undefined || draft.team === undefined || draft.team === team),
  );
}

/** The drafts with one put in, or taken out when it is undefined. */
export function withDraft(drafts: FlowDrafts, key: string, draft: FlowDraft | undefined): FlowDrafts {
  const { [key]: _, ...others } = drafts;
  return draft === undefined ? others : { ...others, [key]: draft };
}
