/** One phone: its state, how long it runs, and the one or two things to do with it. */
import type { Phone } from "../../../shared/phone-model.ts";
import { IconButton } from "../../components/button.tsx";
import { phoneStateWord, StateDot } from "../../components/state-dot.tsx";
import { runTime } from "../phone/model/run-time.ts";
import { later } from "./later.tsx";

/** Most popups have nothing to explain. */
const Reason = later(async () => (await import("./reason.tsx")).Reason);

export interface PhoneRowProps {
  readonly phone: Phone;
  /** The key that shows this phone. */
  readonly digit: number | undefined;
  readonly nowMs: number;
  readonly busy: boolean;
  readonly onShow: () => void;
  readonly onStart: () => void;
  readonly onPark: () => void;
}

export function PhoneRow({ phone, digit, nowMs, busy, onShow, onStart, onPark }: PhoneRowProps) {
  const running = phone.state === "running";
  const moving = phone.state === "creating" || phone.state === "starting" || phone.state === "parking";
  return (
    <li className="phone-row" data-line>
      <button type="button" className="phone-row-main" onClick={onShow} title={`Show ${phone.name}`}>
        <StateDot {...phone} />
        <span className="phone-row-name truncate">{phone.name}</span>
        {digit !== undefined && (
          <span className="key" aria-hidden="true">
            {digit}
          </span>
        )}
        <span className="phone-row-state secondary">
          {running && phone.startedAt !== undefined && phone.unreachableSince === undefined ? (
            <>
              <span className="sr-only">running for </span>
              <time className="tabular">{runTime(phone.startedAt, nowMs)}</time>
            </>
          ) : (
            phoneStateWord(phone)
          )}
        </span>
        {phone.state === "failed" && phone.reason !== undefined && (
          <span className="phone-row-reason secondary">
            <Reason reason={phone.reason} />
          </span>
        )}
      </button>
      {running || phone.state === "parking" ? (
        <IconButton
          icon="park"
          label={`Park ${phone.name}`}
          tooltip="left"
          busy={busy || phone.state === "parking"}
          onClick={onPark}
        />
      ) : (
        <IconButton icon="start" label={`Start ${phone.name}`} tooltip="left" busy={busy || moving} onClick={onStart} />
      )}
    </li>
  );
}
