/** The chosen phone's live picture, small, with outlines around what the step at the cursor means. */
import { type RefObject, useRef } from "react";
import type { FlowMatches } from "../../../shared/automation-model.ts";
import type { Phone } from "../../../shared/phone-model.ts";
import { Button } from "../../components/button.tsx";
import { PHONE_STATE_WORDS } from "../../components/state-dot.tsx";
import { useCall } from "../panel/use-call.ts";
import { QUALITIES } from "../phone/model/quality.ts";
import type { StageHandle } from "../phone/stage.tsx";
import { useScreen } from "../phone/use-screen.ts";
import "./peek.css";

export interface ScreenPeekProps {
  readonly phone: Phone;
  readonly matches: FlowMatches | undefined;
  readonly mayControl: boolean;
}

const [, QUALITY] = QUALITIES;

export function ScreenPeek({ phone, matches, mayControl }: ScreenPeekProps) {
  const calls = useCall();
  if (phone.state !== "running") {
    const coming = phone.state === "starting" || phone.state === "creating";
    return (
      <div className="peek-off">
        <p className="secondary">
          {phone.name} is {PHONE_STATE_WORDS[phone.state]}. {!coming && "Running, it shows what a step means."}
        </p>
        {mayControl && !coming && (
          <Button
            size="small"
            icon="start"
            busy={calls.busy("start")}
            onClick={() => void calls.run("start", (api) => api.phones.start.mutate({ phoneId: phone.id }))}
          >
            Start it
          </Button>
        )}
      </div>
    );
  }
  return <Picture key={phone.id} phone={phone} matches={matches} />;
}

function Picture({ phone, matches }: Pick<ScreenPeekProps, "phone" | "matches">) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const screen = useScreen({ phone, active: true, mode: "view", quality: QUALITY, stage: useCanvasStage(canvas) });
  const { width, height } = screen.state.size ?? phone;
  const shown = matches?.matches ?? [];
  return (
    <div className="peek" style={{ aspectRatio: `${width} / ${height}` }}>
      <canvas ref={canvas} width={0} height={0} role="img" aria-label={`Live picture of ${phone.name}`} />
      {shown.map(({ bounds }, index) => (
        <span
          // biome-ignore lint/suspicious/noArrayIndexKey: outlines are all alike
          key={index}
          className={index === 0 ? "peek-match peek-match-first" : "peek-match"}
          style={{
            left: `${bounds.x * 100}%`,
            top: `${bounds.y * 100}%`,
            width: `${bounds.width * 100}%`,
            height: `${bounds.height * 100}%`,
          }}
        />
      ))}
    </div>
  );
}

/** A picture that is looked at, not touched. */
function useCanvasStage(canvas: RefObject<HTMLCanvasElement | null>): RefObject<StageHandle | null> {
  return useRef<StageHandle>({
    get canvas() {
      return canvas.current;
    },
    frame: null,
    keys: null,
    showTouches() {},
    focusKeys() {},
    leave() {},
  });
}
