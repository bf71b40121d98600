/**
 * "Move here": takes in an export of another Perch. What comes belongs to who imports it, in the team they work in; it is
 * planned first and done in one transaction, and doing it again changes nothing. Credentials, roles, bills and logs never come.
 */
import type { PhoneId, RuleId } from "../../../../shared/ids.ts";
import type { DataImport, ImportItem, ImportKind } from "../../../../shared/privacy.ts";
import type { Rule } from "../../../../shared/rules/model.ts";
import { parseRule } from "../../../../shared/rules/parse-rule.ts";
import { regexProblems } from "../../../../shared/rules/regex.ts";
import { fileKind, isYaml, MAX_FILE_BYTES, MAX_TEAM_BYTES } from "../../../../shared/workspace-model.ts";
import type { AccountsRepo } from "../../../accounts/accounts.repo.ts";
import type { Audit } from "../../../audit/audit.repo.ts";
import type { FlowsRepo, NewFlow } from "../../../automations/flows.repo.ts";
import { MOST_FLOWS } from "../../../automations/flows.service.ts";
import { hashOf } from "../../../automations/import-plan.ts";
import { isPathFree } from "../../../automations/workspace-tree.ts";
import { contentHash, type FileBytes, type WorkspacesRepo } from "../../../automations/workspaces.repo.ts";
import type { Clock } from "../../../clock.ts";
import type { Database, Writer } from "../../../db/database.ts";
import { PerchError } from "../../../errors.ts";
import type { Events } from "../../../events/events.repo.ts";
import type { PhoneLifecycle } from "../../../phones/phone-lifecycle.ts";
import type { NewPhone, PhonesRepo } from "../../../phones/phones.repo.ts";
import type { RulesRepo } from "../../../rules/rules.repo.ts";
import type { TeamScope } from "../../../teams/team-scope.ts";
import type { PreferencesRepo } from "../../preferences/preferences.repo.ts";
import { CATEGORIES } from "../../tags.ts";
import type { Age } from "../age.ts";
import { AS_FILES } from "../export-files.repo.ts";
import type { ImportRepo } from "./import.repo.ts";
import { type ImportArchive, openArchive } from "./import-archive.ts";
import { type Imported, idHere, importedOf } from "./imported.ts";

export interface DataImports {
  /** What would come. Writes nothing. @throws PerchError `bad_input`, `too_large`, `version_mismatch` */
  preview(scope: TeamScope, file: Uint8Array, passphrase?: string): Promise<DataImport>;
  /** Takes it in, all or nothing. */
  apply(scope: TeamScope, file: Uint8Array, passphrase?: string): Promise<DataImport>;
}

export interface ImportsOptions {
  readonly db: Database;
  readonly repo: ImportRepo;
  readonly flows: FlowsRepo;
  readonly workspaces: WorkspacesRepo;
  readonly rules: RulesRepo;
  readonly phones: PhonesRepo;
  readonly people: Pick<AccountsRepo, "findIn" | "setName">;
  readonly preferences: Pick<PreferencesRepo, "findIn" | "set" | "insertStatement" | "countStatements">;
  readonly lifecycle: Pick<PhoneLifecycle, "publish">;
  readonly events: Pick<Events, "publish" | "wake">;
  readonly audit: Audit;
  readonly age: Pick<Age, "openPassphrase">;
  readonly clock: Clock;
  readonly phonesPerTeam: number;
}

const MOST_RULES = 2_000;
const MOST_STATEMENTS = 50;
/** Memory: an archive is held while it is taken in. */
const MOST_AT_ONCE = 2;

interface Plan {
  readonly items: ImportItem[];
  readonly phones: NewPhone[];
  readonly flows: NewFlow[];
  readonly files: FileBytes[];
  readonly rules: { readonly id: RuleId; readonly rule: Rule }[];
  readonly statements: Imported["statements"][number][];
  fullName: string | undefined;
  leaveMetrics: boolean;
}

