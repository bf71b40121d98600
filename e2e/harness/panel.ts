/** What a person does in the panel, by the names on its buttons. */
import type { Page } from "playwright-core";

/** ⋯ of the hardware bar → "Open an address…". */
export async function openAddress(panel: Page, url: string): Promise<void> {
  await panel.getByRole("button", { name: "More", exact: true }).click();
  await panel.getByRole("menuitem", { name: "Open an address…" }).click();
  const field = panel.getByLabel("Address to open on the phone");
  await field.fill(url);
  await field.press("Enter");
  await field.waitFor({ state: "detached" });
}

/** ⋯ of the header. */
export async function phoneMenu(panel: Page, item: string): Promise<void> {
  await panel.getByRole("button", { name: "More about this phone" }).click();
  await panel.getByRole("menuitem", { name: item }).click();
}

/** One of the tabs at the edge: Phone, Automations, Activity, Privacy, Account. */
export async function showTab(panel: Page, name: string): Promise<void> {
  await panel.getByRole("tab", { name }).click();
  await panel.getByRole("tabpanel", { name }).waitFor();
}

/** What stands in the field an automation is written in. */
export async function editorText(panel: Page): Promise<string> {
  const lines = panel.getByRole("textbox", { name: "Steps" }).locator(".cm-line");
  return (await lines.allTextContents()).join("\n");
}
