/** All procedures. The extension takes this type, and nothing else, from the server. */
import { accountRouter } from "./accounts/account.router.ts";
import { sessionsRouter } from "./accounts/sessions.router.ts";
import { flowsRouter } from "./automations/flows.router.ts";
import { runsRouter } from "./automations/runs.router.ts";
import { router } from "./base.router.ts";
import { phonesRouter } from "./phones/phones.router.ts";
import { privacyRouter } from "./privacy/privacy.router.ts";
import { rulesRouter } from "./rules/rules.router.ts";
import { screenRouter } from "./screen/screen.router.ts";
import { teamsRouter } from "./teams/teams.router.ts";
import { webhooksRouter } from "./webhooks/webhooks.router.ts";

export interface RouterServices {
  readonly account: Parameters<typeof accountRouter>[0];
  readonly sessions: Parameters<typeof sessionsRouter>[0];
  readonly teams: Parameters<typeof teamsRouter>[0];
  readonly phones: Parameters<typeof phonesRouter>[0];
  readonly screen: Parameters<typeof screenRouter>[0];
  readonly flows: Parameters<typeof flowsRouter>[0];
  readonly runs: Parameters<typeof runsRouter>[0];
  readonly rules: Parameters<typeof rulesRouter>[0];
  readonly webhooks: Parameters<typeof webhooksRouter>[0];
  readonly privacy: Parameters<typeof privacyRouter>[0];
}

export function createAppRouter(services: RouterServices) {
  return router({
    account: accountRouter(services.account),
    sessions: sessionsRouter(services.sessions),
    teams: teamsRouter(services.teams),
    phones: phonesRouter(services.phones),
    screen: screenRouter(services.screen, services.phones),
    flows: flowsRouter(services.flows),
    runs: runsRouter(services.runs),
    rules: rulesRouter(services.rules),
    webhooks: webhooksRouter(services.webhooks),
    privacy: privacyRouter(services.privacy),
  });
}
export type AppRouter = ReturnType<typeof createAppRouter>;
