/** What pages of ours ask the worker about rules, and what a script in a web page may tell it. Answers are plain JSON. */
import * as z from "zod/mini";
import { type MessageSender, sendMessage } from "../platform/runtime.ts";
import type { FittingRule, OfferResult } from "../rules/by-hand.ts";
import { phoneId } from "../state/ids.ts";
import "../state/zod.ts";
import { listen } from "./listen.ts";
import { PROTOCOL_VERSION } from "./protocol.ts";
import type { SenderKind } from "./sender.ts";

const perch = z.literal(PROTOCOL_VERSION);

const askSchema = z.union([
  /** The only message of scripts in web pages: a page is there. Which one, the browser says. */
  z.strictObject({ perch, type: z.literal("page_ready") }),
  /** Rules or what was agreed to changed: read them anew. */
  z.strictObject({ perch, type: z.literal("rules_changed") }),
  z.strictObject({ perch, type: z.literal("rules_fit"), tabId: z.int() }),
  z.strictObject({
    perch,
    type: z.literal("offer_run"),
    offerId: z.string(),
    yes: z.exactOptional(z.enum(["once", "site"])),
    phoneId: z.exactOptional(phoneId),
  }),
  z.strictObject({ perch, type: z.literal("offer_dismiss"), offerId: z.string() }),
]);
export type Ask = Readonly<z.infer<typeof askSchema>>;
type AskType = Ask["type"];
type Body<T extends AskType> = Omit<Extract<Ask, { type: T }>, "perch" | "type">;

export interface Answers {
  readonly page_ready: undefined;
  readonly rules_changed: undefined;
  readonly rules_fit: readonly FittingRule[];
  readonly offer_run: OfferResult;
  readonly offer_dismiss: undefined;
}

const SENDERS: Readonly<Record<AskType, SenderKind>> = {
  page_ready: "content_script",
  rules_changed: "extension_page",
  rules_fit: "extension_page",
  offer_run: "extension_page",
  offer_dismiss: "extension_page",
};

/** Undefined when no worker answered, e.g. because it just died. */
export async function ask<T extends Exclude<AskType, "page_ready">>(
  type: T,
  body: Body<T>,
): Promise<Answers[T] | undefined> {
  // The worker's answers have these types: `answerAsks` takes no others.
  return (await sendMessage({ perch: PROTOCOL_VERSION, type, ...body })) as Answers[T] | undefined;
}

export type Answerers = {
  readonly [T in AskType]: (ask: Extract<Ask, { type: T }>, sender: MessageSender) => Promise<Answers[T]>;
};

/** Register synchronously when the worker starts. Messages of unknown shape or sender are left unanswered. */
export function answerAsks(answerers: Answerers): void {
  listen((raw, kind, sender) => {
    const asked = admitAsk(raw, kind);
    if (asked === undefined) return undefined;
    // One of the union goes to its own answerer.
    const answer = answerers[asked.type] as (one: Ask, from: MessageSender) => Promise<unknown>;
    return answer(asked, sender);
  });
}

export function admitAsk(raw: unknown, sender: SenderKind): Ask | undefined {
  const parsed = askSchema.safeParse(raw);
  return parsed.success && SENDERS[parsed.data.type] === sender ? parsed.data : undefined;
}
