/** A call as the handlers of routes see it. */
import type { Params } from "./form.ts";
import type { View } from "./view.ts";

export interface Call {
  readonly view: View;
  readonly params: Params;
  /** A part of the address by its name in the route. */
  path(name: string): string;
  /** Where pages of the sandbox are: `http://127.0.0.1:8787/sandbox`. */
  readonly pages: string;
}

export type Handler = (call: Call) => Promise<object>;
/** `"POST /v1/customers/:id"` to what answers it. */
export type Routes = Readonly<Record<string, Handler>>;
