/** Under the picture while a phone is recorded: how many steps, the last one in words, and what can be done about it. */
import { type RefObject, useCallback, useEffect, useId, useRef, useState } from "react";
import type { Phone } from "../../../shared/phone-model.ts";
import { IconButton } from "../../components/button.tsx";
import { Icon } from "../../components/icon.tsx";
import { useToast } from "../../components/toast.tsx";
import { useCall } from "../panel/use-call.ts";
import type { RecordButton } from "../phone/hardware-bar.tsx";
import type { Intercept } from "../phone/use-screen.ts";
import { FinishDialog } from "./recording-finish.tsx";
import { RecordingSteps } from "./recording-steps.tsx";
import { useRecording } from "./use-recording.ts";
import "./recording.css";

export interface RecordingBarProps {
  readonly phone: Phone;
  /** Live and in control. */
  readonly usable: boolean;
  /** Where touches of the picture can be taken before the phone gets them. */
  readonly intercept: RefObject<Intercept | undefined>;
  /** What the Record button shows and does. */
  readonly onButton: (button: RecordButton | undefined) => void;
  /** Grows with each wish to record that was made elsewhere. */
  readonly wish: number;
  /** Saved; the Automations screen opens at it. */
  readonly onSaved: () => void;
}

export function RecordingBar({ phone, usable, intercept, onButton, wish, onSaved }: RecordingBarProps) {
  const calls = useCall();
  const toast = useToast();
  const { recording, known, act, leave } = useRecording({ phoneId: phone.id }, calls);
  const [open, setOpen] = useState(false);
  const [finishing, setFinishing] = useState(false);
  const [asserting, setAsserting] = useState(false);
  const listId = useId();
  const recordingId = recording?.id;
  const on = recording?.state === "recording";
  const busy = calls.busy("start") || calls.busy("pause");

  const toggle = useCallback(() => {
    if (recordingId === undefined) {
      void act("start", (api) => api.recordings.start.mutate({ phoneId: phone.id }));
      return;
    }
    // What is done on the way to saving is not part of it.
    void act("pause", (api) => api.recordings.pause.mutate({ recordingId })).then(
      (paused) => paused && setFinishing(true),
    );
  }, [act, recordingId, phone.id]);
  const latest = useRef(toggle);
  latest.current = toggle;
  useEffect(() => {
    onButton(known ? { on: recordingId !== undefined, busy, onToggle: () => latest.current() } : undefined);
    return () => onButton(undefined);
  }, [onButton, known, recordingId, busy]);

  const granted = useRef(0);
  useEffect(() => {
    if (wish === granted.current || !known || !usable) return;
    granted.current = wish;
    if (recordingId === undefined) latest.current();
  }, [wish, known, usable, recordingId]);

  useEffect(() => {
    if (!asserting || recordingId === undefined) return;
    intercept.current = (message) => {
      if (message.type !== "touch") return false;
      if (message.phase === "start" && message.id === 0) {
        const { x, y, seq: frameSeq } = message;
        void act("assert", (api) => api.recordings.assertVisible.mutate({ recordingId, x, y, frameSeq }));
      }
      if (message.phase === "end" || message.phase === "cancel") setAsserting(false);
      return true;
    };
    // Before the field that types on the phone gets it.
    const leaveMode = (event: KeyboardEvent) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      setAsserting(false);
    };
    document.addEventListener("keydown", leaveMode, { capture: true });
    return () => {
      intercept.current = undefined;
      document.removeEventListener("keydown", leaveMode, { capture: true });
    };
  }, [asserting, recordingId, intercept, act]);

  if (recording === undefined || recordingId === undefined) return null;
  const last = recording.recorded.at(-1);
  const count = recording.steps === 1 ? "1 step" : `${recording.steps} steps`;
  return (
    <section className={`recording-bar${on ? " recording-on" : ""}`} aria-label="Recording">
      <div className="recording-head">
        <Icon name={on ? "record" : "park"} />
        <div className="recording-words" role="status" aria-live="polite">
          <span className="tabular">
            {on ? "Recording" : "Paused"} · {count}
          </span>
          <span className="secondary">
            {asserting
              ? "Tap what must be visible. Esc: not now"
              : (recording.note ?? last?.words ?? "Use the phone as usual.")}
          </span>
        </div>
        {on ? (
          <>
            <IconButton
              icon="eye"
              label="Assert this: tap what must be visible"
              tooltip="left"
              pressed={asserting}
              disabled={!usable}
              busy={calls.busy("assert")}
              onClick={() => setAsserting(!asserting)}
            />
            <IconButton
              icon="park"
              label="Pause recording"
              tooltip="left"
              busy={calls.busy("pause")}
              onClick={() => void act("pause", (api) => api.recordings.pause.mutate({ recordingId }))}
            />
          </>
        ) : (
          <IconButton
            icon="start"
            label="Go on recording"
            tooltip="left"
            disabled={!usable}
            busy={calls.busy("resume")}
            onClick={() => void act("resume", (api) => api.recordings.resume.mutate({ recordingId }))}
          />
        )}
        <IconButton icon="stop" label="Stop" tooltip="left" busy={busy} onClick={toggle} />
        <IconButton
          icon={open ? "chevronDown" : "chevronRight"}
          label={open ? "Hide the steps" : "Show the steps"}
          tooltip="left"
          aria-expanded={open}
          aria-controls={listId}
          onClick={() => setOpen(!open)}
        />
      </div>
      <div id={listId} hidden={!open}>
        {open && <RecordingSteps recording={recording} act={act} busy={calls.busy} />}
      </div>
      {finishing && (
        <FinishDialog
          recording={recording}
          calls={calls}
          onClose={() => {
            setFinishing(false);
            // Who does not save after all goes on, where that is possible.
            if (usable) void act("resume", (api) => api.recordings.resume.mutate({ recordingId }));
          }}
          onSaved={() => {
            setFinishing(false);
            leave();
            toast({ text: "Saved as an automation." });
            onSaved();
          }}
          onDiscarded={() => {
            setFinishing(false);
            leave();
            toast({ text: "The recording was discarded." });
          }}
        />
      )}
    </section>
  );
}
