/** Rules over real flows, runs, journal and database, with phones in memory and a clock of their own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { newId } from "../../../shared/ids.ts";
import type { RuleInput } from "../../../shared/rules/model.ts";
import { parseRule } from "../../../shared/rules/parse-rule.ts";
import { ScreenDriver } from "../../automations/testing/fake-screen.ts";
import { composeRuns } from "../../automations/testing/harness.ts";
import { ManualClock } from "../../clock.ts";
import { TEST_ENGINES, type TestDatabase, type TestEngine, testSqlite } from "../../db/testing.ts";
import { silentLog } from "../../log.ts";
import { newTeam } from "../../phones/testing/harness.ts";
import { createStandingScope } from "../../teams/team-scope.ts";
import { createTeamsRepo } from "../../teams/teams.repo.ts";
import { createRules, type Rules } from "../compose.ts";

export { TEST_ENGINES };

const FLOW = `url: https://shop.example/\n---\n- inputText: $\{ID}\n`;
export const FAILING = "url: https://shop.example/\n---\n- assertTrue: false\n";
export const ENDLESS =
  "url: https://shop.example/\n---\n- extendedWaitUntil:\n    visible: Never\n    timeout: 600000\n";

/** One server on a database; a second call on the same one is a second node. */
export async function composeRules(test: TestDatabase, clock: ManualClock, driver: ScreenDriver, holder: string) {
  const folder = mkdtempSync(join(tmpdir(), "perch-rules-"));
  let rules: Rules | undefined;
  const at = await composeRuns({
    test,
    folder,
    clock,
    driver,
    posted: [],
    holder,
    onEnd: async (tx, id, state) => rules?.onRunEnd(tx, id, state),
  });
  rules = createRules({
    db: test.db,
    runs: at.runs,
    events: at.events,
    audit: at.audit,
    clock,
    log: silentLog,
    key: Buffer.alloc(32, 3),
    standing: createStandingScope(createTeamsRepo(test.db, clock)),
    flow: at.flows.get,
    phones: { get: at.phones.get, launch: at.phones.launch, tagged: at.tagged },
  });
  return {
    ...at,
    ...rules,
    async close() {
      await rules.scheduler.close();
      await at.automations.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A team with a phone and a flow that types `${ID}`. */
export async function openRules(engine: TestEngine = testSqlite) {
  const test = await engine.open();
  const clock = new ManualClock();
  const at = await composeRules(test, clock, new ScreenDriver(), "node-1");
  const scope = await newTeam(at);
  const phone = await at.phones.launch(scope, { idempotencyKey: "the-phone" });
  const flow = await at.flows.save(scope, { name: "Type", source: FLOW });
  /** A rule that reads ID from the address, by a click, without the browser's waits. */
  const makeRule = (over: Partial<RuleInput> = {}) => {
    const parsed = parseRule({
      id: newId("rule"),
      name: "Product page",
      when: { all: [] },
      extract: [{ var: "id", from: [{ kind: "path", index: -1 }] }],
      action: { flowId: flow.id, phone: phone.id, inputs: { ID: { var: "id" } } },
      ...over,
    });
    if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
    return parsed.rule;
  };
  return {
    ...at,
    scope,
    phoneId: phone.id,
    flow,
    makeRule,
    /** Saves and gives a rule. */
    async rule(over: Partial<RuleInput> = {}) {
      const rule = makeRule(over);
      await at.rules.save(scope, rule);
      return rule;
    },
    async dispose() {
      await at.close();
      await test.dispose();
    },
  };
}
export type OpenRules = Awaited<ReturnType<typeof openRules>>;

let keys = 0;
/** A key as browsers make them. */
export function freshKey(): string {
  keys += 1;
  return String(keys).padStart(43, "k");
}
