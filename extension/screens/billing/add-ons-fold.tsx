/** Add-ons and seats by number; each change is previewed before it is made. */
import type { BillingSummary, PlansView } from "../../../shared/billing/billing.ts";
import type { Api } from "../../api/client.ts";
import { Button } from "../../components/button.tsx";
import { Fold } from "../../components/fold.tsx";
import { Skeleton } from "../../components/notice.tsx";
import { List, ListRow } from "../../components/surface.tsx";
import { FailureNotice } from "../panel/failure-notice.tsx";
import { useRemote } from "../panel/use-remote.ts";
import { CYCLE_WORDS, priceWords } from "./model/billing-words.ts";

/** One that the team has, or could have. */
export type AddOnView = BillingSummary["addOns"][number] & { readonly about: string };

export interface AddOnsFoldProps {
  readonly summary: BillingSummary;
  readonly mayManage: boolean;
  readonly onChange: (addOn: AddOnView) => void;
  readonly onPlans: () => void;
}

export function AddOnsFold({ summary, mayManage, onChange, onPlans }: AddOnsFoldProps) {
  const { addOns, plan, seats } = summary;
  const had = addOns.filter(({ quantity }) => quantity > 0);
  return (
    <Fold
      icon="plus"
      title="Add-ons and seats"
      glance={had.length === 0 ? `${seats.used} of ${seats.allowed} seats` : countWords(had)}
    >
      {() =>
        plan.id === "free" ? (
          <div className="fold-rows">
            <p className="secondary">
              Slots, dedicated phones, seats and storage are added to a paid plan. Free has {seats.allowed} seats.
            </p>
            {mayManage && (
              <div>
                <Button size="small" onClick={onPlans}>
                  See plans
                </Button>
              </div>
            )}
          </div>
        ) : (
          <AddOns summary={summary} mayManage={mayManage} onChange={onChange} />
        )
      }
    </Fold>
  );
}

const readPlans = (api: Api): Promise<PlansView> => api.billing.plans.query();

/** Everything there is, also what the team has none of. */
function AddOns({ summary, mayManage, onChange }: Omit<AddOnsFoldProps, "onPlans">) {
  const { value, failure, reload } = useRemote(readPlans);
  const { addOns, plan, seats } = summary;
  const cycle = plan.cycle ?? "month";
  if (failure !== undefined && value === undefined) return <FailureNotice failure={failure} onRetry={reload} />;
  if (value === undefined) return <Skeleton label="Loading add-ons" rows={4} />;
  const all = value.addOns.map(
    ({ id, name, about, prices }): AddOnView => ({
      ...(addOns.find((one) => one.id === id) ?? { id, name, quantity: 0, price: prices[cycle] }),
      about,
    }),
  );
  return (
    <List label="Add-ons">
      {all.map((addOn) => (
        <ListRow
          key={addOn.id}
          title={addOn.name}
          detail={
            <span className="tabular">
              {priceWords(addOn.price)} {CYCLE_WORDS[cycle]} each
              {addOn.id === "seat"
                ? `, ${seats.used} of ${seats.allowed} in use`
                : addOn.inUse !== undefined && addOn.quantity > 0 && `, ${addOn.inUse} in use`}
            </span>
          }
          trail={
            <>
              <span className="tabular">{addOn.quantity}</span>
              {mayManage && (
                <Button
                  size="small"
                  kind="quiet"
                  aria-label={`${addOn.quantity === 0 ? "Add" : "Change"} ${addOn.name}`}
                  onClick={() => onChange(addOn)}
                >
                  {addOn.quantity === 0 ? "Add" : "Change"}
                </Button>
              )}
            </>
          }
        />
      ))}
    </List>
  );
}

function countWords(had: BillingSummary["addOns"]): string {
  const count = had.reduce((sum, { quantity }) => sum + quantity, 0);
  return count === 1 ? (had[0]?.name ?? "1 add-on") : `${count} add-ons`;
}