export function createDataImports(options: ImportsOptions): DataImports {
  const { db, repo, clock } = options;
  let going = 0;

  async function take(
    scope: TeamScope,
    file: Uint8Array,
    passphrase: string | undefined,
    apply: boolean,
  ): Promise<DataImport> {
    if (going >= MOST_AT_ONCE) {
      throw new PerchError("rate_limited", "Others are moving here just now. Try again in a minute.", {
        retryAfterMs: 60_000,
      });
    }
    going += 1;
    try {
      const archive = await openArchive(file, passphrase, options.age);
      const imported = await importedOf(archive);
      const contents = await filesOf(archive, imported);
      const plan = await db.tx(async (tx) => {
        const planned = await planOf(tx, scope, imported, contents);
        if (apply) await write(tx, scope, planned, archive.manifest.id);
        return planned;
      });
      if (apply) options.events.wake(scope.teamId);
      const { id, madeAt, person } = archive.manifest;
      return { id, madeAt, email: person.email, items: plan.items, again: againOf(imported), applied: apply };
    } finally {
      going -= 1;
    }
  }

  async function planOf(
    tx: Writer,
    scope: TeamScope,
    imported: Imported,
    contents: ReadonlyMap<string, Buffer>,
  ): Promise<Plan> {
    const { teamId, userId } = scope;
    const now = new Date(clock.now());
    const items: ImportItem[] = [];
    const item = (kind: ImportKind, name: string, change: ImportItem["change"], reason?: string) =>
      void items.push({ kind, name, change, ...(reason !== undefined && { reason }) });
    const plan: Plan = {
      items,
      phones: [],
      flows: [],
      files: [],
      rules: [],
      statements: [],
      fullName: undefined,
      leaveMetrics: false,
    };

    /** Ids of elsewhere and here, of phones that will be here. */
    const phoneIds = new Map<string, PhoneId>();
    const takenPhones = await repo.takenPhones(
      tx,
      imported.phones.map(({ id }) => idHere("phone", teamId, id)),
    );
    let room = options.phonesPerTeam - (await options.phones.counts(tx, teamId, undefined)).team;
    for (const { id: elsewhere, name, driver, profile, settings, tags, rotated } of imported.phones) {
      const id = idHere("phone", teamId, elsewhere);
      if (takenPhones.has(id)) {
        phoneIds.set(elsewhere, id);
        item("phone", name, "here");
      } else if (driver !== "web") item("phone", name, "left_out", "Phones of this kind stay where they are.");
      else if (room <= 0) {
        item(
          "phone",
          name,
          "left_out",
          `Your team may keep ${options.phonesPerTeam} phones. Remove one, then do this again.`,
        );
      } else {
        room -= 1;
        phoneIds.set(elsewhere, id);
        const row = {
          id,
          teamId,
          createdBy: userId,
          name,
          driver,
          profile,
          settings,
          rotated,
          tags: [...new Set(tags)].sort(),
        };
        plan.phones.push({ ...row, state: "parked", createdAt: now });
        item("phone", name, "new", "Its name and settings come; what was open on it stays there.");
      }
    }

    const flowIds = new Map<string, Rule["action"]["flowId"]>();
    const takenFlows = await repo.takenFlows(
      tx,
      imported.flows.map(({ id }) => idHere("flow", teamId, id)),
    );
    const files = new Map(await repo.files(tx, teamId));
    const tree = { flows: [...(await options.flows.paths(scope, tx))], files: [...files].map(([path]) => ({ path })) };
    let flowRoom = MOST_FLOWS - (await options.flows.count(tx, scope));
    for (const { id: elsewhere, name, source, path } of imported.flows) {
      const id = idHere("flow", teamId, elsewhere);
      const shown = path ?? name;
      if (takenFlows.has(id)) {
        flowIds.set(elsewhere, id);
        item("flow", shown, "here");
      } else if (flowRoom <= 0) item("flow", shown, "left_out", `A team keeps at most ${MOST_FLOWS} flows.`);
      else if (path !== null && (!isYaml(path) || !isPathFree(path, tree))) {
        item("flow", shown, "left_out", "There is something else at its place. Rename that, then do this again.");
      } else {
        flowRoom -= 1;
        flowIds.set(elsewhere, id);
        if (path !== null) tree.flows.push({ id, path, length: source.length, updatedAt: now });
        plan.flows.push({ id, teamId, createdBy: userId, name, source, path, createdAt: now, updatedAt: now });
        item("flow", shown, "new");
      }
    }

    let bytes = [...files.values()].reduce((sum, file) => sum + file.bytes, 0);
    for (const [path, content] of contents) {
      const there = files.get(path);
      if (there !== undefined && contentHash(there.content) === hashOf(content)) item("file", path, "here");
      else if (there !== undefined || !isPathFree(path, tree)) {
        item("file", path, "left_out", "There is something else at its place. Rename that, then do this again.");
      } else if (fileKind(path) === undefined || content.length > MAX_FILE_BYTES) {
        item("file", path, "left_out", "Files of this kind or size are not kept here.");
      } else if (bytes + content.length > MAX_TEAM_BYTES) {
        item("file", path, "left_out", "A team's files are at most 64 MB together.");
      } else {
        bytes += content.length;
        tree.files.push({ path });
        plan.files.push({ path, bytes: content });
        item("file", path, "new");
      }
    }

    const takenRules = await repo.takenRules(
      tx,
      imported.rules.map(({ id }) => idHere("rule", teamId, id)),
    );
    let ruleRoom = MOST_RULES - (await options.rules.count(tx, scope));
    for (const { id: elsewhere, rule } of imported.rules) {
      const id = idHere("rule", teamId, elsewhere);
      const name = typeof rule["name"] === "string" ? rule["name"].slice(0, 80) : "A rule";
      if (takenRules.has(id)) item("rule", name, "here");
      else if (ruleRoom <= 0) item("rule", name, "left_out", `A team keeps at most ${MOST_RULES} rules.`);
      else {
        const here = ruleHere(rule, id, flowIds, phoneIds);
        if (typeof here === "string") item("rule", name, "left_out", here);
        else {
          ruleRoom -= 1;
          plan.rules.push({ id, rule: here });
          item("rule", name, "new", "It is off. Look at it, then turn it on.");
        }
      }
    }

    const user = await options.people.findIn(tx, userId);
    if (imported.fullName !== undefined) {
      if (user?.fullName === imported.fullName) item("profile", "Your name", "here");
      else if (user?.fullName) item("profile", "Your name", "left_out", "You have a name here already.");
      else {
        plan.fullName = imported.fullName;
        item("profile", "Your name", "new");
      }
    }
    const statements = [...(await repo.statements(tx, userId))];
    for (const statement of imported.statements) {
      const { category, text } = statement;
      const name = `About ${labelOf(category)}`;
      if (statements.some((one) => one.category === category && one.text === text)) item("statement", name, "here");
      else if (!(category in CATEGORIES) || statements.length >= MOST_STATEMENTS) {
        item("statement", name, "left_out", "It is about something that is not kept here, or you have too many.");
      } else {
        statements.push(statement);
        plan.statements.push(statement);
        item("statement", name, "new");
      }
    }
    if (imported.leftMetrics) {
      const { leftMetricsAt } = await options.preferences.findIn(tx, userId);
      plan.leaveMetrics = leftMetricsAt === null;
      item("preference", "Your use does not count in the numbers", plan.leaveMetrics ? "new" : "here");
    }
    if (imported.restricted) {
      item(
        "preference",
        "Restricted use",
        "left_out",
        "That was about the other server. Ask for it here if you want it here.",
      );
    }
    return plan;
  }

  async function write(tx: Writer, scope: TeamScope, plan: Plan, exportId: string): Promise<void> {
    const { teamId, userId } = scope;
    const at = new Date(clock.now());
    for (const phone of plan.phones) await options.lifecycle.publish(tx, await options.phones.insert(tx, phone));
    for (const flow of plan.flows) await options.flows.insert(tx, flow);
    for (const file of plan.files) await options.workspaces.put(tx, scope, file, at);
    for (const { id, rule } of plan.rules) {
      const row = {
        id,
        teamId,
        savedBy: userId,
        rule,
        revision: 1,
        failures: 0,
        nextAt: null,
        createdAt: at,
        updatedAt: at,
      };
      await options.rules.insert(tx, row);
    }
    if (plan.rules.length > 0) await options.events.publish(tx, teamId, { type: "rules" });
    if (plan.fullName !== undefined) await options.people.setName(tx, userId, plan.fullName);
    for (const { category, text } of plan.statements) {
      await options.preferences.insertStatement(tx, { userId, category, text, at });
    }
    if (plan.leaveMetrics) {
      const { restrictedAt } = await options.preferences.findIn(tx, userId);
      await options.preferences.set(tx, userId, { restrictedAt, leftMetricsAt: at }, at);
    }
    const count = plan.items.filter(({ change }) => change === "new").length;
    await options.audit.record(tx, {
      chain: teamId,
      actor: userId,
      action: "privacy.imported",
      detail: { export: exportId, count },
    });
  }

  return {
    preview: (scope, file, passphrase) => take(scope, file, passphrase, false),
    apply: (scope, file, passphrase) => take(scope, file, passphrase, true),
  };
}

