/** Rules that wait for a yes, whatever tab they are about. */
import { useEffect, useState } from "react";
import type { FlowSummary } from "../../../../shared/automation-model.ts";
import type { PhoneId, RunId } from "../../../../shared/id-values.ts";
import { Notice } from "../../../components/notice.tsx";
import { useToast } from "../../../components/toast.tsx";
import { ask } from "../../../messaging/asks.ts";
import type { FittingRule } from "../../../rules/by-hand.ts";
import { type Offer, offers, watchOffers } from "../../../rules/offers.ts";
import { usePhones } from "../../../state/app-context.tsx";
import { defaultPhone } from "../../../state/default-phone.ts";
import { OfferSheet } from "../../offers/offer-sheet.tsx";
import { useOffer } from "../../offers/use-offer.ts";
import type { RuleView } from "./use-rules.ts";

export interface WaitingOffersProps {
  readonly rules: readonly RuleView[];
  readonly flows: readonly FlowSummary[];
  readonly onRun: (id: RunId) => void;
}

export function WaitingOffers({ rules, flows, onRun }: WaitingOffersProps) {
  const [all, setAll] = useState<readonly Offer[]>([]);
  useEffect(() => {
    const look = () => void offers().then(setAll);
    look();
    return watchOffers(look);
  }, []);
  const waiting = all.flatMap((offer): FittingRule[] => {
    const saved = rules.find(({ rule }) => rule.id === offer.ruleId);
    return saved === undefined || !offer.waits || offer.started !== undefined ? [] : [{ offer, saved, asks: true }];
  });
  return waiting.map((fitting) => (
    <WaitingOffer
      key={fitting.offer.id}
      fitting={fitting}
      flowName={flows.find(({ id }) => id === fitting.saved.rule.action.flowId)?.name}
      onRun={onRun}
    />
  ));
}

interface WaitingOfferProps {
  readonly fitting: FittingRule;
  readonly flowName: string | undefined;
  readonly onRun: (id: RunId) => void;
}

function WaitingOffer({ fitting, flowName, onRun }: WaitingOfferProps) {
  const { phones, defaultPhoneId } = usePhones();
  const toast = useToast();
  const offered = useOffer();
  const [chosen, setChosen] = useState<PhoneId>();
  const asksPhone = fitting.saved.rule.action.phone === "ask";
  const phoneId = asksPhone ? (chosen ?? defaultPhone(phones, defaultPhoneId)?.id) : undefined;
  return (
    <OfferSheet
      fitting={fitting}
      flowName={flowName}
      phones={phones}
      phoneId={phoneId}
      busy={offered.busy}
      onPhone={setChosen}
      onRun={(yes) => {
        void offered.run(fitting.offer.id, yes, phoneId).then((runId) => {
          if (runId === undefined) return;
          toast({ text: `${fitting.saved.rule.name} is running.` });
          onRun(runId);
        });
      }}
      onNotNow={() => void ask("offer_dismiss", { offerId: fitting.offer.id })}
      problem={offered.problem !== undefined && <Notice tone="warn">{offered.problem}</Notice>}
    />
  );
}
