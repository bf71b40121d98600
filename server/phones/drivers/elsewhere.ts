/** Web phones on a node that has none: other nodes do, so what they can do is known here, and nothing else. */
import { WEB_PHONE } from "../../../shared/phone-model.ts";
import { PerchError } from "../../errors.ts";
import type { PhoneDriver } from "../driver.ts";
import { WEB_CAN } from "./web/abilities.ts";

function notHere(): PerchError {
  return new PerchError("unavailable", "This node of the server has no web phones. Try again in a moment.");
}
const refuse = () => Promise.reject(notHere());
const refuseNow = () => {
  throw notHere();
};

export function createElsewhere(): PhoneDriver {
  return {
    ...{ kind: "web", capabilities: WEB_PHONE, isElsewhere: true },
    models: async () => [],
    ...{ create: refuse, start: refuse, park: refuse, remove: refuse, openUrl: refuse, input: refuse, rotate: refuse },
    ...{ configure: refuse, screenshot: refuse, tree: refuse, installWebApp: refuse },
    state: async () => "unknown",
    screen: refuseNow,
    automation: {
      can: WEB_CAN,
      ...{ opened: refuse, elements: refuse, findByCss: refuse, target: refuse, still: refuse, hideKeyboard: refuse },
      ...{ closeApp: refuse, clearState: refuse, setPermissions: refuse, setAirplaneMode: refuse },
    },
    files: { list: refuse, read: refuse, remove: refuse },
    clipboard: { write: refuse, read: refuse },
    onEvent: () => () => {},
    recover: async () => [],
    runningPhones: () => new Set(),
    movingPhones: () => 0,
    close: async () => {},
  };
}
