/** What there is to buy: plans side by side, packs of minutes, and amounts for the balance. */
import { useEffect, useRef, useState } from "react";
import type { BillingSummary, PlanOffer, PlansView } from "../../../shared/billing/billing.ts";
import { CYCLES, type Cycle } from "../../../shared/billing/catalogue.ts";
import { minutesWords, moneyWords } from "../../../shared/billing/words.ts";
import type { Api } from "../../api/client.ts";
import { type Failure, isRefused } from "../../api/errors.ts";
import { Button } from "../../components/button.tsx";
import { Notice, Skeleton } from "../../components/notice.tsx";
import { PageHead } from "../../components/page-head.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { Card, List, ListRow } from "../../components/surface.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useCall } from "../panel/use-call.ts";
import { type LastRead, useRemote } from "../panel/use-remote.ts";
import { CheckoutCard } from "./checkout-card.tsx";
import { PlanChangeDialog } from "./dialogs/plan-change-dialog.tsx";
import { CYCLE_NAMES, CYCLE_WORDS, priceWords, storageWords } from "./model/billing-words.ts";
import { type Purchase, useCheckout } from "./use-checkout.ts";

const readPlans = (api: Api): Promise<PlansView> => api.billing.plans.query();
const readSummary = (api: Api): Promise<BillingSummary> => api.billing.summary.query();
const CYCLE_TABS = { month: "By the month", year: "By the year" } as const satisfies Record<Cycle, string>;

export interface PlansPageProps {
  readonly mayManage: boolean;
  readonly last: LastRead<BillingSummary>;
  /** Begins at the packs of minutes. */
  readonly packs: boolean;
  readonly onBack: () => void;
}

export function PlansPage({ mayManage, last, packs, onBack }: PlansPageProps) {
  const plans = useRemote(readPlans);
  const summary = useRemote(readSummary, last);
  const calls = useCall();
  const [cycle, setCycle] = useState<Cycle>(last.current?.plan.cycle ?? "month");
  const [changing, setChanging] = useState<PlanOffer>();
  const [buying, setBuying] = useState<string>();
  const [stale, setStale] = useState<string>();
  // What was bought earlier may be paid meanwhile: that is no reason to leave what is looked at.
  const checkout = useCheckout(calls, mayManage, summary.reload);
  const { value, failure, reload } = plans;
  const mine = summary.value?.plan;
  const minutes = useRef<HTMLDivElement>(null);
  const there = value !== undefined;
  useEffect(() => {
    if (packs && there) minutes.current?.scrollIntoView();
  }, [packs, there]);

  const onRefused = (refused: Failure) => {
    if (refused.kind !== "refused" || !isRefused(refused, "conflict")) return false;
    setStale(refused.error.message);
    reload();
    summary.reload();
    return true;
  };
  const buy = async (key: string, purchase: Purchase, what: string) => {
    setBuying(key);
    setStale(undefined);
    const opened = await checkout.buy(purchase, what, onRefused);
    setBuying(undefined);
    if (opened) onBack();
  };
  const choose = (offer: PlanOffer) => {
    if (offer.id === "free") return;
    if (mine !== undefined && mine.id !== "free") return setChanging(offer);
    const shown = offer.prices[cycle];
    void buy(
      offer.id,
      { buy: { kind: "plan", plan: offer.id, cycle }, shown },
      `${offer.name}, ${priceWords(shown)} ${CYCLE_WORDS[cycle]}`,
    );
  };
  return (
    <div className="screen billing">
      <PageHead
        back="Billing"
        onBack={onBack}
        title="Plans and minutes"
        detail="Card details go to the payment page alone"
      />
      <CheckoutCard checkout={checkout} />
      {failure !== undefined && <FailureNotice failure={failure} onRetry={reload} />}
      {value === undefined && failure === undefined && <Skeleton label="Loading plans" rows={6} />}
      {stale !== undefined && (
        <Notice tone="warn" title={stale}>
          What you see below is how things are now.
        </Notice>
      )}
      {value !== undefined && (
        <>
          <fieldset className="segments">
            <legend className="sr-only">Paid</legend>
            {CYCLES.map((each) => (
              <label key={each} className="segment">
                <input type="radio" name="cycle" checked={each === cycle} onChange={() => setCycle(each)} />
                <span>{CYCLE_TABS[each]}</span>
              </label>
            ))}
          </fieldset>
          {value.plans.map((offer) => (
            <Offer
              key={offer.id}
              offer={offer}
              cycle={cycle}
              mine={mine}
              mayManage={mayManage}
              busy={buying === offer.id}
              onChoose={() => choose(offer)}
            />
          ))}
          <div ref={minutes}>
            <Card title="Packs of minutes">
              <List label="Packs">
                {value.packs.map(({ id, name, days, price }) => (
                  <ListRow
                    key={id}
                    title={name}
                    detail={`Good for ${days} days`}
                    trail={
                      <Buy
                        words={priceWords(price)}
                        label={`Buy ${name} for ${priceWords(price)}`}
                        may={mayManage}
                        busy={buying === id}
                        onBuy={() => void buy(id, { buy: { kind: "pack", pack: id }, shown: price }, name)}
                      />
                    }
                  />
                ))}
              </List>
            </Card>
          </div>
          <Card title="Into the balance">
            <p className="secondary card-words">
              Pays for time that no minutes cover{summary.value === undefined ? "" : `, ${rate(summary.value)}`}. What
              is not used can be refunded.
            </p>
            <div className="amount-buttons">
              {value.topUps.map(({ id, price }) => (
                <Buy
                  key={id}
                  words={priceWords(price)}
                  label={`Top up ${priceWords(price)}`}
                  may={mayManage}
                  busy={buying === id}
                  onBuy={() =>
                    void buy(
                      id,
                      { buy: { kind: "top_up", topUp: id }, shown: price },
                      `${priceWords(price)} into the balance`,
                    )
                  }
                />
              ))}
            </div>
          </Card>
        </>
      )}
      {changing !== undefined && changing.id !== "free" && mine !== undefined && (
        <PlanChangeDialog
          plan={changing.id}
          name={changing.name}
          cycle={cycle}
          from={mine}
          onClose={() => setChanging(undefined)}
          onDone={onBack}
        />
      )}
    </div>
  );
}

