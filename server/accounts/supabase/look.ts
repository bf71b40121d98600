/** Whether the Supabase project of the settings answers and takes both keys; nobody is signed in. */
import type { Clock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import { createGoTrue } from "./gotrue.ts";
import { createTransport } from "./transport.ts";

export type SupabaseLook = "well" | "away" | "SUPABASE_SERVICE_ROLE_KEY" | "SUPABASE_ANON_KEY";

/** Gives the name of the key that is refused, if one is. */
export async function lookAtSupabase(
  { url: project, serviceKey, anonKey, passesAddress }: NonNullable<Config["supabase"]>,
  clock: Clock,
): Promise<SupabaseLook> {
  const transport = createTransport(project);
  const url = `${project}/auth/v1`;
  try {
    // GoTrue's own health check (`github.com/supabase/auth`, internal/api/health.go).
    const { status } = await transport.fetch(`${url}/health`, { headers: { apikey: anonKey } });
    if (status >= 500) return "away";
    return (
      (await createGoTrue({ url, fetch: transport.fetch, clock, serviceKey, anonKey, passesAddress }).refusedKey()) ??
      "well"
    );
  } finally {
    transport.close();
  }
}
