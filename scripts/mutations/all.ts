/** One-line breaks of controls, each with the test that must go red: the proof that the proofs prove something. */
import { MEMBERS, TEAM } from "./access.ts";
import { ACCOUNTS, FACTORS, SESSIONS } from "./accounts.ts";
import { DOORS } from "./doors.ts";
import { ERASURE } from "./erasure.ts";
import { MACHINE } from "./machine.ts";
import type { Mutation } from "./mutation.ts";
import { SUPABASE } from "./supabase.ts";

export const MUTATIONS: readonly Mutation[] = [
  ...TEAM,
  ...MEMBERS,
  ...SESSIONS,
  ...ACCOUNTS,
  ...FACTORS,
  ...SUPABASE,
  ...DOORS,
  ...MACHINE,
  ...ERASURE,
];
