/** Secrets of flows: what goes into `secrets.*` and what it answers. No answer ever holds a value. */
import * as z from "zod/mini";
import type { FlowId, SecretId } from "./id-values.ts";
import { flowId, secretId } from "./ids.ts";

/** Shorter values turn up in ordinary text by chance: hiding those places would hide half a report. */
export const SHORTEST_SECRET = 4;
export const LONGEST_SECRET = 4_096;

export const secretName = z
  .string()
  .check(
    z.regex(
      /^[A-Za-z_$][A-Za-z0-9_$]{0,63}$/,
      "A secret's name has letters, digits and _, and does not begin with a digit, like SHOP_PASSWORD.",
    ),
  );
/** Kept exactly as given, blanks at its ends included. */
export const secretValue = z.string().check(
  z.refine(
    (value) => [...value].length >= SHORTEST_SECRET,
    "A secret has at least 4 characters. A shorter one turns up in ordinary text by chance, so it could not be hidden in reports.",
  ),
  z.maxLength(LONGEST_SECRET, "A secret has at most 4,096 characters."),
  z.refine((value) => value.isWellFormed(), "This value is broken: it holds half a character. Copy it again."),
);

export const setSecretInput = z.strictObject({ name: secretName, value: secretValue });
export const secretRef = z.strictObject({ secretId });
/** `seen`: `updatedAt` of the flow the person looked at; when it was changed since, nothing is granted. */
export const grantSecretInput = z.strictObject({ secretId, flowId, seen: z.optional(z.iso.datetime()) });
export const revokeSecretInput = z.strictObject({ secretId, flowId });

export interface SecretGrant {
  readonly flowId: FlowId;
  readonly flowName: string;
  /** False: the flow was changed by someone who may not pass the secret on, and does not get it until it is granted anew. */
  readonly current: boolean;
}

/** One of `secrets.list`. */
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
