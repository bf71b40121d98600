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

/** Makes a phone where there is none yet, and waits for its picture. */
export async function firstPhone(panel: Page): Promise<void> {
  await panel.getByRole("button", { name: "New phone" }).first().click();
  await panel.getByRole("button", { name: "Make and start" }).click();
  await panel.locator(".picture:not(.picture-dimmed)").waitFor();
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

/** The words under the picture, which follow what was recorded last. */
export async function recorded(panel: Page, words: string): Promise<void> {
  const strip = panel.getByRole("region", { name: "Recording" });
  await strip.locator(".recording-words").getByText(words, { exact: true }).waitFor();
}

/** Ends the recording and saves it as an automation, whose page opens. */
export async function saveRecording(panel: Page, name: string): Promise<void> {
  await panel.getByRole("button", { name: "Stop", exact: true }).click();
  await panel.getByLabel("Name of the automation").fill(name);
  await panel.getByRole("button", { name: "Save", exact: true }).click();
  await panel.getByRole("textbox", { name: "Steps" }).waitFor();
}

/** On an automation's page: sets a secret it asks for, which allows it. */
export async function setSecret(panel: Page, name: string, value: string): Promise<void> {
  await panel.getByRole("button", { name: `Set ${name}`, exact: true }).click();
  await panel.getByLabel("Value").fill(value);
  await panel.getByRole("button", { name: "Save and allow" }).click();
  await panel.getByRole("button", { name: `Take back ${name}` }).waitFor();
}

/** ⋯ of an automation's page: a rule for it, on the sites of one pattern. */
export async function ruleForPages(panel: Page, name: string, pattern: string): Promise<void> {
  await panel.getByRole("button", { name: "More about this automation" }).click();
  await panel.getByRole("menuitem", { name: "When a page calls for it…" }).click();
  // The automation has a name too.
  await panel.getByRole("heading", { name: "New rule" }).waitFor();
  await panel.getByLabel("Name", { exact: true }).fill(name);
  await panel.getByLabel("Sites on which it may act by itself").fill(pattern);
}

/** Back to the list of automations, from wherever one of their pages is open. */
export async function toTheList(panel: Page): Promise<void> {
  const back = panel.getByRole("button", { name: "Back", exact: true });
  if (await back.isVisible()) await back.click();
  const all = panel.getByRole("button", { name: "All automations" });
  await all.or(panel.getByRole("button", { name: "New", exact: true })).waitFor();
  if (await all.isVisible()) await all.click();
}