/** Contents of the workspace's files, by path; larger ones are not kept here and not read. */
async function filesOf(archive: ImportArchive, { files }: Imported): Promise<ReadonlyMap<string, Buffer>> {
  const folder = AS_FILES["fileContents.content"];
  const found = new Map<string, Buffer>();
  for (const path of files) found.set(path, await archive.file(`${folder}/${path}`));
  return found;
}

/** The rule with the ids of here, turned off; or why it does not come. */
function ruleHere(
  rule: Readonly<Record<string, unknown>>,
  id: RuleId,
  flowIds: ReadonlyMap<string, unknown>,
  phoneIds: ReadonlyMap<string, PhoneId>,
): Rule | string {
  const action = typeof rule["action"] === "object" && rule["action"] !== null ? rule["action"] : {};
  const flowId = "flowId" in action && typeof action.flowId === "string" ? flowIds.get(action.flowId) : undefined;
  if (flowId === undefined) return "Its flow does not come.";
  const phone = "phone" in action ? action.phone : "ask";
  const isId = typeof phone === "string" && phone !== "ask" && phone !== "new";
  const placed = isId ? (phoneIds.get(phone) ?? "ask") : phone;
  const parsed = parseRule({ ...rule, id, enabled: false, action: { ...action, flowId, phone: placed } });
  if (!parsed.ok) return parsed.problems[0]?.message ?? "It cannot be read.";
  const [problem] = regexProblems(parsed.rule);
  return problem === undefined ? parsed.rule : problem.message;
}

function againOf({ secrets, webhooks }: Imported): string[] {
  return [
    ...secrets.map((name) => `Set the secret ${name} again: secrets are never in an export.`),
    ...webhooks.map((name) => `Make the webhook ${name} again: its address and secret are new here.`),
    "Passkeys, app codes, API tokens, teams and roles stay where they are.",
  ];
}

function labelOf(category: string): string {
  return (Object.entries(CATEGORIES).find(([key]) => key === category)?.[1] ?? category).toLowerCase();
}
