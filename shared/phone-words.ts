/** Why a phone is as it is, in words. Apart from `phone-model.ts`, because the extension's worker has nobody to say it to. */
import type { PhoneReason } from "./phone-model.ts";

export const PHONE_REASON_WORDS: Readonly<Record<PhoneReason, string>> = {
  asked: "Parked as asked.",
  idle: "Parked because nobody used it for a while.",
  longest_session: "Parked because it reached the longest session.",
  server_stopped: "Parked because the server was stopped.",
  server_restarted: "The server restarted. Everything saved on the phone is still there.",
  browser_crashed: "The phone stopped by itself. Start it again; what was saved is still there.",
  out_of_memory: "A page used up the phone's memory. Start it again; what was saved is still there.",
  disk_full: "The phone's storage is full. Remove files or the phone.",
  no_browser: "The server has no browser to run web phones with. Ask who runs it.",
  start_failed: "The phone did not start. Try again; if it fails again, ask who runs the server.",
  balance: "Parked because no phone time and no balance was left. What is on it is still there.",
  budget: "Parked because a budget for this month is used up. What is on it is still there.",
  payment: "Parked because a payment failed. What is on it is still there.",
  device_gone: "The device went away: unplugged, switched off, or its network is gone. Connect it again, then start.",
  device_unauthorized: "The device does not trust this server. Allow USB debugging on its screen, then start again.",
  device_busy: "Another phone of this server uses the device. Park that one first.",
  host_gone: "The machine this phone runs on does not answer. What is on the phone is kept there.",
  node_gone:
    "The machine this phone runs on is gone. What is on the phone is kept there; start it again when the machine is back.",
  partner_down: "The cloud-phone partner does not answer. What is on the phone is kept there.",
  partner_stopped: "The cloud-phone partner turned it off. Start it again; what was saved is still there.",
  partner_ended: "The cloud-phone partner ended this phone's term. Ask who runs the server to renew it.",
};

const OUT_OF_REACH: Readonly<Partial<Record<PhoneReason, string>>> = {
  device_unauthorized:
    "The device does not trust this server any more. Allow USB debugging on its screen, and the phone goes on.",
  host_gone: "The machine this phone runs on does not answer. The phone goes on when it does.",
  partner_down: "The cloud-phone partner does not answer. The phone goes on when it does.",
};

/** Why a running phone cannot be reached, and what is needed so that it goes on. */
export function outOfReachWords(reason: PhoneReason | undefined): string {
  const known = reason === undefined ? undefined : OUT_OF_REACH[reason];
  return (
    known ?? "This phone is out of reach: unplugged, switched off, or its network is gone. It goes on when it is back."
  );
}
