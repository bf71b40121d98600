/** Secrets of flows as values: what `secrets.*` answers, and what a name and a value must be. No schemas here. */
import type { FlowId, SecretId } from "./id-values.ts";

/** Shorter values turn up in ordinary text by chance: hiding those places would hide half a report. */
const SHORTEST = 4;
const LONGEST = 4_096;
const NAME = /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/;

/** What is wrong with a name, in a sentence. */
export function secretNameProblem(name: string): string | undefined {
  if (NAME.test(name)) return undefined;
  return "A secret's name has letters, digits and _, and does not begin with a digit, like SHOP_PASSWORD.";
}

/** What is wrong with a value, in a sentence. Blanks at its ends are part of it. */
export function secretValueProblem(value: string): string | undefined {
  if ([...value].length < SHORTEST) {
    return "A secret has at least 4 characters. A shorter one turns up in ordinary text by chance, so it could not be hidden in reports.";
  }
  if (value.length > LONGEST) return "A secret has at most 4,096 characters.";
  return /\p{Cs}/u.test(value) ? "This value is broken: it holds half a character. Copy it again." : undefined;
}

export interface SecretGrant {
  readonly flowId: FlowId;
  readonly flowName: string;
  /** False: the flow was changed by someone who may not pass the secret on, and does not get it until it is granted anew. */
  readonly current: boolean;
}

/** One of `secrets.list`. No answer ever holds a value. */
export interface SecretSummary {
  readonly id: SecretId;
  readonly name: string;
  readonly createdAt: string;
  /** When its value was last set. */
  readonly changedAt: string;
  /** Whether the caller may replace, remove and grant it: who set its value, and who manages the team. */
  readonly mayPassOn: boolean;
  /** Whether the caller set its value. */
  readonly mine: boolean;
  readonly grants: readonly SecretGrant[];
}
