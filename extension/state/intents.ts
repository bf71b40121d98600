/**
 * What a person asked for in one part of the extension and another part does: the panel does what the popup, a context
 * menu, a key or the address bar asked. Kept in `storage.session`, so a killed worker loses nothing and a closed browser
 * forgets. An intent's `requestId` is also the idempotency key of the call it leads to: asked twice, done once.
 */
import * as z from "zod/mini";
import { deviceProfileId, phoneId } from "./ids.ts";
import { type Stored, stored } from "./stored.ts";
import "./zod.ts";

/** Without `phoneId` the target is `defaultPhone`; when there is no phone yet, one is launched. */
const wishSchema = z.union([
  z.object({ type: z.literal("show"), phoneId }),
  z.object({ type: z.literal("open"), url: z.string(), phoneId: z.exactOptional(phoneId) }),
  z.object({ type: z.literal("launch"), profile: z.exactOptional(deviceProfileId), url: z.exactOptional(z.string()) }),
  z.object({ type: z.literal("install"), url: z.string(), phoneId: z.exactOptional(phoneId) }),
  z.object({ type: z.literal("clipboard"), text: z.string(), phoneId: z.exactOptional(phoneId) }),
  /** Shows Automations where `automations-place.ts` says. */
  z.object({ type: z.literal("automations") }),
]);
export type Wish = Readonly<z.infer<typeof wishSchema>>;

const intentSchema = z.object({ requestId: z.string(), askedAtMs: z.number(), wish: wishSchema });
export type Intent = Readonly<z.infer<typeof intentSchema>>;

const mailboxSchema = z.object({
  pending: z.readonly(z.array(intentSchema)),
  /** Lately taken ones, to recognise a second click. */
  taken: z.readonly(z.array(intentSchema)),
});
type Mailbox = Readonly<z.infer<typeof mailboxSchema>>;

/** An intent nobody took in this time is no longer what the person wants. */
export const INTENT_LIFETIME_MS = 2 * 60_000;
/** The same wish again within this time is the same click. */
export const DOUBLE_CLICK_MS = 1_500;

export interface Intents {
  /** Leaves a wish for the panel; a repeated click gives the first one's intent. */
  put(wish: Wish): Promise<Intent>;
  /** Hands out each intent once, oldest first. */
  take(): Promise<readonly Intent[]>;
  /** Calls back when something waits; returns how to stop. */
  watch(onPending: () => void): () => void;
}

export function intentStore(now: () => number = Date.now): Intents {
  const mailbox: Stored<Mailbox> = stored<Mailbox>({
    area: "session",
    key: "intents",
    version: 1,
    schema: mailboxSchema,
    initial: { pending: [], taken: [] },
  });
  const alive = (intent: Intent) => now() - intent.askedAtMs < INTENT_LIFETIME_MS;
  return {
    async put(wish) {
      const fresh: Intent = { requestId: crypto.randomUUID(), askedAtMs: now(), wish };
      let result = fresh;
      await mailbox.update((box) => {
        const same = [...box.pending, ...box.taken].find(
          (other) => now() - other.askedAtMs < DOUBLE_CLICK_MS && sameWish(other.wish, wish),
        );
        if (same !== undefined) {
          result = same;
          return box;
        }
        return { ...box, pending: [...box.pending.filter(alive), fresh] };
      });
      return result;
    },
    async take() {
      let due: readonly Intent[] = [];
      // Looking first keeps a panel that is merely open from writing.
      if ((await mailbox.get()).pending.length === 0) return due;
      await mailbox.update((box) => {
        due = box.pending.filter(alive);
        const taken = [...box.taken, ...due].filter((intent) => now() - intent.askedAtMs < DOUBLE_CLICK_MS);
        return { pending: [], taken };
      });
      return due;
    },
    watch: (onPending) =>
      mailbox.watch((box) => {
        if (box.pending.length > 0) onPending();
      }),
  };
}

/** Wishes are flat objects of strings, written by one schema: equal content, equal JSON once the keys are in order. */
function sameWish(a: Wish, b: Wish): boolean {
  const canonical = (wish: Wish) => JSON.stringify(Object.entries(wish).sort(([x], [y]) => x.localeCompare(y)));
  return canonical(a) === canonical(b);
}
