import type { UiElement, UiTree } from "../../../../shared/ui-tree.ts";
import type { UiNode } from "../../driver.ts";

/** The elements automations see, as people's screen readers are told of them. A password's text is nobody's. */
export function treeOf({ root }: UiTree): UiNode {
  const node = ({ role, text, accessibilityText, hint, password, bounds, children }: UiElement): UiNode => ({
    role,
    name: accessibilityText || (password ? "" : text) || hint,
    bounds,
    children: children.map(node),
  });
  return node(root);
}
