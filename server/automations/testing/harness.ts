/** Flows and runs with a real database, journal and parser, over phones in memory and a time of its own. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as later } from "node:timers/promises";
import { findElements } from "../../../shared/flows/match.ts";
import { parseFlow } from "../../../shared/flows/parse.ts";
import type { RunId } from "../../../shared/ids.ts";
import { ManualClock } from "../../clock.ts";
import type { Database } from "../../db/database.ts";
import { type TestDatabase, testSqlite } from "../../db/testing.ts";
import { createSignedLinks } from "../../files/signed-links.ts";
import { folderBlobs } from "../../files/testing/folder-blobs.ts";
import { silentLog } from "../../log.ts";
import type { RunClaims } from "../../nodes/run-claims.ts";
import { runsAlone } from "../../nodes/testing/alone.ts";
import type { PhoneDriver } from "../../phones/driver.ts";
import type { PhoneLimits } from "../../phones/phones.service.ts";
import { composePhones, newTeam } from "../../phones/testing/harness.ts";
import type { TeamScope } from "../../teams/team-scope.ts";
import { createAutomations } from "../compose.ts";
import type { Pace } from "../engine/ports.ts";
import type { RunEndListener } from "../run-states.ts";
import { ScreenDriver } from "./fake-screen.ts";
import { FakeScripts } from "./fake-scripts.ts";

/** Waits take no time; the time they stand for passes on this clock. */
export function quickPace(): Pace {
  let now = 0;
  return {
    now: () => now,
    async sleep(ms, signal) {
      signal.throwIfAborted();
      now += ms;
      await later();
      signal.throwIfAborted();
    },
  };
}

/** As a server does it at start; call it again with the same parts to play a restart. */
export async function composeRuns<D extends PhoneDriver = ScreenDriver>(parts: {
  test: TestDatabase;
  folder: string;
  clock: ManualClock;
  driver: D;
  posted: string[];
  pace?: Pace | undefined;
  holder?: string;
  claims?: RunClaims;
  onEnd?: RunEndListener;
  limits?: Partial<PhoneLimits>;
  /** The database the automations see, for tests that let it fail. */
  db?: Database;
  openScripts?: Parameters<typeof createAutomations>[0]["openScripts"];
}) {
  const { test, clock, driver } = parts;
  const phones = composePhones(test, clock, driver, parts.limits);
  const tagged = async (scope: TeamScope, tag: string) =>
    (await phones.repo.list(scope)).filter(({ tags }) => tags.includes(tag)).map(({ id }) => id);
  const automations = createAutomations({
    db: parts.db ?? test.db,
    audit: phones.audit,
    clock,
    pace: parts.pace ?? quickPace(),
    log: silentLog,
    shelf: folderBlobs(parts.folder).runs,
    signed: createSignedLinks({ key: Buffer.alloc(32, 9), clock, publicUrl: new URL("http://localhost:8787") }),
    key: Buffer.alloc(32, 7),
    secretsKey: Buffer.alloc(32, 8),
    claims: parts.claims ?? runsAlone(parts.holder ?? "node-1"),
    phones: {
      ready: phones.phones.readyFor,
      rotate: (id) => phones.lifecycle.rotate(id, "run"),
      used: (id) => phones.lifecycle.used(id),
      onEnded: (listener) => driver.onEvent((event) => event.type === "ended" && listener(event.phoneId)),
    },
    async phone(scope, id) {
      const row = await phones.repo.find(scope, id);
      return row && { name: row.name, can: driver.automation?.can };
    },
    tagged,
    idempotency: phones.idempotency,
    onEnd: parts.onEnd ?? (async () => undefined),
    parse: parseFlow,
    find: findElements,
    openScripts: parts.openScripts ?? (() => new FakeScripts(parts.posted)),
  });
  return { ...parts, ...phones, ...automations, clock, driver, automations, tagged };
}

/** A team with a running phone and everything else of a server. */
export async function openRuns(
  options: { pace?: Pace; driver?: ScreenDriver; limits?: Partial<PhoneLimits>; test?: TestDatabase } = {},
) {
  const test = options.test ?? (await testSqlite.open());
  const folder = mkdtempSync(join(tmpdir(), "perch-runs-"));
  const clock = new ManualClock();
  const driver = options.driver ?? new ScreenDriver();
  const posted: string[] = [];
  const at = await composeRuns({
    test,
    folder,
    clock,
    driver,
    posted,
    ...(options.pace && { pace: options.pace }),
    ...(options.limits && { limits: options.limits }),
  });
  const scope = await newTeam(at);
  const phone = await at.phones.launch(scope, { idempotencyKey: "the-phone" });
  return {
    ...at,
    scope,
    phoneId: phone.id,
    async dispose() {
      await at.automations.close();
      await test.dispose();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type OpenRuns = Awaited<ReturnType<typeof openRuns>>;

let keys = 0;
/** Starts a flow of these commands and waits until nothing runs any more. */
export async function runFlow(at: OpenRuns, commands: string, header = "url: https://shop.example/") {
  const { runId } = await startFlow(at, commands, header);
  await at.runner.idle();
  return at.runs.get(at.scope, runId);
}

export async function startFlow(
  at: OpenRuns,
  commands: string,
  header = "url: https://shop.example/",
  inputs: Record<string, string> = {},
): Promise<{ runId: RunId }> {
  keys += 1;
  const source = `${header}\n---\n${commands}\n`;
  return at.runs.start(at.scope, { source, phoneId: at.phoneId, inputs, idempotencyKey: `run-key-${keys}` }, "person");
}