function rate({ payAsYouGo, currency }: BillingSummary): string {
  return `${moneyWords(payAsYouGo.perHour, currency)} an hour and phone, at most ${moneyWords(payAsYouGo.dailyCap, currency)} a day`;
}

interface BuyProps {
  readonly words: string;
  readonly label: string;
  readonly may: boolean;
  readonly busy: boolean;
  readonly onBuy: () => void;
}

function Buy({ words, label, may, busy, onBuy }: BuyProps) {
  if (!may) return <span className="tabular">{words}</span>;
  return (
    <Button size="small" busy={busy} aria-label={label} onClick={onBuy}>
      <span className="tabular">{words}</span>
    </Button>
  );
}

interface OfferProps {
  readonly offer: PlanOffer;
  readonly cycle: Cycle;
  readonly mine: BillingSummary["plan"] | undefined;
  readonly mayManage: boolean;
  readonly busy: boolean;
  readonly onChoose: () => void;
}

function Offer({ offer, cycle, mine, mayManage, busy, onChoose }: OfferProps) {
  const { id, name, about, prices, includedMs, phonesAtOnce, seats, storageMb } = offer;
  const price = prices[cycle];
  const here = mine?.id === id;
  const same = here && (id === "free" || mine.cycle === cycle);
  const saved = prices.month.amount * 12 - prices.year.amount;
  return (
    <section className={`card offer${here ? " offer-mine" : ""}`} aria-label={name}>
      <div className="plan-head">
        <div className="list-text">
          <h2 className="plan-name">{name}</h2>
          <span className="secondary">{about}</span>
        </div>
        <div className="offer-price tabular">
          <b>{price.amount === 0 ? "No cost" : priceWords(price)}</b>
          {price.amount > 0 && <span className="secondary">{CYCLE_WORDS[cycle]}</span>}
        </div>
      </div>
      <ul className="offer-facts tabular">
        <li>{minutesWords(includedMs)} a month</li>
        <li>{phonesAtOnce} phones at once</li>
        <li>{seats} seats</li>
        <li>{storageWords(storageMb)} for phones</li>
      </ul>
      <div className="offer-foot">
        {cycle === "year" && saved > 0 && (
          <span className="secondary tabular">{moneyWords(saved, price.currency)} less than by the month</span>
        )}
        {same ? (
          <Badge tone="accent">Your plan</Badge>
        ) : (
          mayManage &&
          id !== "free" && (
            <Button
              size="small"
              kind={id === "solo" && mine?.id === "free" ? "primary" : "secondary"}
              busy={busy}
              onClick={onChoose}
            >
              {here ? `Pay ${CYCLE_NAMES[cycle]}` : `Choose ${name}`}
            </Button>
          )
        )}
        {id === "free" && !here && mine !== undefined && (
          <span className="secondary">Where a cancelled plan leads</span>
        )}
      </div>
    </section>
  );
}
