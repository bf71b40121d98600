/** One site: which rules act there, what they read and send, and how to stop them for an hour or for good. */
import { useEffect, useState } from "react";
import { originsOf, tierOf } from "../../../../shared/rules/consent.ts";
import { forgetOrigin } from "../../../../shared/rules/gates.ts";
import { Button } from "../../../components/button.tsx";
import { Dialog } from "../../../components/dialog.tsx";
import { EmptyState, Notice, Skeleton } from "../../../components/notice.tsx";
import { PageHead } from "../../../components/page-head.tsx";
import { Badge } from "../../../components/state-dot.tsx";
import { Card } from "../../../components/surface.tsx";
import { useToast } from "../../../components/toast.tsx";
import { useNow } from "../../../components/use-now.ts";
import { hostPattern, releaseSites } from "../../../platform/permissions.ts";
import { coversSite, TIER_WORDS, withdrawConsent } from "../../../rules/site-consent.ts";
import { usePhones } from "../../../state/app-context.tsx";
import { FailureNotice } from "../../panel/failure-notice.tsx";
import { clockTime, timeAgo } from "../../phone/model/run-time.ts";
import { actsOn, consentNotice, readWords, sentWords } from "./model/rule-words.ts";
import { type RuleView, records, useRules, useRulesChanged } from "./use-rules.ts";

const HOUR_MS = 3_600_000;

export interface SitePageProps {
  /** A host, perhaps with a port, or `*.` and a host. */
  readonly host: string;
  readonly onBack: () => void;
  readonly onRule: (key: string) => void;
}

export function SitePage({ host: given, onBack, onRule }: SitePageProps) {
  // The browser's permission for a host is for all its ports.
  const host = given.replace(/:\d+$/, "");
  const remote = useRules();
  const changed = useRulesChanged(remote.reload);
  const { server } = usePhones();
  const toast = useToast();
  const now = useNow(true);
  const [pausedUntil, setPausedUntil] = useState<number>();
  const [forgetting, setForgetting] = useState(false);
  const name = host.replace(/^\*\./, "");
  const here = (remote.value?.rules ?? []).filter(({ rule }) => actsOn(rule, name));
  useEffect(() => {
    void records.get("pauses").then((pauses) => setPausedUntil(pauses[host]));
  }, [host]);
  const paused = pausedUntil !== undefined && pausedUntil > now;

  const pause = async (until: number) => {
    await records.update("pauses", (pauses) => ({ ...pauses, [host]: until }));
    setPausedUntil(until);
  };
  const forget = async () => {
    setForgetting(false);
    const own = server === undefined ? undefined : hostPattern(server);
    const patterns = [...new Set(here.flatMap(({ rule }) => originsOf(rule)))].filter((pattern) => pattern !== own);
    await releaseSites(patterns.filter((pattern) => pattern.replace(/^[^:]*:\/\/(\*\.)?|\/\*$/g, "") === name));
    await withdrawConsent(records, new Set(here.map(({ rule }) => rule.id)));
    await records.update("visits", (visits) =>
      Object.fromEntries(Object.entries(visits).filter(([visited]) => !coversSite(host, visited))),
    );
    await records.update("gates", (gates) => {
      const origins = Object.values(gates.rules).flatMap(({ confirmed }) => confirmed);
      return origins.filter((origin) => coversSite(host, new URL(origin).hostname)).reduce(forgetOrigin, gates);
    });
    await changed();
    toast({ text: `${name} is forgotten: no rule acts there by itself in this browser.` });
  };
  return (
    <div className="screen">
      <PageHead back="All rules" onBack={onBack} title={host} detail="What rules do on this site, in this browser" />
      {remote.failure !== undefined && <FailureNotice failure={remote.failure} onRetry={remote.reload} />}
      {remote.value === undefined && remote.failure === undefined && <Skeleton label="Loading the site" rows={3} />}
      {remote.value !== undefined && here.length === 0 && (
        <EmptyState icon="shield" title="No rule acts here by itself">
          Perch has no script on this site and is not told when you open it.
        </EmptyState>
      )}
      {paused && (
        <Notice
          title="Paused"
          action={
            <Button size="small" onClick={() => void pause(0)}>
              Go on now
            </Button>
          }
        >
          No rule acts here by itself until {clockTime(new Date(pausedUntil).toISOString())}.
        </Notice>
      )}
      {here.map((view) => (
        <SiteRule key={view.rule.id} view={view} server={server} now={now} onOpen={() => onRule(view.rule.id)} />
      ))}
      {here.length > 0 && (
        <div className="run-actions">
          {!paused && (
            <Button icon="clock" onClick={() => void pause(Date.now() + HOUR_MS)}>
              Pause for an hour
            </Button>
          )}
          <Button icon="trash" onClick={() => setForgetting(true)}>
            Forget this site…
          </Button>
        </div>
      )}
      {forgetting && (
        <Dialog
          title={`Forget ${host}?`}
          onClose={() => setForgetting(false)}
          actions={
            <>
              <Button onClick={() => setForgetting(false)}>Keep it</Button>
              <Button kind="danger" onClick={() => void forget()}>
                Forget
              </Button>
            </>
          }
        >
          <p>
            Perch gives its access to this site back to the browser. The rules stay, and run here by your click only
            until you allow them again.
          </p>
        </Dialog>
      )}
    </div>
  );
}

interface SiteRuleProps {
  readonly view: RuleView;
  readonly server: string | undefined;
  /** Unix ms. */
  readonly now: number;
  readonly onOpen: () => void;
}

function SiteRule({ view, server, now, onOpen }: SiteRuleProps) {
  const { rule, consent, lastStartedAt } = view;
  const notice = consentNotice(consent) ?? (rule.enabled ? undefined : "Off");
  return (
    <Card
      title={rule.name}
      action={
        <Button size="small" kind="quiet" onClick={onOpen} aria-label={`Open ${rule.name}`}>
          Open
        </Button>
      }
    >
      {notice !== undefined && (
        <div>
          <Badge tone="warn">{notice}</Badge>
        </div>
      )}
      <p>{TIER_WORDS[tierOf(rule)]}</p>
      <dl className="site-facts">
        <dt>Reads</dt>
        <dd>{readWords(rule).join(", ")}</dd>
        <dt>Sends</dt>
        <dd>
          {sentWords(rule)}, to {server === undefined ? "your server" : new URL(server).host}
        </dd>
        <dt>Last ran</dt>
        <dd>{lastStartedAt === undefined ? "never" : timeAgo(lastStartedAt, now)}</dd>
      </dl>
    </Card>
  );
}
