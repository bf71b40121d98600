/**
 * Import for its effect wherever a schema is read: zod without generated code. The extension's content security policy
 * forbids `new Function`, and even a probe for it is reported. Schemas here are `zod/mini`: small enough for the popup.
 */
import { config } from "zod/mini";

config({ jitless: true });
