/** In the place of a team's things while use of the person's data rests: why, and the way to take it back. */
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/notice.tsx";
import { useToast } from "../../components/toast.tsx";
import { usePage } from "../../state/app-context.tsx";
import { clockWords, timeLeftWords } from "../../state/privacy-clock-words.ts";
import { type PrivacyMark, privacyMark } from "../../state/privacy-mark.ts";
import { usePanelWays } from "../panel/panel-ways.ts";
import { useCall } from "../panel/use-call.ts";

export interface HoldGateProps {
  readonly hold: NonNullable<PrivacyMark["hold"]>;
  readonly mark: PrivacyMark | undefined;
}

export function HoldGate({ hold, mark }: HoldGateProps) {
  const { phones } = usePage();
  const ways = usePanelWays();
  const calls = useCall();
  const toast = useToast();
  const closing = hold === "closing";
  const clock = mark?.clock;
  const purging = clock?.kind === "purging";
  const takeBack = async () => {
    const result = await calls.run("back", (api) =>
      closing ? api.privacy.undoDelete.mutate() : api.privacy.preferences.mutate({ restricted: false }),
    );
    if (result?.ok !== true) return;
    await privacyMark().update(
      (before) => before && { ...before, hold: undefined, purgeAt: undefined, ...(closing && { clock: undefined }) },
    );
    toast({ text: closing ? "Your account stays. Nothing was deleted." : "Your data may be used again." });
    await phones.refresh();
  };
  const title = !closing
    ? "Use of your data is restricted"
    : clock?.kind === "deletion"
      ? `Your account is deleted in ${timeLeftWords(clock.at, Date.now())}`
      : purging
        ? clockWords(clock, Date.now())
        : "Your account is about to be deleted";
  return (
    <div className="panel-gate">
      <EmptyState
        icon={closing ? "trash" : "hand"}
        title={title}
        action={
          <div className="gate-actions">
            {!purging && (
              <Button kind="primary" busy={calls.busy("back")} onClick={() => void takeBack()}>
                {closing ? "Undo the deletion" : "Allow again"}
              </Button>
            )}
            <Button icon="shield" onClick={ways.toPrivacy}>
              Open Privacy
            </Button>
          </div>
        }
      >
        {closing
          ? "Phones are parked, and automations and rules do not run meanwhile. Your data is where you can read and download it, under Privacy."
          : "You asked us to keep it and do nothing with it: phones are parked, automations and rules do not run. Nothing is deleted."}
      </EmptyState>
    </div>
  );
}
