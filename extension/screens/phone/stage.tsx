/** The picture of the phone, letterboxed and never cropped, with what lies over it. */
import { type ReactNode, type Ref, useImperativeHandle, useRef } from "react";
import type { Phone } from "../../../shared/phones.ts";
import { Icon } from "../../components/icon.tsx";
import type { Place } from "./live/touches.ts";
import { useFileDrop } from "./uploads/file-drop.tsx";

/** What the screen session draws into and listens on. */
export interface StageHandle {
  readonly canvas: HTMLCanvasElement | null;
  readonly frame: HTMLElement | null;
  readonly keys: HTMLTextAreaElement | null;
  /** Draws the dots under the fingers at once, without waiting for the phone. */
  showTouches(places: readonly Place[]): void;
  /** Typing goes to the phone from now on. */
  focusKeys(): void;
  /** Typing comes back to the panel. */
  leave(): void;
}

export interface StageProps {
  readonly phone: Phone;
  readonly size: { readonly width: number; readonly height: number };
  readonly live: boolean;
  readonly usable: boolean;
  /** Object URL of an earlier picture, while there is no newer one. */
  readonly lastPicture: string | undefined;
  readonly overlay: ReactNode;
  readonly onTyping: (typing: boolean) => void;
  /** Files dropped on the picture; absent where the phone takes none. */
  readonly onFiles: ((files: readonly File[], folders: number) => void) | undefined;
  readonly ref: Ref<StageHandle>;
}

export function Stage({ phone, size, live, usable, lastPicture, overlay, onTyping, onFiles, ref }: StageProps) {
  const drop = useFileDrop(onFiles);
  const canvas = useRef<HTMLCanvasElement>(null);
  const frame = useRef<HTMLDivElement>(null);
  const keys = useRef<HTMLTextAreaElement>(null);
  const dots = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another phone has a frame and a canvas of its own
  useImperativeHandle(
    ref,
    () => ({
      canvas: canvas.current,
      frame: frame.current,
      keys: keys.current,
      showTouches(places) {
        dots.current?.replaceChildren(...places.map(dotAt));
      },
      focusKeys: () => keys.current?.focus({ preventScroll: true }),
      leave: () => frame.current?.focus({ preventScroll: true }),
    }),
    [phone.id],
  );
  return (
    <div className="stage" {...drop.handlers}>
      <div
        key={phone.id}
        ref={frame}
        className={`picture${live ? "" : " picture-dimmed"}`}
        style={{
          width: `min(100cqw, ${(100 * size.width) / size.height}cqh)`,
          aspectRatio: `${size.width} / ${size.height}`,
        }}
        role="application"
        aria-roledescription="phone screen"
        aria-label={
          usable ? `${phone.name}. Enter types on the phone, Escape twice leaves.` : `${phone.name}, not in use.`
        }
        // The phone's screen is one control of its own.
        // biome-ignore lint/a11y/noNoninteractiveTabindex: role=application takes keys
        tabIndex={0}
        onKeyDown={(event) => {
          if (event.key === "Enter" && usable && event.target === frame.current) {
            event.preventDefault();
            keys.current?.focus({ preventScroll: true });
          }
        }}
        onPointerDown={(event) => {
          // A finger on a touch screen would bring up the computer's own keyboard.
          if (usable && event.pointerType === "mouse") keys.current?.focus({ preventScroll: true });
        }}
        // Pressing the picture must not take the focus from the field that types.
        onMouseDown={(event) => event.preventDefault()}
      >
        {lastPicture !== undefined && <img className="picture-last" src={lastPicture} alt="" />}
        <canvas ref={canvas} width={0} height={0} />
        <div className="touch-dots" ref={dots} />
        <textarea
          ref={keys}
          className="picture-keys"
          aria-label={`Type on ${phone.name}`}
          tabIndex={-1}
          disabled={!usable}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          onFocus={() => onTyping(true)}
          onBlur={() => onTyping(false)}
          onKeyDown={(event) => event.stopPropagation()}
        />
      </div>
      {overlay !== null && <div className="stage-overlay">{overlay}</div>}
      {drop.over && (
        <div className="stage-drop">
          <Icon name="upload" size={20} />
          Drop to send to {phone.name}
        </div>
      )}
    </div>
  );
}

function dotAt({ x, y }: Place): HTMLElement {
  const dot = document.createElement("span");
  dot.className = "touch-dot";
  dot.style.left = `${x * 100}%`;
  dot.style.top = `${y * 100}%`;
  return dot;
}
