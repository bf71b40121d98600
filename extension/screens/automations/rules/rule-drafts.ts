/** Rules being written and not saved. Kept until the browser closes, so that closing the panel loses nothing. */
import * as z from "zod/mini";
import type { RuleInput } from "../../../../shared/rules/model.ts";
import { type Stored, stored } from "../../../state/stored.ts";
import "../../../state/zod.ts";

export interface RuleDraft {
  readonly rule: RuleInput;
  /** `updatedAt` of the saved rule this began from; absent for a new one. */
  readonly base?: string;
}
/** By rule id. */
export type RuleDrafts = Readonly<Record<string, RuleDraft>>;

/** A draft may have any mistakes; the editor reads each field for itself, and `parseRule` the whole before it is saved. */
const draftSchema = z.object({ rule: z.looseObject({ id: z.string() }), base: z.exactOptional(z.string()) });

/** Those being written, or with `team` those put aside while the person works in another one. */
export function ruleDrafts(team?: string): Stored<RuleDrafts> {
  return stored<RuleDrafts>({
    area: "session",
    key: team === undefined ? "draft.rules" : `draft.rules.${team}`,
    version: 1,
    // Written by the editor alone, as what it reads.
    schema: z.catchall(z.object({}), draftSchema) as unknown as z.ZodMiniType<RuleDrafts>,
    initial: {},
  });
}

/** Puts what was written in the team that is left aside, and brings back what was in the other. */
export async function changeRuleDrafts(from: string | undefined, to: string): Promise<void> {
  const here = ruleDrafts();
  if (from !== undefined) await ruleDrafts(from).set(await here.get());
  await here.set(await ruleDrafts(to).get());
}

export function withRuleDraft(drafts: RuleDrafts, id: string, draft: RuleDraft | undefined): RuleDrafts {
  const { [id]: _, ...others } = drafts;
  return draft === undefined ? others : { ...others, [id]: draft };
}
