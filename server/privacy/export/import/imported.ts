/** What an export brings, read and checked by the rules that hold for what people write here, before anything is planned. */
import { createHash } from "node:crypto";
import * as z from "zod";
import { fullName } from "../../../../shared/accounts.ts";
import { flowName, MAX_FLOW_SOURCE } from "../../../../shared/automations.ts";
import { ID_PREFIXES, type IdKind } from "../../../../shared/id-values.ts";
import { type Branded, idSchema, type TeamId } from "../../../../shared/ids.ts";
import { DRIVER_KINDS, deviceProfileId, phoneName, phoneSettings, phoneTag } from "../../../../shared/phones.ts";
import { isFilePath } from "../../../../shared/workspace-model.ts";
import { AS_FILES } from "../export-files.repo.ts";
import type { ImportArchive } from "./import-archive.ts";

const reference = z.string().min(1).max(100);

const phoneRow = z.object({
  id: reference,
  name: phoneName,
  driver: z.enum(DRIVER_KINDS).catch("web"),
  profile: deviceProfileId,
  settings: z.unknown().transform((value) => phoneSettings.safeParse(value).data ?? {}),
  tags: z.array(phoneTag).max(20).catch([]),
  rotated: z.boolean().catch(false),
  state: z.string(),
});
const flowRow = z.object({
  id: reference,
  name: flowName,
  source: z.string().max(MAX_FLOW_SOURCE),
  path: z.string().refine(isFilePath).nullable(),
});
const ruleRow = z.object({ id: reference, rule: z.record(z.string(), z.unknown()) });
const userRow = z.object({ fullName: fullName.nullable() });
const statementRow = z.object({ category: z.string().max(60).catch(""), text: z.string().trim().min(1).max(2_000) });
const preferencesRow = z.object({ restrictedAt: z.string().nullable(), leftMetricsAt: z.string().nullable() });
const named = z.object({ name: z.string().max(200) });

export interface Imported {
  readonly phones: readonly z.output<typeof phoneRow>[];
  readonly flows: readonly z.output<typeof flowRow>[];
  readonly rules: readonly z.output<typeof ruleRow>[];
  /** Paths of the workspace; their contents are read when they are needed. */
  readonly files: readonly string[];
  readonly fullName: string | undefined;
  readonly statements: readonly z.output<typeof statementRow>[];
  readonly leftMetrics: boolean;
  readonly restricted: boolean;
  readonly secrets: readonly string[];
  readonly webhooks: readonly string[];
}

export async function importedOf(archive: ImportArchive): Promise<Imported> {
  const [user] = await archive.lines("users", userRow);
  const [preferences] = await archive.lines("privacy_preferences", preferencesRow);
  const names = async (table: string) => (await archive.lines(table, named)).map(({ name }) => name);
  return {
    phones: (await archive.lines("phones", phoneRow)).filter(({ state }) => state !== "removed"),
    flows: await archive.lines("flows", flowRow),
    rules: await archive.lines("rules", ruleRow),
    files: archive.paths(AS_FILES["fileContents.content"]),
    fullName: user?.fullName || undefined,
    statements: await archive.lines("statements", statementRow),
    leftMetrics: (preferences?.leftMetricsAt ?? null) !== null,
    restricted: (preferences?.restrictedAt ?? null) !== null,
    secrets: await names("secrets"),
    webhooks: await names("webhooks"),
  };
}

/** The id a thing of elsewhere has in a team here: always the same, so that importing it again finds it. */
export function idHere<K extends IdKind>(kind: K, teamId: TeamId, elsewhere: string): Branded<string, K> {
  const digest = createHash("sha256").update(`perch import\n${teamId}\n${kind}\n${elsewhere}`).digest("base64url");
  return idSchema(kind).parse(`${ID_PREFIXES[kind]}_${digest.slice(0, 22)}`);
}
