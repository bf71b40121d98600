/** Every message one part of the extension may send another. Nothing secret travels here, and nothing waits for an answer. */
import * as z from "zod/mini";
import { sendMessage } from "../platform/runtime.ts";
import "../state/zod.ts";
import { listen } from "./listen.ts";
import type { SenderKind } from "./sender.ts";

export const PROTOCOL_VERSION = 1;

const messageSchema = z.union([
  /** Phones changed: the worker refreshes the badge. */
  z.strictObject({ perch: z.literal(PROTOCOL_VERSION), type: z.literal("phones_changed"), running: z.int() }),
  /** The worker asks panels that are open to close; see `platform/panel.ts`. */
  z.strictObject({
    perch: z.literal(PROTOCOL_VERSION),
    type: z.literal("close_panel"),
    windowId: z.exactOptional(z.number()),
  }),
]);
export type Message = Readonly<z.infer<typeof messageSchema>>;
export type MessageType = Message["type"];
type Body<T extends MessageType> = Omit<Extract<Message, { type: T }>, "perch" | "type">;

/** Who may send what. Content scripts may send nothing yet. */
const SENDERS: Readonly<Record<MessageType, readonly SenderKind[]>> = {
  phones_changed: ["extension_page"],
  close_panel: ["extension_page"],
};

export async function tell<T extends MessageType>(type: T, body: Body<T>): Promise<void> {
  await sendMessage({ perch: PROTOCOL_VERSION, type, ...body });
}

export type Handlers = { readonly [T in MessageType]?: (message: Extract<Message, { type: T }>) => void };

/** Register synchronously when the worker starts. Messages of unknown shape or sender are dropped. Returns how to stop. */
export function handleMessages(handlers: Handlers): () => void {
  return listen((raw, kind) => {
    const message = admit(raw, kind);
    if (message?.type === "phones_changed") handlers.phones_changed?.(message);
    if (message?.type === "close_panel") handlers.close_panel?.(message);
    return undefined;
  });
}

/** The message, if it is one and its sender may send it. */
export function admit(raw: unknown, sender: SenderKind): Message | undefined {
  if (sender !== "extension_page" && sender !== "content_script") return undefined;
  const parsed = messageSchema.safeParse(raw);
  return parsed.success && SENDERS[parsed.data.type].includes(sender) ? parsed.data : undefined;
}
