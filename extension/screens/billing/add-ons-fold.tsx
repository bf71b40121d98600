/** Add-ons and seats by number; each change is previewed before it is made. */
import type { BillingSummary } from "../../../shared/billing/billing.ts";
import { Button } from "../../components/button.tsx";
import { Fold } from "../../components/fold.tsx";
import { List, ListRow } from "../../components/surface.tsx";
import { CYCLE_WORDS, priceWords } from "./model/billing-words.ts";

export type AddOnView = BillingSummary["addOns"][number];

export interface AddOnsFoldProps {
  readonly summary: BillingSummary;
  readonly mayManage: boolean;
  readonly onChange: (addOn: AddOnView) => void;
  readonly onPlans: () => void;
}

export function AddOnsFold({ summary, mayManage, onChange, onPlans }: AddOnsFoldProps) {
  const { addOns, plan, seats } = summary;
  const had = addOns.filter(({ quantity }) => quantity > 0);
  const paid = plan.id !== "free";
  return (
    <Fold
      icon="plus"
      title="Add-ons and seats"
      glance={had.length === 0 ? `${seats.used} of ${seats.allowed} seats` : countWords(had)}
    >
      {() =>
        paid ? (
          <List label="Add-ons">
            {addOns.map((addOn) => (
              <ListRow
                key={addOn.id}
                title={addOn.name}
                detail={
                  <span className="tabular">
                    {priceWords(addOn.price)} {CYCLE_WORDS[plan.cycle ?? "month"]} each
                    {addOn.inUse !== undefined && addOn.quantity > 0 && `, ${addOn.inUse} in use`}
                  </span>
                }
                trail={
                  <>
                    <span className="tabular">{addOn.quantity}</span>
                    {mayManage && (
                      <Button
                        size="small"
                        kind="quiet"
                        aria-label={`Change ${addOn.name}`}
                        onClick={() => onChange(addOn)}
                      >
                        Change
                      </Button>
                    )}
                  </>
                }
              />
            ))}
          </List>
        ) : (
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
        )
      }
    </Fold>
  );
}

function countWords(had: readonly AddOnView[]): string {
  const count = had.reduce((sum, { quantity }) => sum + quantity, 0);
  return count === 1 ? (had[0]?.name ?? "1 add-on") : `${count} add-ons`;
}
