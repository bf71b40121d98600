/** Bundles the server into `dist/server`: one file starts several times faster than the sources do. */
import { rmSync } from "node:fs";
import { bundleServer, THREADS } from "./server-bundle.ts";

rmSync("dist/server", { recursive: true, force: true });
await bundleServer("dist/server", { main: "server/main.ts", admin: "server/admin/main.ts", ...THREADS });
