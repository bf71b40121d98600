/** What a person does on a hosted page, done by the same handlers as the API's calls. */
import { PerchError } from "../../errors.ts";
import { type Alone, NOBODY } from "./alone.ts";
import type { Routes } from "./calls.ts";
import { SandboxError } from "./errors.ts";
import type { Params } from "./form.ts";
import type { View } from "./view.ts";

export interface Acts {
  /** Reads. */
  look<T>(work: (view: View) => Promise<T>): Promise<T>;
  /** Changes; a refusal becomes a sentence. */
  act<T>(work: (view: View) => Promise<T>): Promise<T>;
  /** Runs a route of the API: `"POST /v1/subscriptions/:id"`. */
  call(route: string, path: Readonly<Record<string, string>>, params?: Params): Promise<object>;
}

export function createActs({ alone, routes, pages }: { alone: Alone; routes: Routes; pages: string }): Acts {
  /** On a fork, so that a refusal leaves nothing but what it keeps. */
  async function act<T>(work: (view: View) => Promise<T>): Promise<T> {
    const outcome = await alone(NOBODY, async (view) => {
      const fork = view.fork();
      try {
        const made = await work(fork);
        view.adopt(fork);
        return { made };
      } catch (error) {
        if (!(error instanceof SandboxError)) throw error;
        if (error.effect === "kept") view.adopt(fork);
        return { refused: error };
      }
    });
    if (outcome.refused === undefined) return outcome.made;
    const { status, message } = outcome.refused;
    throw new PerchError(status === 404 ? "not_found" : "conflict", message, { cause: outcome.refused });
  }
  return {
    act,
    look: (work) => act((view) => work(view.fork())),
    call(route, path, params = {}) {
      const handler = routes[route];
      if (handler === undefined) throw new Error(`The billing sandbox has no route ${route}.`);
      return act((view) => handler({ view, params, pages, path: (name) => path[name] ?? "" }));
    },
  };
}
