/** What is on the screen as a tree of roles and names, for automations and assistive use. */

import { z } from "zod";
import type { UiNode } from "../../driver.ts";
import type { CdpSession } from "./cdp.ts";
import { agentCalls, agentSource } from "./page-agent.ts";
import type { Tab } from "./tab.ts";

const fraction = z.number().min(0).max(1);
const node: z.ZodType<UiNode> = z.object({
  role: z.string().max(100),
  name: z.string().max(200),
  bounds: z.object({ x: fraction, y: fraction, width: fraction, height: fraction }),
  get children() {
    return z.array(node);
  },
});

/** The tree of the page in the foreground, or of the phone's own page when that is. @throws CdpError */
export async function screenTree(tab: Tab | undefined, system: CdpSession, channel: string): Promise<UiNode> {
  const value =
    tab === undefined
      ? await system
          .send("Runtime.evaluate", { expression: `${agentSource(channel)};${agentCalls.tree()}`, returnByValue: true })
          .then((answer) => answer.result.value)
      : await tab.ask(agentCalls.tree());
  const children = z.array(node).safeParse(value);
  return {
    role: "screen",
    name: tab?.title ?? "Web phone",
    bounds: { x: 0, y: 0, width: 1, height: 1 },
    children: children.data ?? [],
  };
}
