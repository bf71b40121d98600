/** "2 automations fit this page": what waits for a yes, and what a click runs. Loaded after the popup is painted. */
import { useCallback, useEffect, useId, useState } from "react";
import type { FlowSummary } from "../../../../shared/automation-model.ts";
import type { PhoneId, RunId } from "../../../../shared/id-values.ts";
import type { Phone } from "../../../../shared/phone-model.ts";
import { Button } from "../../../components/button.tsx";
import { Notice } from "../../../components/notice.tsx";
import { ask } from "../../../messaging/asks.ts";
import { openPanelFromPopup } from "../../../platform/panel.ts";
import { openTab, type TabView } from "../../../platform/tabs.ts";
import type { FittingRule } from "../../../rules/by-hand.ts";
import { usePage, usePhones } from "../../../state/app-context.tsx";
import { type AutomationsPlace, automationsPlace } from "../../../state/automations-place.ts";
import { defaultPhone } from "../../../state/default-phone.ts";
import { OfferSheet } from "../../offers/offer-sheet.tsx";
import { phoneWords } from "../../offers/offer-words.ts";
import { useOffer } from "../../offers/use-offer.ts";
import "./fitting.css";

export interface FittingProps {
  readonly tab: TabView;
}

export function Fitting({ tab }: FittingProps) {
  const { app, phones: store } = usePage();
  const { phones, defaultPhoneId } = usePhones();
  const [fitting, setFitting] = useState<readonly FittingRule[]>([]);
  const [flows, setFlows] = useState<readonly FlowSummary[]>([]);
  const titleId = useId();
  const { id: tabId } = tab;

  const look = useCallback(async () => {
    if (tabId === undefined) return;
    setFitting((await ask("rules_fit", { tabId })) ?? (await ask("rules_fit", { tabId })) ?? []);
  }, [tabId]);
  useEffect(() => void look(), [look]);
  const some = fitting.length > 0;
  useEffect(() => {
    if (!some) return;
    void store.call((api) => api.flows.list.query()).then((read) => read.ok && setFlows(read.value));
  }, [some, store]);

  /** The panel shows it; this window may close as soon as it is known there. */
  const show = async (place: AutomationsPlace) => {
    const opened = await openPanelFromPopup(tab.windowId, async () => {
      await automationsPlace().set(place);
      await app.intents.put({ type: "automations" });
    });
    if (!opened.ok) await openTab("/sidepanel.html?full=1&tab=automations");
    window.close();
  };

  if (!some) return null;
  const { host } = fitting[0]?.offer ?? {};
  return (
    <section className="fitting" aria-labelledby={titleId}>
      <h2 id={titleId}>
        {fitting.length === 1 ? "1 automation fits this page" : `${fitting.length} automations fit this page`}
      </h2>
      <ul>
        {fitting.map((one) => (
          <FittingRow
            key={one.offer.id}
            fitting={one}
            flowName={flows.find(({ id }) => id === one.saved.rule.action.flowId)?.name}
            phones={phones}
            standard={defaultPhone(phones, defaultPhoneId)?.id}
            onWatch={(runId) => void show({ view: "run", runId })}
            onGone={() => setFitting((all) => all.filter((other) => other !== one))}
          />
        ))}
      </ul>
      {host !== undefined && (
        <div data-line className="fitting-foot">
          <Button kind="quiet" size="small" icon="shield" onClick={() => void show({ view: "site", host })}>
            Rules on {host}
          </Button>
        </div>
      )}
    </section>
  );
}

interface FittingRowProps {
  readonly fitting: FittingRule;
  readonly flowName: string | undefined;
  readonly phones: readonly Phone[];
  readonly standard: PhoneId | undefined;
  readonly onWatch: (id: RunId) => void;
  readonly onGone: () => void;
}

function FittingRow({ fitting, flowName, phones, standard, onWatch, onGone }: FittingRowProps) {
  const { offer, saved, asks, stopped } = fitting;
  const { rule } = saved;
  const offered = useOffer();
  const [open, setOpen] = useState(offer.waits);
  const [chosen, setChosen] = useState<PhoneId>();
  const [runId, setRunId] = useState(offer.started?.runId);
  const choosable = rule.action.phone === "ask";
  const phoneId = choosable ? (chosen ?? standard) : undefined;
  const where = phoneWords(rule.action, phones) ?? `on ${phones.find(({ id }) => id === phoneId)?.name ?? "a phone"}`;
  const run = async (yes: "once" | "site" | undefined) => {
    const id = await offered.run(offer.id, yes, phoneId);
    if (id !== undefined) setRunId(id);
  };
  const problem = offered.problem !== undefined && <Notice tone="warn">{offered.problem}</Notice>;

  if (runId !== undefined) {
    return (
      <li className="fitting-row" data-line>
        <span className="fitting-text" role="status">
          <span className="truncate">{rule.name}</span>
          <span className="secondary truncate">Running {where}</span>
        </span>
        <Button size="small" icon="panel" onClick={() => onWatch(runId)}>
          Watch
        </Button>
      </li>
    );
  }
  if (asks && open) {
    return (
      <li>
        <OfferSheet
          fitting={fitting}
          flowName={flowName}
          phones={phones}
          phoneId={phoneId}
          busy={offered.busy}
          onPhone={setChosen}
          onRun={(yes) => void run(yes)}
          onNotNow={() => {
            if (!offer.waits) return setOpen(false);
            void ask("offer_dismiss", { offerId: offer.id });
            onGone();
          }}
          problem={problem}
        />
      </li>
    );
  }
  return (
    <li>
      <div className="fitting-row" data-line>
        <span className="fitting-text">
          <span className="truncate">{rule.name}</span>
          <span className="secondary truncate">{stopped ?? where}</span>
        </span>
        <Button
          size="small"
          icon="start"
          busy={offered.busy}
          disabled={stopped !== undefined}
          aria-label={asks ? `Run ${rule.name}…` : `Run ${rule.name}`}
          onClick={() => (asks ? setOpen(true) : void run(undefined))}
        >
          {asks ? "Run…" : "Run"}
        </Button>
      </div>
      {problem}
    </li>
  );
}
