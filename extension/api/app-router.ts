/** The one thing the extension knows of the server: the type of its router. */
export type { StubRouter as AppRouter } from "../testing/stub.router.ts";
