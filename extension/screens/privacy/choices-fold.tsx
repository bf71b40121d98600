/** What the person decides about the use of their data. */
import { useState } from "react";
import type { Preferences } from "../../../shared/privacy.ts";
import { Switch } from "../../components/check-field.tsx";
import { Fold } from "../../components/fold.tsx";
import { Badge } from "../../components/state-dot.tsx";
import { useToast } from "../../components/toast.tsx";
import { AskDialog } from "../account/ask-dialog.tsx";
import { useCall } from "../panel/use-call.ts";

/** Firefox sends it where the person turned it on; no browser has to know of it. */
function globalPrivacyControl(): boolean {
  return (navigator as { globalPrivacyControl?: boolean }).globalPrivacyControl === true;
}

export interface ChoicesFoldProps {
  readonly preferences: Preferences;
  readonly onChanged: () => void;
}

export function ChoicesFold({ preferences: { restricted, metrics }, onChanged }: ChoicesFoldProps) {
  const calls = useCall();
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  const gpc = globalPrivacyControl();
  const change = async (next: Partial<Preferences>, words: string) => {
    const result = await calls.run("change", (api) => api.privacy.preferences.mutate(next));
    setAsking(false);
    if (result?.ok === true) toast({ text: words });
    onChanged();
  };
  const glance = restricted
    ? "Use restricted"
    : gpc
      ? "GPC honoured"
      : metrics
        ? "Not restricted"
        : "Out of the numbers";
  return (
    <>
      <Fold icon="hand" title="Your choices" glance={glance}>
        {() => (
          <ul className="list" aria-label="Your choices">
            <li className="list-row">
              <span className="list-text">
                <span>Leave me out of the anonymised numbers</span>
                <span className="secondary">
                  They count use by day, plan and region, without names, never for groups under 10.
                </span>
              </span>
              <Switch
                label="Leave me out of the anonymised numbers"
                on={!metrics}
                disabled={calls.busy("change")}
                onChange={(on) =>
                  void change({ metrics: !on }, on ? "You are left out from now on." : "You are counted again.")
                }
              />
            </li>
            <li className="list-row">
              <span className="list-text">
                <span>Restrict the use of my data</span>
                <span className="secondary">
                  Everything is kept and nothing is done with it, until you allow it again.
                </span>
              </span>
              <Switch
                label="Restrict the use of my data"
                on={restricted}
                disabled={calls.busy("change")}
                onChange={(on) =>
                  on ? setAsking(true) : void change({ restricted: false }, "Your data may be used again.")
                }
              />
            </li>
            <li className="list-row">
              <span className="list-text">
                <span>Global Privacy Control {gpc && <Badge tone="accent">Received</Badge>}</span>
                <span className="secondary">
                  {gpc
                    ? "Global Privacy Control received: honoured. Nothing is sold or shared here."
                    : "This browser does not send it. Nothing is sold or shared here either way."}
                </span>
              </span>
            </li>
          </ul>
        )}
      </Fold>
      {asking && (
        <AskDialog
          title="Restrict the use of your data?"
          verb="Restrict"
          busy={calls.busy("change")}
          onClose={() => setAsking(false)}
          onYes={() => void change({ restricted: true }, "Use of your data is restricted.")}
        >
          <p>These stop until you allow it again:</p>
          <ul className="stops">
            <li>Phones park, and none starts.</li>
            <li>Automations, rules and webhooks do not run.</li>
            <li>Your use is left out of the anonymised numbers.</li>
          </ul>
          <p>
            Nothing is deleted. Signing in, reading, downloading, correcting and deleting your data go on working, and
            so do the clocks that delete old data.
          </p>
        </AskDialog>
      )}
    </>
  );
}
