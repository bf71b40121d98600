/** The one door messages come through: who sent one is told before anything in it is read. */
import { type MessageSender, onMessage, ownExtensionId, ownOrigin } from "../platform/runtime.ts";
import { classifySender, type SenderKind } from "./sender.ts";

/**
 * `undefined` leaves the answer to others. Other extensions and senders nobody knows are not heard at all. Register
 * synchronously when the worker starts. Returns how to stop.
 */
export function listen(
  listener: (message: unknown, kind: SenderKind, sender: MessageSender) => Promise<unknown> | undefined,
): () => void {
  return onMessage((message, sender) => {
    const kind = classifySender(sender, { id: ownExtensionId(), origin: ownOrigin() });
    return kind === "extension_page" || kind === "content_script" ? listener(message, kind, sender) : undefined;
  });
}
