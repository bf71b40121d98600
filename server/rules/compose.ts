/** Puts rules together: repo, service, scheduler. */
import type { RunEndListener } from "../automations/run-states.ts";
import { createRulesRepo } from "./rules.repo.ts";
import { createRulesService, type RulesOptions, type RulesService } from "./rules.service.ts";
import { createScheduler, type Scheduler } from "./scheduler.ts";

export interface Rules {
  readonly rules: RulesService;
  readonly scheduler: Scheduler;
  /** To be told of every run that ends. */
  readonly onRunEnd: RunEndListener;
}

export function createRules(
  options: Omit<RulesOptions, "repo"> & Omit<Parameters<typeof createScheduler>[0], "repo" | "rules">,
): Rules {
  const repo = createRulesRepo(options.db);
  const rules = createRulesService({ ...options, repo });
  return { rules, scheduler: createScheduler({ ...options, repo, rules }), onRunEnd: rules.ended };
}
