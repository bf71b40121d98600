/** Puts sign-in through a Supabase project together. */
import type { Clock, Monotonic } from "../../clock.ts";
import { systemMonotonic } from "../../clock.ts";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import type { Jobs } from "../../jobs/jobs.service.ts";
import type { Log } from "../../log.ts";
import type { AccountsRepo } from "../accounts.repo.ts";
import type { IdentityProvider } from "../identity-provider.ts";
import type { OneTimeTokensRepo } from "../one-time-tokens.repo.ts";
import type { Passwords } from "../passwords.ts";
import { createGoTrue, type GoTrue } from "./gotrue.ts";
import { createSigningKeys } from "./signing-keys.ts";
import { createSupabaseIdentity } from "./supabase.ts";
import { createTransport } from "./transport.ts";

export interface SupabaseParts {
  readonly identity: IdentityProvider;
  readonly gotrue: GoTrue;
  close(): void;
}

export function createSupabaseParts(options: {
  project: NonNullable<Config["supabase"]>;
  db: Database;
  repo: AccountsRepo;
  tokens: OneTimeTokensRepo;
  passwords: Passwords;
  jobs: Pick<Jobs, "enqueue">;
  clock: Clock;
  log: Log;
  publicUrl: URL;
  factorsKey: Buffer;
  monotonic?: Monotonic;
  wrongAnswerMs?: number;
}): SupabaseParts {
  const { project, clock, log, monotonic = systemMonotonic } = options;
  const { fetch, close } = createTransport(project.url);
  const url = `${project.url}/auth/v1`;
  const { serviceKey, anonKey, passesAddress } = project;
  const gotrue = createGoTrue({ url, fetch, clock, serviceKey, anonKey, passesAddress });
  const keys = createSigningKeys({ issuer: url, apiKey: anonKey, fetch, clock, log });
  return { identity: createSupabaseIdentity({ ...options, gotrue, keys, monotonic }), gotrue, close };
}
