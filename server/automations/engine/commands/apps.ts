/**
 * Opening and closing. On a web phone an app is an address: `url`, or an `appId` that is one. On Android it is a package,
 * and a `url` is a link.
 */
import { type PermissionValue, permissionValue } from "../../../../shared/flows/model.ts";
import { isAppId, parseAppLink, parsePhoneUrl } from "../../../../shared/phone-model.ts";
import type { CommandOf, Handlers, StepContext } from "../context.ts";
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

/** The app a command or else the flow's header names, where apps are packages. @throws StepFailure */
export async function appOf(step: StepContext, own: string | undefined): Promise<string> {
  const text = (await step.expand(own ?? step.flow.header.appId ?? "")).trim();
  if (isAppId(text)) return text;
  throw new StepFailure(
    "phone_cannot",
    text === ""
      ? "On an Android phone an app is a package. Write appId: com.example.app in the step or the flow's header."
      : `On an Android phone an app is a package, like com.example.app, and "${quoted(text, 80)}" is none.`,
  );
}

/** The app a launch means, or the address when only that is said. */
async function launched(step: StepContext, own: string | undefined): Promise<{ app: string } | { address: string }> {
  const { appId, url } = step.flow.header;
  const named = own ?? appId ?? url ?? "";
  const text = (await step.expand(named)).trim();
  if (isAppId(text) && !(own === undefined && appId === undefined)) return { app: text };
  const address = /^https?:\/\//i.test(text) || text.includes("/") ? parsePhoneUrl(text) : undefined;
  return address === undefined ? { app: await appOf(step, own) } : { address };
}

async function launchOnAndroid(step: StepContext, command: CommandOf<"launchApp">): Promise<string | undefined> {
  const target = await launched(step, command.appId);
  if ("address" in target) {
    const given = command.clearState === true || command.permissions !== undefined || command.arguments !== undefined;
    await follow(step, () => step.phone.openLink(target.address, false));
    return given
      ? "An address was opened; state, permissions and arguments are an app's. Name it by appId."
      : undefined;
  }
  const { app } = target;
  if (command.stopApp !== false || command.clearState === true) await step.phone.closeApp(app, "stop");
  if (command.clearState === true) await step.phone.clearState(app);
  // As Maestro: an app that is launched may do everything, unless the flow says otherwise.
  const permissions = command.permissions === undefined ? ALL_ALLOWED : await answers(step, command.permissions);
  if (Object.keys(permissions).length > 0) await step.phone.setPermissions(permissions, app);
  const values: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(command.arguments ?? {})) {
    values[name] = typeof value === "string" ? await step.expand(value) : value;
  }
  return follow(step, () => step.phone.launchApp(app, values));
}

const ALL_ALLOWED = { all: "allow" } as const;

async function follow(step: StepContext, open: () => Promise<void>): Promise<undefined> {
  step.signal.throwIfAborted();
  await open();
  await step.phone.opened(step.lookupMs);
  return undefined;
}

const open = (step: StepContext, url: string) => follow(step, () => step.phone.openUrl(url));

async function named(step: StepContext, appId: string | undefined): Promise<string> {
  return step.phone.can.apps ? appOf(step, appId) : addressOf(step, appId);
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
    if (step.phone.can.apps) return launchOnAndroid(step, command);
    const address = await addressOf(step, command.appId);
    if (command.stopApp !== false || command.clearState === true) await step.phone.closeApp(address, "stop");
    if (command.clearState === true) await step.phone.clearState(address);
    if (command.permissions !== undefined) {
      await step.phone.setPermissions(await answers(step, command.permissions), undefined);
    }
    await open(step, address);
    return command.arguments === undefined ? undefined : "A web phone gives no launch arguments to a page.";
  },
  async stopApp(step, { appId }) {
    await step.phone.closeApp(await named(step, appId), "stop");
    return undefined;
  },
  async killApp(step, { appId }) {
    await step.phone.closeApp(await named(step, appId), "kill");
    return undefined;
  },
  async clearState(step, { appId }) {
    await step.phone.clearState(await named(step, appId));
    return undefined;
  },
  async openLink(step, { link, browser }) {
    const text = await step.expand(link);
    if (step.phone.can.apps) {
      const parsed = parseAppLink(text);
      if ("problem" in parsed) throw new StepFailure("phone_cannot", parsed.problem);
      return follow(step, () => step.phone.openLink(parsed.link, browser === true));
    }
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
