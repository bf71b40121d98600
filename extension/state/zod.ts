/** zod without generated code: the extension's content security policy forbids `new Function`, and even a probe for it is reported. */
import { z } from "zod";

z.config({ jitless: true });

export { z };
