/** Opening and closing. On a web phone an app is an address: `url`, or an `appId` that is one. */
import { type PermissionValue, permissionValue } from "../../../../shared/flows/model.ts";
import { parsePhoneUrl } from "../../../../shared/phone-model.ts";
import type { Handlers, StepContext } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { quoted } from "../words.ts";

/** The address a command or else the flow's header names. @throws StepFailure */
async function addressOf(step: StepContext, own: string | undefined): Promise<string> {
  const { url, appId } = step.flow.header;
  const text = (await step.expand(own ?? url ?? appId ?? "")).trim();
  const looksLikeAddress = /^https?:\/\//i.test(text) || text === "about:blank";
  const address = looksLikeAddress || own === undefined ? asAddress(text, looksLikeAddress) : undefined;
  if (address !== undefined) return address;
  // An app named by a flow written for Android: on a web phone that is what the header's `url` opens.
  const fallback = url === undefined ? undefined : asAddress((await step.expand(url)).trim(), true);
  if (fallback !== undefined) return fallback;
  throw new StepFailure(
    "phone_cannot",
    `A web phone opens addresses, and "${quoted(text, 80)}" is none. Write url: https://… in the flow's header.`,
  );
}

function asAddress(text: string, strict: boolean): string | undefined {
  return strict || text.includes("/") ? parsePhoneUrl(text) : undefined;
}

async function open(step: StepContext, url: string): Promise<undefined> {
  step.signal.throwIfAborted();
  await step.phone.openUrl(url);
  await step.phone.opened(step.lookupMs);
  return undefined;
}

async function close(step: StepContext, { appId }: { readonly appId?: string }): Promise<undefined> {
  await step.phone.closeApp(await addressOf(step, appId));
  return undefined;
}

/** Answers to permission questions, as flows write them. @throws StepFailure */
export async function answers(
  step: StepContext,
  templates: Readonly<Record<string, string>>,
): Promise<Record<string, PermissionValue>> {
  const values: Record<string, PermissionValue> = {};
  for (const [name, template] of Object.entries(templates)) {
    const text = (await step.expand(template)).trim();
    const value = permissionValue(text);
    if (value === undefined) {
      throw new StepFailure("phone_cannot", `A permission is allow, deny or unset, not "${quoted(text, 40)}".`);
    }
    values[name] = value;
  }
  return values;
}

export const apps: Handlers<"launchApp" | "stopApp" | "killApp" | "clearState" | "openLink"> = {
  async launchApp(step, command) {
    const address = await addressOf(step, command.appId);
    if (command.stopApp !== false || command.clearState === true) await step.phone.closeApp(address);
    if (command.clearState === true) await step.phone.clearState(address);
    if (command.permissions !== undefined) await step.phone.setPermissions(await answers(step, command.permissions));
    await open(step, address);
    return command.arguments === undefined ? undefined : "A web phone gives no launch arguments to a page.";
  },
  stopApp: close,
  killApp: close,
  async clearState(step, { appId }) {
    await step.phone.clearState(await addressOf(step, appId));
    return undefined;
  },
  async openLink(step, { link }) {
    const text = await step.expand(link);
    const address = parsePhoneUrl(text.trim());
    if (address === undefined) {
      throw new StepFailure(
        "phone_cannot",
        `"${quoted(text, 80)}" is not an address a phone can open. Use one that starts with https:// or http://.`,
      );
    }
    return open(step, address);
  },
};
