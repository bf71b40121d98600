/** Refuses a data map that the privacy policy does not cover, and bundles the server into `dist/server`: one file starts several times faster than the sources do. */
import { rmSync } from "node:fs";
import { demandPolicy } from "./policy-lock.ts";
import { bundleServer, THREADS } from "./server-bundle.ts";

demandPolicy();
rmSync("dist/server", { recursive: true, force: true });
await bundleServer("dist/server", { main: "server/main.ts", admin: "server/admin/main.ts", ...THREADS });
