/** All procedures. The extension takes this type, and nothing else, from the server. */
import { accountRouter } from "./accounts/account.router.ts";
import { sessionsRouter } from "./accounts/sessions.router.ts";
import { tokensRouter } from "./accounts/tokens.router.ts";
import { announcementsRouter } from "./announcements/announcements.router.ts";
import { auditRouter } from "./audit/audit.router.ts";
import { flowsRouter } from "./automations/flows.router.ts";
import { runsRouter } from "./automations/runs.router.ts";
import { secretsRouter } from "./automations/secrets/secrets.router.ts";
import { workspacesRouter } from "./automations/workspaces.router.ts";
import { router } from "./base.router.ts";
import { billingRouter } from "./billing/billing.router.ts";
import { usageRouter } from "./billing/usage.router.ts";
import { phonesRouter } from "./phones/phones.router.ts";
import { privacyRouter } from "./privacy/privacy.router.ts";
import { recordingsRouter } from "./recordings/recordings.router.ts";
import { rulesRouter } from "./rules/rules.router.ts";
import { screenRouter } from "./screen/screen.router.ts";
import { teamsRouter } from "./teams/teams.router.ts";
import { webhooksRouter } from "./webhooks/webhooks.router.ts";

export interface RouterServices {
  readonly account: Parameters<typeof accountRouter>[0];
  readonly sessions: Parameters<typeof sessionsRouter>[0];
  readonly tokens: Parameters<typeof tokensRouter>[0];
  readonly announcements: Parameters<typeof announcementsRouter>[0];
  readonly audit: Parameters<typeof auditRouter>[0];
  readonly teams: Parameters<typeof teamsRouter>[0];
  readonly phones: Parameters<typeof phonesRouter>[0];
  readonly uploads: Parameters<typeof phonesRouter>[1];
  readonly screen: Parameters<typeof screenRouter>[0];
  readonly flows: Parameters<typeof flowsRouter>[0];
  readonly looks: Parameters<typeof flowsRouter>[1];
  readonly runs: Parameters<typeof runsRouter>[0];
  readonly secrets: Parameters<typeof secretsRouter>[0];
  readonly rules: Parameters<typeof rulesRouter>[0];
  readonly webhooks: Parameters<typeof webhooksRouter>[0];
  readonly workspaces: Parameters<typeof workspacesRouter>[0];
  readonly suites: Parameters<typeof workspacesRouter>[1];
  readonly recordings: Parameters<typeof recordingsRouter>[0];
  readonly privacy: Parameters<typeof privacyRouter>[0];
  readonly billing: Parameters<typeof billingRouter>[0];
  readonly usage: Parameters<typeof usageRouter>[0];
}

export function createAppRouter(services: RouterServices) {
  return router({
    account: accountRouter(services.account),
    sessions: sessionsRouter(services.sessions),
    tokens: tokensRouter(services.tokens),
    teams: teamsRouter(services.teams),
    announcements: announcementsRouter(services.announcements),
    audit: auditRouter(services.audit),
    phones: phonesRouter(services.phones, services.uploads),
    screen: screenRouter(services.screen, services.phones),
    flows: flowsRouter(services.flows, services.looks),
    runs: runsRouter(services.runs),
    secrets: secretsRouter(services.secrets),
    rules: rulesRouter(services.rules),
    webhooks: webhooksRouter(services.webhooks),
    workspaces: workspacesRouter(services.workspaces, services.suites),
    recordings: recordingsRouter(services.recordings),
    privacy: privacyRouter(services.privacy),
    billing: billingRouter(services.billing),
    usage: usageRouter(services.usage),
  });
}
export type AppRouter = ReturnType<typeof createAppRouter>;
