/** What lies over the picture, or stands in its place, while it is not live. */
import type { ReactNode } from "react";
import { Button, Spinner } from "../../components/button.tsx";
import { useNow } from "../../components/use-now.ts";
import { type EndedAction, lostSentence, type PhoneView } from "./model/phone-view.ts";

export interface StageOverlayProps {
  readonly view: Exclude<PhoneView, { kind: "first_use" | "live" }>;
  /** The button that starts the phone, where the person may. */
  readonly start: ReactNode;
  readonly onReconnect: () => void;
  readonly onSignIn: () => void;
}

export function StageOverlay(props: StageOverlayProps): ReactNode {
  const { view } = props;
  const { start } = props;
  switch (view.kind) {
    case "starting":
      return <Message busy title={view.title} detail={view.detail} />;
    case "connecting":
      return <Message late busy title="Connecting" />;
    case "parking":
      return <Message busy title="Parking" detail="Saving what is on the phone." />;
    case "parked":
      return (
        <Message title="Parked" detail={view.detail}>
          {start}
        </Message>
      );
    case "failed":
      return (
        <Message title="Stopped" detail={view.detail}>
          {view.canStart && start}
        </Message>
      );
    case "reconnecting":
      return (
        <Message busy title="Reconnecting" detail={view.detail}>
          <Button size="small" onClick={props.onReconnect}>
            Try now
          </Button>
        </Message>
      );
    case "unreachable":
      return <Lost view={view} />;
    case "ended":
      return (
        <Message title={view.title} detail={view.detail}>
          <EndedButton action={view.action} {...props} />
        </Message>
      );
  }
}

function Lost({ view }: { readonly view: Extract<PhoneView, { kind: "unreachable" }> }) {
  const now = useNow(true);
  return (
    <Message busy title="Out of reach" detail={lostSentence(view.since, now)}>
      {view.why !== undefined && <p className="secondary">{view.why}</p>}
    </Message>
  );
}

function EndedButton(props: StageOverlayProps & { readonly action: EndedAction }): ReactNode {
  switch (props.action) {
    case "start":
      return props.start;
    case "reconnect":
      return (
        <Button kind="primary" icon="refresh" onClick={props.onReconnect}>
          Reconnect
        </Button>
      );
    case "sign_in":
      return (
        <Button kind="primary" icon="key" onClick={props.onSignIn}>
          Sign in
        </Button>
      );
    case "none":
      return null;
  }
}

interface MessageProps {
  readonly title: string;
  readonly detail?: string;
  readonly busy?: boolean;
  /** Appears only after 200 ms: quick steps never flash. */
  readonly late?: boolean;
  readonly children?: ReactNode;
}

function Message({ title, detail, busy = false, late = false, children }: MessageProps) {
  return (
    <div className={`stage-message${late ? " stage-message-late" : ""}`}>
      <h2>
        {busy && <Spinner />}
        {title}
      </h2>
      {detail !== undefined && <p>{detail}</p>}
      {children}
    </div>
  );
}
