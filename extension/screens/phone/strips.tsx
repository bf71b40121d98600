/** One-line questions and news above the hardware bar: who controls, who asks, what was copied, when the phone parks. */
import type { ReactNode } from "react";
import { Button, IconButton } from "../../components/button.tsx";
import { Icon, type IconName } from "../../components/icon.tsx";
import { useNow } from "../../components/use-now.ts";
import { usePanelWays } from "../panel/panel-ways.ts";
import { clockTime, timeLeft } from "./model/run-time.ts";
import type { ScreenState } from "./model/screen-state.ts";
import { uncoveredSoon } from "./model/uncovered.ts";

interface StripProps {
  readonly icon: IconName;
  readonly tone?: "plain" | "warn" | "ask";
  readonly children: ReactNode;
  readonly actions?: ReactNode;
}

export function Strip({ icon, tone = "plain", children, actions }: StripProps) {
  return (
    <div className={`strip strip-${tone}`}>
      <Icon name={icon} />
      <span className="strip-text">{children}</span>
      {actions}
    </div>
  );
}

export interface StripsProps {
  readonly screen: ScreenState;
  /** When the phone parks itself unless used, ISO 8601. */
  readonly parksAt: string | undefined;
  /** When nothing covers the running phones any more, ISO 8601. */
  readonly coveredUntil: string | undefined;
  /** Whether the person's role allows buying. */
  readonly mayPay: boolean;
  /** Whether the person's role allows control at all. */
  readonly mayControl: boolean;
  readonly keepingAwake: boolean;
  readonly onKeepAwake: () => void;
  readonly onAskControl: () => void;
  readonly onTakeControl: () => void;
  readonly onGiveControl: () => void;
  readonly onKeepControl: () => void;
  readonly onCopy: () => void;
  readonly onDismissCopy: () => void;
  readonly onDismissPictures: () => void;
}

export function Strips(props: StripsProps) {
  const { screen, parksAt } = props;
  // The screen is told at once; what is asked for now and then knows longer ahead.
  const coveredUntil = screen.coverEnds ?? props.coveredUntil;
  if (screen.link.kind !== "live") return null;
  return (
    <div className="strips" role="status">
      {parksAt !== undefined && (
        <Strip
          icon="clock"
          tone="warn"
          actions={
            <Button size="small" busy={props.keepingAwake} onClick={props.onKeepAwake}>
              Keep awake
            </Button>
          }
        >
          <ParksIn at={parksAt} />
        </Strip>
      )}
      {coveredUntil !== undefined && <Uncovered at={coveredUntil} mayPay={props.mayPay} />}
      {screen.picturesOnly && (
        <Strip
          icon="info"
          actions={
            <IconButton size="small" icon="close" label="Dismiss" tooltip="left" onClick={props.onDismissPictures} />
          }
        >
          <span className="strip-whole">
            This browser cannot play the phone's video, so it shows pictures instead. Chrome, Edge and newer Firefox
            play it.
          </span>
        </Strip>
      )}
      {screen.asking !== undefined && (
        <Strip
          icon="hand"
          tone="ask"
          actions={
            <>
              <Button size="small" onClick={props.onKeepControl}>
                Keep
              </Button>
              <Button size="small" kind="primary" onClick={props.onGiveControl}>
                Give
              </Button>
            </>
          }
        >
          {screen.asking} asks for control.
        </Strip>
      )}
      {!screen.controller && <Watching {...props} />}
      {screen.phoneClipboard !== undefined && (
        <Strip
          icon="copy"
          actions={
            <>
              <Button size="small" onClick={props.onCopy}>
                Copy here
              </Button>
              <IconButton size="small" icon="close" label="Dismiss" tooltip="left" onClick={props.onDismissCopy} />
            </>
          }
        >
          Copied on the phone: <q className="strip-quote">{screen.phoneClipboard}</q>
        </Strip>
      )}
    </div>
  );
}

function Watching({ screen, mayControl, onAskControl, onTakeControl }: StripsProps) {
  if (!mayControl) {
    return (
      <Strip icon="eye">
        You watch only. {screen.controllerName === undefined ? "" : `${screen.controllerName} controls. `}Ask your
        team's owner for more.
      </Strip>
    );
  }
  const who = screen.controllerName ?? "Nobody";
  const take = screen.mayTake && (
    <Button size="small" onClick={onTakeControl}>
      Take over
    </Button>
  );
  if (screen.request === "sent") {
    return (
      <Strip icon="eye" actions={take}>
        Asked {who}. Waiting for an answer.
      </Strip>
    );
  }
  const again = screen.request === "declined";
  return (
    <Strip
      icon="eye"
      tone={screen.takenBy === undefined ? "plain" : "warn"}
      actions={
        <>
          {take}
          <Button size="small" onClick={onAskControl}>
            {screen.controllerName === undefined ? "Take control" : again ? "Ask again" : "Ask for control"}
          </Button>
        </>
      }
    >
      {screen.takenBy !== undefined
        ? `${screen.takenBy} took control of this phone.`
        : again
          ? `${who} keeps control for now.`
          : `${who} controls this phone.`}
    </Strip>
  );
}

function Uncovered({ at, mayPay }: { readonly at: string; readonly mayPay: boolean }) {
  const ways = usePanelWays();
  const now = useNow(true);
  if (!uncoveredSoon(at, now)) return null;
  return (
    <Strip
      icon="stopwatch"
      tone="warn"
      actions={
        mayPay && (
          <Button size="small" onClick={() => ways.toAccount("billing")}>
            Top up
          </Button>
        )
      }
    >
      <span className="tabular">
        {Date.parse(at) > now ? `Nothing covers this phone after ${clockTime(at)}.` : "Nothing covers this phone now."}
        {!mayPay && " Ask who pays for the team."}
      </span>
    </Strip>
  );
}

function ParksIn({ at }: { readonly at: string }) {
  const now = useNow(true);
  const left = timeLeft(at, now);
  return (
    <span className="tabular">
      {left === "now" ? "Parking now: nobody used it." : `Nobody uses it. Parks in ${left}.`}
    </span>
  );
}
