/** The page of the live screen's browser test: the panel's own parts on a bare canvas. */
import { attachKeyboard } from "../../extension/screens/phone/live/keyboard.ts";
import { attachPointer } from "../../extension/screens/phone/live/pointer.ts";
import type { ScreenPass } from "../../extension/screens/phone/live/screen-connection.ts";
import { createScreenSession, type ScreenStats } from "../../extension/screens/phone/live/screen-session.ts";
import type { ServerMessage } from "../../shared/screen-protocol.ts";

export interface LivePage {
  start(): void;
  statuses: string[];
  messages: ServerMessage[];
  left: number;
  stats(): ScreenStats;
  /** Red, green and blue at fractions of the canvas. */
  pixel(x: number, y: number): Promise<number[]>;
}
declare global {
  interface Window {
    live: LivePage;
    /** Given by the test: a new ticket. */
    getTicket(): Promise<ScreenPass>;
  }
}

function part<E extends Element>(selector: string, kind: new () => E): E {
  const found = document.querySelector(selector);
  if (!(found instanceof kind)) throw new Error(`no ${selector}`);
  return found;
}

let stats: () => ScreenStats = () => ({ fps: 0, ageMs: undefined, roundTripMs: undefined, level: undefined });
const page: LivePage = {
  start() {
    const canvas = part("canvas", HTMLCanvasElement);
    const session = createScreenSession({
      canvas,
      getTicket: () => window.getTicket(),
      endOf: () => undefined,
      onStatus: (status) => page.statuses.push(status.state),
      onMessage: (message) => page.messages.push(message),
      onPicturesOnly: () => {},
      onSoundTrouble: () => {},
    });
    const send = session.send;
    attachPointer(canvas, { send, size: () => ({ width: 360, height: 800 }), seq: session.seq });
    const onLeave = () => {
      page.left += 1;
    };
    attachKeyboard(part("textarea", HTMLTextAreaElement), { send, onLeave });
    stats = session.stats;
  },
  statuses: [],
  messages: [],
  left: 0,
  stats: () => stats(),
  async pixel(x, y) {
    const bitmap = await createImageBitmap(part("canvas", HTMLCanvasElement));
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    context?.drawImage(bitmap, 0, 0);
    const at = context?.getImageData(Math.floor(x * bitmap.width), Math.floor(y * bitmap.height), 1, 1);
    return [...(at?.data.slice(0, 3) ?? [])];
  },
};
window.live = page;
