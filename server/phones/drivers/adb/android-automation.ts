/** The automation port of many phones over that of each. */
import type { AutomationCapabilities } from "../../../../shared/flows/capabilities.ts";
import type { PhoneId } from "../../../../shared/ids.ts";
import type { UiElement, UiTree } from "../../../../shared/ui-tree.ts";
import type { PhoneAutomation } from "../../automation-port.ts";
import type { UiNode } from "../../driver.ts";
import type { AndroidAutomation } from "./ports.ts";

export function automationById(of: (id: PhoneId) => AndroidAutomation, can: AutomationCapabilities): PhoneAutomation {
  return {
    can,
    opened: async (id, withinMs) => of(id).opened(withinMs),
    elements: async (id, how) => of(id).elements(how),
    elementAt: async (id, x, y) => (await of(id).elementAt?.(x, y)) ?? [],
    address: async (id) => of(id).address?.(),
    findByCss: async (id, css) => of(id).findByCss(css),
    target: async (id, ref, withinMs) => of(id).target(ref, withinMs),
    still: async (id, withinMs) => of(id).still(withinMs),
    hideKeyboard: async (id) => of(id).hideKeyboard(),
    closeApp: async (id, app) => of(id).closeApp(app),
    clearState: async (id, app) => of(id).clearState(app),
    setPermissions: async (id, values) => of(id).setPermissions(values),
    setAirplaneMode: async (id, on) => of(id).setAirplaneMode(on),
    addMedia: async (id, name, bytes) => of(id).addMedia?.(name, bytes),
  };
}

/** The same elements as people's screen readers are told of them. */
export function treeOf({ root }: UiTree): UiNode {
  const node = ({ role, text, accessibilityText, hint, password, bounds, children }: UiElement): UiNode => ({
    role,
    name: accessibilityText || (password ? "" : text) || hint,
    bounds,
    children: children.map(node),
  });
  return node(root);
}
