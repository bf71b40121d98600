/** The team's page and its activity in a real Chromium against the stub server: who may do what, and who did. */
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, inject, it } from "vitest";
import type { Role } from "../../shared/access.ts";
import { newId } from "../../shared/ids.ts";
import { extensionBuild } from "../harness/builds.ts";
import { ExtensionBrowser } from "../harness/chromium.ts";
import { until } from "../harness/until.ts";
import { checkLooks } from "./looks.ts";
import { openPanelPage, SIGNED_IN, storeSignIn } from "./panel-page.ts";
import { memberOf, stubInvitations, stubMembers, stubTeamLog } from "./stub-account.ts";
import { type StubServer, startStubServer } from "./stub-server.ts";

const executable = inject("chromium");

describe.skipIf(executable === undefined)("the team", () => {
  let browser: ExtensionBrowser;
  let server: StubServer;
  let page: Page;

  beforeAll(async () => {
    browser = await ExtensionBrowser.launch({ executable: executable ?? "", extension: extensionBuild("chrome") });
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    server = await startStubServer();
    await storeSignIn(browser.context, server.origin, SIGNED_IN);
  });
  afterEach(async () => {
    await page.close();
    await server.stop();
  });

  const button = (name: string | RegExp) => page.getByRole("button", { name, exact: typeof name === "string" });
  const dialog = () => page.getByRole("dialog").last();
  const says = (words: string | RegExp) => page.getByText(words).first().waitFor();
  const choose = (item: string) => page.getByRole("menuitem", { name: item }).click();
  const team = () => {
    const found = server.state.account.teams.get(server.state.me.team.id);
    if (found === undefined) throw new Error("The stub works in no team.");
    return found;
  };
  const roleOf = (name: string) => team().members.find((member) => member.name === name)?.role;

  /** Opens the panel as a member with `role` of a team of five. */
  async function openAs(role: Role): Promise<void> {
    server.state.me = { ...server.state.me, team: { ...server.state.me.team, role } };
    Object.assign(team(), { role, members: stubMembers(server.state.me, role), invitations: stubInvitations() });
    page = await openPanelPage(browser.context);
  }
  async function showTeam(): Promise<void> {
    await page.getByRole("tab", { name: "Account" }).click();
    await button(/^Ada's team/).click();
    await page.getByRole("list", { name: "Members" }).waitFor();
  }

  it("shows members with their roles as far as one may change them, and the table the server enforces", async () => {
    await openAs("owner");
    await showTeam();
    await button("Role of Ben Adeyemi").click();
    await checkLooks(page, "team-role-menu");
    await page.getByRole("menuitemradio", { name: /^Viewer/ }).click();
    await says("Ben Adeyemi is viewer now.");
    expect(roleOf("Ben Adeyemi")).toBe("viewer");
    await button("Role of Chloé Martin").click();
    await page.getByRole("menuitemradio", { name: /^Owner/ }).click();
    await dialog().getByRole("button", { name: "Cancel" }).click();
    expect(roleOf("Chloé Martin")).toBe("viewer");
    await button("Role of Accounts payable").click();
    await choose("Remove from the team…");
    await says("Accounts payable loses everything of Ada's team at once");
    await dialog().getByRole("button", { name: "Remove" }).click();
    await says("Accounts payable is out of Ada's team.");
    await page.getByText("What each role may do").click();
    await page.getByRole("row", { name: /^Take a phone over/ }).waitFor();
    await checkLooks(page, "team", 1500);
  });

  it("invites by mail, sends again and withdraws", async () => {
    await openAs("admin");
    await showTeam();
    await button("Invite").click();
    await dialog().getByLabel("E-mail address").fill("nobody");
    await dialog().getByRole("button", { name: "Invite" }).click();
    await says("This is not an e-mail address.");
    expect(await dialog().getByLabel("Role").locator("option").allTextContents()).not.toContain("Owner");
    await checkLooks(page, "team-invite");
    await dialog().getByLabel("E-mail address").fill("mary@example.com");
    await dialog().getByLabel("Role").selectOption({ label: "Viewer" });
    await dialog().getByRole("button", { name: "Invite" }).dblclick();
    await says("mary@example.com gets a mail with the invitation.");
    await button("More about the invitation of katherine.with-a-long-address@example.com").click();
    await choose("Send again");
    await says("The earlier one stops working.");
    await button("More about the invitation of dorothy@example.com").click();
    await choose("Withdraw");
    await says("The invitation of dorothy@example.com is withdrawn.");
    expect(team().invitations.map(({ email, role, expired }) => [email, role, expired])).toEqual([
      ["katherine.with-a-long-address@example.com", "viewer", false],
      ["mary@example.com", "viewer", false],
    ]);
  });

  it("asks everybody for a second factor, hands over ownership, and is left for the other team", async () => {
    server.state.account.provenUntilMs = 0;
    await openAs("owner");
    const other = server.state.account.addTeam(newId("team"), "Other team", "viewer", [
      memberOf(server.state.me, "viewer"),
    ]);
    await showTeam();
    await button("Leave the team").click();
    await dialog().getByRole("button", { name: "Leave" }).click();
    await says("You are the only owner. Hand over ownership first, or close the team.");
    await dialog().getByRole("button", { name: "Stay" }).click();
    const required = page.getByRole("switch", { name: "Second factor for everybody" });
    await required.click();
    await says("Ben Adeyemi and Accounts payable have none yet");
    await dialog().getByRole("button", { name: "Ask for it" }).click();
    await dialog().getByRole("button", { name: "Confirm" }).click();
    await says("Everybody needs a second factor now.");
    await until("the switch", async () => (await required.getAttribute("aria-checked")) === "true");
    await button("Hand over").click();
    await dialog().getByLabel("To").selectOption({ label: "Ben Adeyemi (ben@example.com)" });
    await dialog().getByRole("button", { name: "Make Ben Adeyemi the owner" }).click();
    await says("Ben Adeyemi is the owner now, and you are an admin.");
    expect([roleOf("Ben Adeyemi"), team().role]).toEqual(["owner", "admin"]);
    await until("an admin's page", async () => (await button("Close the team").count()) === 0);
    await button("Leave the team").click();
    await dialog().getByRole("button", { name: "Leave" }).click();
    await says("You left Ada's team.");
    await button(/^Other team/).waitFor();
    expect(server.state.me.team.id).toBe(other.id);
  });

  it("shows a viewer what is, whom to ask, and nothing to press", async () => {
    await openAs("viewer");
    await showTeam();
    await says("Owners and admins change the team. Ask Grace Nakamura-Fitzgerald.");
    for (const name of [/^Role of/, "Invite", "Rename the team", "Close the team"]) {
      expect(await button(name).count()).toBe(0);
    }
    await checkLooks(page, "team-viewer", 1000);
    await button("Account").click();
    await button(/^API tokens/).click();
    await says("Your role in Ada's team makes no tokens.");
  });

  it("tells who did what, by person, kind and thing, as far back as the log goes", async () => {
    const phone = server.team.add({ name: "Pixel, tall" });
    server.state.account.teamLog = stubTeamLog([phone]);
    await openAs("operator");
    await page.getByRole("tab", { name: "Activity" }).click();
    await says("You took control of a phone");
    await checkLooks(page, "team-activity", 1100);
    const entries = () => page.getByRole("listitem").count();
    expect(await entries()).toBe(10);
    await button("Show older").click();
    await until("all of it", async () => (await entries()) === 14);
    await page.getByLabel("Person").selectOption({ label: "Ben Adeyemi" });
    await until("Ben's alone", async () => (await entries()) === 2);
    await page.getByLabel("Person").selectOption({ label: "Everybody" });
    await page.getByLabel("Kind").selectOption({ label: "Team" });
    await until("the team's alone", async () => (await entries()) === 1);
    await page.getByLabel("Kind").selectOption({ label: "Everything" });
    await button("Show only what happened to Nightly checks").click();
    await until("the token's alone", async () => (await entries()) === 1);
    await page.getByLabel("Kind").selectOption({ label: "Operator" });
    await says("Nothing like that");
    await button("Show everything").click();
    await until("everything again", async () => (await entries()) === 10);
  });

  it("does not show the team's activity to whoever only sees bills, and says whom to ask", async () => {
    await openAs("billing");
    await page.getByRole("tab", { name: "Activity" }).click();
    await says("Your role, Billing, does not show the team's activity.");
    expect(await page.getByLabel("Person").count()).toBe(0);
  });
});
