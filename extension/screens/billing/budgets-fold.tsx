/** Budgets of the team, of members and of phones: how full each is. */
import { useState } from "react";
import type { BillingSummary, BudgetView } from "../../../shared/billing/billing.ts";
import { Button, IconButton } from "../../components/button.tsx";
import { Fold } from "../../components/fold.tsx";
import { Menu } from "../../components/menu.tsx";
import { useToast } from "../../components/toast.tsx";
import type { Calls } from "../panel/use-call.ts";
import { budgetState, budgetsGlance, budgetWords } from "./model/billing-words.ts";

export interface BudgetsFoldProps {
  readonly summary: BillingSummary;
  readonly mayManage: boolean;
  readonly calls: Calls;
  readonly opened: boolean;
  /** Without a budget: a new one. */
  readonly onEdit: (budget?: BudgetView) => void;
  readonly onChanged: () => void;
}

const SCOPES = { team: "All phones of the team", member: "Phones a member started", phone: "One phone" } as const;

export function BudgetsFold({ summary, mayManage, calls, opened, onEdit, onChanged }: BudgetsFoldProps) {
  const { budgets, currency } = summary;
  const toast = useToast();
  const [removing, setRemoving] = useState<string>();
  const remove = async ({ id: budgetId, name }: BudgetView) => {
    setRemoving(budgetId);
    const result = await calls.run(`remove ${budgetId}`, (api) => api.billing.removeBudget.mutate({ budgetId }));
    setRemoving(undefined);
    if (result?.ok === true) toast({ text: `The budget of ${name} is removed.` });
    onChanged();
  };
  return (
    <Fold icon="stopwatch" title="Budgets" glance={budgetsGlance(budgets)} opened={opened}>
      {() => (
        <div className="fold-rows">
          <p className="secondary">
            Mails go out at 50 and 80 %. At 100 % its phones are parked, and start next month.
          </p>
          <ul className="list" aria-label="Budgets">
            {budgets.map((budget) => {
              const { percent, tone } = budgetState(budget);
              return (
                <li className="budget" key={budget.id} aria-busy={removing === budget.id || undefined}>
                  <div className="budget-head">
                    <span className="list-text">
                      <span className="list-title truncate">{budget.name}</span>
                      <span className="secondary">{SCOPES[budget.scope]}</span>
                    </span>
                    <span className="tabular">{percent} %</span>
                    {mayManage && (
                      <Menu
                        label={`The budget of ${budget.name}`}
                        items={[
                          { id: "edit", label: "Change", icon: "edit", onSelect: () => onEdit(budget) },
                          {
                            id: "remove",
                            label: "Remove",
                            icon: "trash",
                            danger: true,
                            onSelect: () => void remove(budget),
                          },
                        ]}
                        trigger={(props) => (
                          <IconButton
                            {...props}
                            icon="more"
                            size="small"
                            tooltip="left"
                            label={`More about the budget of ${budget.name}`}
                          />
                        )}
                      />
                    )}
                  </div>
                  <span className={`meter meter-${tone}`} aria-hidden="true">
                    <span style={{ width: `${percent}%` }} />
                  </span>
                  <span className="secondary tabular">{budgetWords(budget, currency)}</span>
                </li>
              );
            })}
          </ul>
          {mayManage && (
            <div>
              <Button size="small" icon="plus" onClick={() => onEdit()}>
                New budget
              </Button>
            </div>
          )}
        </div>
      )}
    </Fold>
  );
}
