/** What is wrong with paying: each with what happened and the one next step. */
import type { PaymentProblem } from "../../../shared/billing/billing.ts";
import { Button } from "../../components/button.tsx";
import { Notice } from "../../components/notice.tsx";
import { openTab } from "../../platform/tabs.ts";
import { usePhones } from "../../state/app-context.tsx";

type Step = NonNullable<PaymentProblem["step"]>;
/** `keep`: the plan that ends goes on. */
export type StepKind = Exclude<Step["kind"], "open" | "support"> | "keep";

export interface ProblemsProps {
  readonly problems: readonly PaymentProblem[];
  /** Whether the person may do the step; else they only read. */
  readonly mayManage: boolean;
  readonly busy: (key: string) => boolean;
  readonly onStep: (step: StepKind) => void;
}

export function Problems({ problems, mayManage, busy, onStep }: ProblemsProps) {
  const { server = "" } = usePhones();
  return problems.map(({ kind, severity, title, words, step }) => {
    const mine = step !== undefined && (mayManage || step.kind === "support" || step.kind === "budgets");
    const does: StepKind | undefined =
      kind === "ends" ? "keep" : step?.kind === "open" || step?.kind === "support" ? undefined : step?.kind;
    const act = (given: Step) => {
      if (does !== undefined) onStep(does);
      else if (given.kind === "open") void openTab(given.url);
      else void openTab(`${server}/support`);
    };
    return (
      <Notice
        key={kind + words}
        tone={severity}
        title={title}
        {...(mine && {
          action: (
            <Button
              size="small"
              kind={severity === "info" ? "secondary" : "primary"}
              busy={does !== undefined && busy(does)}
              onClick={() => act(step)}
            >
              {step.label}
            </Button>
          ),
        })}
      >
        {words}
      </Notice>
    );
  });
}
