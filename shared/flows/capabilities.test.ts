import { describe, expect, it } from "vitest";
import { type AutomationCapabilities, validateFor } from "./capabilities.ts";
import { parseFlow } from "./parse.ts";

const ALL: AutomationCapabilities = {
  apps: false,
  css: true,
  clearState: true,
  permissions: true,
  location: true,
  darkMode: true,
  airplaneMode: true,
  addMedia: true,
  recording: true,
};
const check = (yaml: string, can: Partial<AutomationCapabilities>) => {
  const { flow } = parseFlow(`appId: a\n---\n${yaml}`);
  if (flow === undefined) throw new Error("no flow");
  return validateFor(flow, { ...ALL, ...can }).map(
    ({ line, column, severity, message }) => `${line}:${column} ${severity} ${message}`,
  );
};

describe("what a phone cannot do", () => {
  it.each([
    ["- launchApp: {clearState: true}", "clearState"],
    ["- clearState", "clearState"],
    ["- launchApp: {permissions: {all: deny}}", "permissions"],
    ["- setPermissions: {permissions: {all: deny}}", "permissions"],
    ["- setLocation: {latitude: 1, longitude: 2}", "location"],
    ["- travel: {points: ['1,2']}", "location"],
    ["- toggleDarkMode", "darkMode"],
    ["- assertLightMode", "darkMode"],
    ["- setAirplaneMode: enabled", "airplaneMode"],
    ["- addMedia: [a]", "addMedia"],
    ["- tapOn: {css: a}", "css"],
    ["- tapOn: {childOf: {containsDescendants: [{css: a}]}}", "css"],
    ["- runFlow: {file: a, when: {notVisible: {css: a}}}", "css"],
    ["- scrollUntilVisible: {element: {css: a}}", "css"],
    ["- extendedWaitUntil: {visible: {css: a}}", "css"],
    ["- takeScreenshot: {path: a, cropOn: {css: a}}", "css"],
  ] as const)("%s needs %s", (yaml, need) => {
    expect(check(yaml, {})).toEqual([]);
    expect(check(yaml, { [need]: false })).toEqual([expect.stringMatching(/^3:3 error This phone cannot /)]);
  });

  it("looks into nested steps and only warns of optional ones", () => {
    const yaml =
      "- repeat:\n    times: 2\n    commands:\n      - retry:\n          commands:\n            - addMedia: {files: [a], optional: true}\n- clearState";
    expect(check(yaml, { addMedia: false, clearState: false })).toEqual([
      expect.stringMatching(/^8:15 warning This phone cannot take media files/),
      expect.stringMatching(/^9:3 error This phone cannot clear/),
    ]);
  });

  it("says which commands no phone can do", () => {
    expect(check("- assertWithAI: {assertion: a, optional: false}", {})).toEqual([
      expect.stringMatching(/^3:3 error No phone can do `assertWithAI`/),
    ]);
  });
});
