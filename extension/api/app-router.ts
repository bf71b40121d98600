/** The one thing the extension knows of the server: the type of its router. */
export type { AppRouter } from "../../server/app.router.ts";
