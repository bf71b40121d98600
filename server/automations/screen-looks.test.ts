import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findElements } from "../../shared/flows/match.ts";
import { newId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import { createScreenLooks } from "./screen-looks.ts";
import { type OpenRuns, openRuns } from "./testing/harness.ts";

const HEAD =
  "url: https://shop.example/\nenv: {WHAT: Buy}\ninputs:\n  - {name: ITEM, default: Chair}\n  - EMAIL\n---\n";
const LINE = 7;

describe("what a step means on the screen", () => {
  let at: OpenRuns;
  beforeEach(async () => {
    at = await openRuns();
    at.driver.items = [
      { text: "Buy", id: "buy", onTap() {} },
      { text: "Chair" },
      { text: "Buy" },
      { text: "secret words", id: "password", password: true, field: true },
    ];
  });
  afterEach(() => at.dispose());
  const looks = () =>
    createScreenLooks({
      find: findElements,
      async phone(scope, id) {
        if ((await at.repo.find(scope, id)) === undefined) throw new PerchError("not_found", "No such phone.");
        at.lifecycle.runningDriver(id);
        return at.driver.automation;
      },
    });
  const matches = (step: string, line = LINE) =>
    looks().matches(at.scope, { phoneId: at.phoneId, source: `${HEAD}${step}\n`, line });

  it("is counted and outlined, what would be tapped first", async () => {
    expect(await matches("- tapOn: Buy")).toEqual({
      step: { path: "0", line: LINE, selects: true },
      count: 2,
      matches: [
        { words: "Buy", bounds: { x: 0, y: 0, width: 1, height: 0.1 } },
        { words: "Buy", bounds: { x: 0, y: 0.2, width: 1, height: 0.1 } },
      ],
    });
    expect(await matches("- tapOn: Nothing like it")).toMatchObject({ count: 0, matches: [] });
    expect(await matches("- tapOn:\n    id: buy\n- bakk", LINE + 1)).toMatchObject({ count: 1, step: { path: "0" } });
  });

  it("takes values of the header, and says when only a run has one", async () => {
    expect(await matches("- tapOn: ${WHAT}")).toMatchObject({ count: 2 });
    expect(await matches("- tapOn: ${ITEM}")).toMatchObject({ count: 1 });
    expect(await matches("- tapOn: ${COLOUR || 'Chair'}")).toMatchObject({ count: 1 });
    for (const source of ["${EMAIL}", "${WHAT + ITEM}", "${constructor}"]) {
      const answer = await matches(`- tapOn: "${source}"`);
      expect(answer).toMatchObject({ count: 0, matches: [] });
      expect(answer.note).toMatch(/has a value only while it runs/);
    }
  });

  it("says what is no element: a place, another command, no step, a bad CSS selector", async () => {
    expect(await matches("- tapOn: {point: '50%,50%'}")).toMatchObject({ note: expect.stringContaining("50%,50%") });
    expect(await matches("- back")).toEqual({ step: { path: "0", line: LINE, selects: false }, count: 0, matches: [] });
    expect(await matches("- back", 1)).toEqual({ count: 0, matches: [] });
  });

  it("offers what can be named, and never a password", async () => {
    const words = await looks().onScreen(at.scope, at.phoneId);
    expect(words).toEqual({ texts: ["Buy", "Chair"], ids: ["buy", "password"] });
    expect(JSON.stringify(words)).not.toContain("secret words");
  });

  it("needs a phone of the team that runs", async () => {
    await expect(looks().onScreen(at.scope, newId("phone"))).rejects.toMatchObject({ code: "not_found" });
    await at.phones.park(at.scope, at.phoneId);
    await expect(matches("- tapOn: Buy")).rejects.toMatchObject({ code: "phone_not_running" });
  });
});
