/**
 * Privacy: how things stand, the four rights, and on one screen everything that is held, where, who looked, who is
 * signed in, what was asked and what was chosen. Whatever opens, opens in place.
 */
import { useCallback, useEffect, useState } from "react";
import type { Me } from "../../../shared/accounts.ts";
import type { PrivacyOverview } from "../../../shared/privacy.ts";
import type { Api } from "../../api/client.ts";
import { LazyPart, lazyModule } from "../../components/lazy-part.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { useToast } from "../../components/toast.tsx";
import { useNow } from "../../components/use-now.ts";
import { usePage, usePhones } from "../../state/app-context.tsx";
import { type ClockKind, clocksOf } from "../../state/privacy-clock.ts";
import { markOf, privacyMark } from "../../state/privacy-mark.ts";
import { usePrivacyMark } from "../../state/use-privacy-mark.ts";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { type LastRead, type Remote, useRemote } from "../panel/use-remote.ts";
import { ActionsBar } from "./actions-bar.tsx";
import { ChoicesFold } from "./choices-fold.tsx";
import { HeldCard } from "./held-card.tsx";
import { LooksFold } from "./looks-fold.tsx";
import { serverAddress } from "./model/privacy-words.ts";
import type { OpenDialog } from "./privacy-dialogs.tsx";
import { RequestsFold } from "./requests-fold.tsx";
import { SessionsFold } from "./sessions-fold.tsx";
import { StatusCard } from "./status-card.tsx";
import { isMaking, useCopy } from "./use-copy.ts";
import { WhereFold } from "./where-fold.tsx";
import "./privacy.css";

const readOverview = (api: Api): Promise<PrivacyOverview> => api.privacy.overview.query();
const DIALOGS = lazyModule(() => import("./privacy-dialogs.tsx"));
const PURGE_POLL_MS = 3_000;

export interface PrivacyScreenProps {
  readonly me: Remote<Me>;
  readonly last: LastRead<PrivacyOverview>;
}

export function PrivacyScreen({ me, last }: PrivacyScreenProps) {
  const { server } = usePhones();
  const overview = useRemote(readOverview, last);
  const { value, failure, reload } = overview;
  useEffect(() => {
    if (value === undefined || server === undefined) return;
    // Badge, popup and the other tabs say what is said here.
    void privacyMark().update((before) => markOf(server, value, before, Date.now()));
  }, [value, server]);
  return (
    <div className="screen privacy">
      {value === undefined && (
        <>
          <h1 className="sr-only">Privacy</h1>
          {failure === undefined && <Skeleton label="Loading what is held" rows={6} />}
        </>
      )}
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value !== undefined && <Overview overview={value} me={me.value} onChanged={reload} />}
    </div>
  );
}

interface OverviewProps {
  readonly overview: PrivacyOverview;
  readonly me: Me | undefined;
  readonly onChanged: () => void;
}

function Overview({ overview, me, onChanged }: OverviewProps) {
  const { server } = usePhones();
  const { phones } = usePage();
  const calls = useCall();
  const toast = useToast();
  const [open, setOpen] = useState<OpenDialog>();
  const read = usePrivacyMark()?.read ?? [];
  const copy = useCopy(overview.export, onChanged);
  const making = isMaking(copy) ? copy : undefined;
  const now = useNow(making !== undefined);
  const clocks = clocksOf({ ...overview, ...(copy !== undefined && { export: copy }) }, read, now);
  const purging = overview.deletion?.state === "purging";
  // biome-ignore lint/correctness/useExhaustiveDependencies: each answer plans the next look
  useEffect(() => {
    if (!purging) return;
    const timer = setTimeout(onChanged, PURGE_POLL_MS);
    return () => clearTimeout(timer);
  }, [purging, overview, onChanged]);
  const changed = useCallback(() => {
    onChanged();
    // What rested works again, or rests from now on.
    void phones.refresh();
  }, [onChanged, phones]);
  const undo = async () => {
    const result = await calls.run("deletion", (api) => api.privacy.undoDelete.mutate());
    if (result?.ok === true) toast({ text: "Your account stays. Nothing was deleted." });
    changed();
  };
  const allow = async () => {
    const result = await calls.run("allow", (api) => api.privacy.preferences.mutate({ restricted: false }));
    if (result?.ok === true) toast({ text: "Your data may be used again." });
    changed();
  };
  const onClock = (kind: ClockKind) => {
    if (kind === "deletion") void undo();
    else if (kind === "export") setOpen({ kind: "download" });
    else if (kind === "policy" || kind === "incident") setOpen({ kind });
  };
  return (
    <>
      <StatusCard
        overview={overview}
        clocks={clocks}
        making={making}
        now={now}
        busy={calls.busy("deletion") ? "deletion" : calls.busy("allow") ? "allow" : undefined}
        onClock={onClock}
        onAllow={() => void allow()}
        onMaking={() => setOpen({ kind: "download" })}
      />
      <ActionsBar closing={overview.deletion !== undefined} onAction={(kind) => setOpen({ kind })} />
      <HeldCard
        categories={overview.categories}
        now={now}
        policy={serverAddress(overview.policy.url, server)}
        onCorrect={({ category, rectify }) =>
          setOpen({ kind: "correct", ...(rectify === "support" && { dispute: category }) })
        }
      />
      <div className="folds">
        <WhereFold processors={overview.processors} now={now} />
        <LooksFold looks={overview.staffLooks} now={now} />
        <SessionsFold />
        <RequestsFold
          open={overview.openRequests}
          now={now}
          onChanged={onChanged}
          onAsk={() => setOpen({ kind: "correct", ask: true })}
        />
        <ChoicesFold preferences={overview.preferences} onChanged={changed} />
      </div>
      <Links overview={overview} onOpen={setOpen} />
      {open !== undefined && (
        <LazyPart module={DIALOGS} loading="Loading" failed="This part could not be loaded." rows={1}>
          {({ PrivacyDialog }) => (
            <PrivacyDialog
              open={open}
              overview={overview}
              copy={copy}
              me={me}
              onOpen={setOpen}
              onClose={() => setOpen(undefined)}
              onChanged={changed}
            />
          )}
        </LazyPart>
      )}
    </>
  );
}

interface LinksProps {
  readonly overview: PrivacyOverview;
  readonly onOpen: (next: OpenDialog) => void;
}

function Links({ overview, onOpen }: LinksProps) {
  const { server } = usePhones();
  const links = [
    { words: `Policy v${overview.policy.version}`, to: serverAddress(overview.policy.url, server) },
    { words: "How it is kept", to: serverAddress(overview.trustUrl, server) },
    { words: "Ask us", to: serverAddress(overview.supportUrl, server) },
  ];
  return (
    <nav className="privacy-links" aria-label="Policy and support">
      {links.map(
        ({ words, to }) =>
          to !== undefined && (
            <a key={words} href={to} target="_blank" rel="noreferrer">
              {words}
            </a>
          ),
      )}
      {overview.incidents.length > 0 && (
        <button type="button" className="link-button" onClick={() => onOpen({ kind: "incident" })}>
          What happened to your data
        </button>
      )}
      <button type="button" className="link-button" onClick={() => onOpen({ kind: "import" })}>
        Bring data here
      </button>
    </nav>
  );
}
