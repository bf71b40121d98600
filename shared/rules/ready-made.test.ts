import { describe, expect, it } from "vitest";
import { type AutomationCapabilities, validateFor } from "../flows/capabilities.ts";
import { parseFlow } from "../flows/parse.ts";
import { originsOf, startsOf, tierOf } from "./consent.ts";
import { evaluate } from "./evaluate.ts";
import type { Rule } from "./model.ts";
import type { Facts, PageFacts } from "./page-facts.ts";
import { parseRule } from "./parse-rule.ts";
import { READY_MADE, type ReadyMade, type ReadyMadeKey, ruleFrom } from "./ready-made.ts";
import { findRegex, regexProblems } from "./regex.ts";
import { FLOW_ID, makeFacts, PHONE_ID, RULE_ID } from "./rule.fixture.ts";

const own = {
  id: RULE_ID,
  flowId: FLOW_ID,
  phone: PHONE_ID,
  scope: ["https://shop.example/*"],
  timeZone: "Europe/Berlin",
};

/** A phone that can do nothing beyond the language's core. */
const LEAST: AutomationCapabilities = {
  apps: false,
  css: false,
  clearState: false,
  permissions: false,
  location: false,
  darkMode: false,
  airplaneMode: false,
  addMedia: false,
  recording: false,
};

function made(key: ReadyMadeKey): Rule {
  const found = READY_MADE.find((one) => one.key === key);
  if (found === undefined) throw new Error(`There is no ready-made rule ${key}.`);
  const parsed = parseRule(ruleFrom(found, own));
  if (!parsed.ok) throw new Error(parsed.problems.map(({ path, message }) => `${path}: ${message}`).join("\n"));
  return parsed.rule;
}

describe("ready-made rules", () => {
  it.each(READY_MADE.map((one) => [one.key, one] as const))(
    "%s can be saved, and gives its flow every input",
    (key, one) => {
      const rule = made(key);
      expect(regexProblems(rule)).toEqual([]);
      const asked = "flow" in one ? /inputs: \[(.*)\]/.exec(one.flow)?.[1]?.split(", ") : [];
      expect(Object.keys(rule.action.inputs)).toEqual(asked);
    },
  );
  it.each(READY_MADE.flatMap((one) => ("flow" in one ? [[one.key, one.flow] as const] : [])))(
    "%s brings a flow that runs on any kind of phone",
    (_key, source) => {
      const { flow, diagnostics } = parseFlow(source);
      expect(diagnostics).toEqual([]);
      expect(flow && validateFor(flow, LEAST)).toEqual([]);
    },
  );
  it("open an app without restarting it or allowing it anything, and otherwise its page in the store", () => {
    const readyMade: ReadyMade | undefined = READY_MADE.find(({ key }) => key === "open-app");
    const { flow } = parseFlow(readyMade?.flow ?? "");
    const [first, second] = flow?.steps ?? [];
    expect(first?.command).toMatchObject({ link: `https://play.google.com/store/apps/details?id=\${package}` });
    expect(second?.command).toMatchObject({
      when: { platform: "android" },
      steps: {
        commands: [{ optional: true, command: { appId: `\${package}`, stopApp: false, permissions: {} } }],
      },
    });
  });
  it("need no site's permission, but for those that act on sites a person chose", () => {
    const tiers = Object.fromEntries(READY_MADE.map(({ key }) => [key, tierOf(made(key))]));
    expect(tiers).toEqual({ ...Object.fromEntries(READY_MADE.map(({ key }) => [key, 0])), "product-in-app": 2 });
    expect(originsOf(made("product-in-app"))).toEqual(own.scope);
    expect(startsOf(made("weekday-morning"))).toEqual(["schedule"]);
  });
  const product: Partial<PageFacts> = { jsonLd: ['{"@type":"Product"}'] };
  const play = "https://play.google.com/store/apps/details?id=com.shop.app";
  it.each<[ReadyMadeKey, Facts, string | undefined]>([
    ["open-page", makeFacts({ start: "click" }), makeFacts().url],
    ["install-app", makeFacts({ start: "click", url: play }), "com.shop.app"],
    [
      "install-app",
      makeFacts({ start: "click" }, { meta: [{ name: "google-play-app", content: "app-id=com.shop.app" }] }),
      "com.shop.app",
    ],
    ["open-app", makeFacts({ start: "click", url: play }), "com.shop.app"],
    [
      "open-app",
      makeFacts({ start: "click" }, { meta: [{ name: "al:android:package", content: "com.shop.app" }] }),
      "com.shop.app",
    ],
    [
      "send-link",
      makeFacts({ start: "menu", menu: { on: ["link"], link: "https://a.example/x" } }),
      "https://a.example/x",
    ],
    [
      "send-image",
      makeFacts({ start: "menu", menu: { on: ["image"], media: "https://a.example/x.png" } }),
      "https://a.example/x.png",
    ],
    [
      "send-selection",
      makeFacts({ start: "menu", menu: { on: ["selection"], selection: " two\n words " } }),
      "two words",
    ],
    ["product-in-app", makeFacts({}, product), makeFacts().url],
    [
      "test-deep-link",
      makeFacts({ start: "click" }, { meta: [{ name: "al:android:url", content: "shop://p/42" }] }),
      "shop://p/42",
    ],
    ["weekday-morning", makeFacts({ start: "schedule", at: Date.UTC(2026, 10, 26, 8), url: "" }), undefined],
  ])("%s fits where it should", (key, facts, value) => {
    const evaluation = evaluate(made(key), facts, findRegex);
    expect(evaluation).toMatchObject({ fits: true });
    expect(evaluation.values[0]?.value).toBe(value);
  });
  it.each<[ReadyMadeKey, Facts]>([
    ["open-page", makeFacts()],
    ["install-app", makeFacts({ start: "click" })],
    ["open-app", makeFacts({ start: "click" })],
    [
      "open-app",
      makeFacts({ start: "click" }, { meta: [{ name: "al:android:package", content: "com.shop.app; rm -rf /" }] }),
    ],
    ["send-link", makeFacts({ start: "menu", menu: { on: ["link"], link: "javascript:alert(1)" } })],
    ["product-in-app", makeFacts()],
    ["test-deep-link", makeFacts({ start: "click" }, { meta: [{ name: "al:android:url", content: "intent://x" }] })],
    ["weekday-morning", makeFacts({ start: "schedule", at: Date.UTC(2026, 10, 28, 8), url: "" })],
  ])("%s does not where it should not", (key, facts) => {
    expect(evaluate(made(key), facts, findRegex).fits).toBe(false);
  });
});
