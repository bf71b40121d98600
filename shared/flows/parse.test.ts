import { describe, expect, it } from "vitest";
import type { Command } from "./model.ts";
import { parseFlow } from "./parse.ts";

const HEAD = "appId: com.example\n---\n";
/** The one command of a flow that must have no complaints. */
function only(yaml: string): Command {
  const { flow, diagnostics } = parseFlow(HEAD + yaml);
  expect(diagnostics).toEqual([]);
  const [step, ...more] = flow?.steps ?? [];
  if (step === undefined || more.length > 0) throw new Error("not one step");
  return step.command;
}

describe("commands", () => {
  const cases: readonly (readonly [yaml: string, command: Command])[] = [
    ["- launchApp", { name: "launchApp" }],
    ["- launchApp: com.other", { name: "launchApp", appId: "com.other" }],
    [
      "- launchApp:\n    url: https://a.b\n    clearState: true\n    stopApp: false\n    clearKeychain: true\n    permissions: {all: deny, location: inuse}\n    arguments: {a: x, b: 3, c: true, d: '3'}",
      {
        name: "launchApp",
        appId: "https://a.b",
        clearState: true,
        stopApp: false,
        permissions: { all: "deny", location: "allow" },
        arguments: { a: "x", b: 3, c: true, d: "3" },
      },
    ],
    ["- stopApp", { name: "stopApp" }],
    ["- killApp: a.b", { name: "killApp", appId: "a.b" }],
    ["- clearState: {appId: a.b}", { name: "clearState", appId: "a.b" }],
    ["- openLink: https://a.b", { name: "openLink", link: "https://a.b" }],
    ["- openLink: {link: a://b, browser: true, autoVerify: true}", { name: "openLink", link: "a://b", browser: true }],
    ["- tapOn: Log in", { name: "tapOn", selector: { text: "Log in" } }],
    ["- tapOn: 123", { name: "tapOn", selector: { text: "123" } }],
    ["- tapOn: {point: '50%, 10%'}", { name: "tapOn", selector: { point: "50%, 10%" } }],
    [
      "- tapOn: {id: a, index: -1, repeat: 3, delay: 50, retryTapIfNoChange: true, waitUntilVisible: false, waitToSettleTimeoutMs: 90000}",
      {
        name: "tapOn",
        selector: { id: "a", index: "-1" },
        repeat: "3",
        delayMs: 50,
        retryTapIfNoChange: true,
        waitUntilVisible: false,
        waitToSettleTimeoutMs: 30_000,
      },
    ],
    [
      "- tapOn:\n    below: Title\n    childOf: {id: list}\n    containsDescendants: [{text: a}, b]\n    traits: text long-text\n    width: 10\n    tolerance: 2\n    enabled: true\n    css: .x",
      {
        name: "tapOn",
        selector: {
          below: { text: "Title" },
          childOf: { id: "list" },
          containsDescendants: [{ text: "a" }, { text: "b" }],
          traits: ["text", "long-text"],
          width: 10,
          tolerance: 2,
          enabled: true,
          css: ".x",
        },
      },
    ],
    ["- doubleTapOn: {text: a, delay: 200}", { name: "doubleTapOn", selector: { text: "a" }, delayMs: 200 }],
    ["- longPressOn: a", { name: "longPressOn", selector: { text: "a" } }],
    ["- inputText: 007", { name: "inputText", text: "007" }],
    ['- inputText: ""', { name: "inputText", text: "" }],
    ["- inputText: {text: '${NAME}'}", { name: "inputText", text: "${NAME}" }],
    ["- eraseText", { name: "eraseText" }],
    ["- eraseText: 10", { name: "eraseText", characters: "10" }],
    ["- eraseText: {charactersToErase: 1_0}", { name: "eraseText", characters: "10" }],
    ["- pasteText", { name: "pasteText" }],
    ["- copyTextFrom: {id: a}", { name: "copyTextFrom", selector: { id: "a" } }],
    ["- pressKey: volume up", { name: "pressKey", key: "Volume Up" }],
    ["- back", { name: "back" }],
    ["- back: {label: x}", { name: "back" }],
    ["- hide keyboard", { name: "hideKeyboard" }],
    ["- action: clearKeychain", { name: "clearKeychain" }],
    ["- scroll", { name: "scroll" }],
    ["- swipe: {direction: left}", { name: "swipe", direction: "LEFT", durationMs: 400 }],
    ["- swipe: RIGHT", { name: "swipe", direction: "RIGHT", durationMs: 400 }],
    [
      "- swipe: {start: '10%,50%', end: '90%,50%', duration: 1000, waitToSettleTimeoutMs: 5}",
      { name: "swipe", start: "10%,50%", end: "90%,50%", durationMs: 1000, waitToSettleTimeoutMs: 5 },
    ],
    [
      "- swipe: {from: {id: a, point: '50%,50%'}, direction: UP}",
      { name: "swipe", direction: "UP", from: { id: "a", point: "50%,50%" }, durationMs: 400 },
    ],
    [
      "- scrollUntilVisible: {element: Terms}",
      {
        name: "scrollUntilVisible",
        element: { text: "Terms" },
        direction: "DOWN",
        timeoutMs: "20000",
        speed: "40",
        visibilityPercentage: 100,
        centerElement: false,
      },
    ],
    ["- assertVisible: {text: a, enabled: false}", { name: "assertVisible", selector: { text: "a", enabled: false } }],
    ["- assertNotVisible: a", { name: "assertNotVisible", selector: { text: "a" } }],
    ["- assertTrue: ${a > 1}", { name: "assertTrue", condition: "${a > 1}" }],
    ["- assertTrue: {condition: true}", { name: "assertTrue", condition: "true" }],
    [
      "- extendedWaitUntil: {visible: a, timeout: 10_000}",
      { name: "extendedWaitUntil", condition: { visible: { text: "a" } }, timeoutMs: "10000" },
    ],
    [
      "- extendedWaitUntil: {notVisible: {id: a}, timeout: '${T}'}",
      { name: "extendedWaitUntil", condition: { notVisible: { id: "a" } }, timeoutMs: "${T}" },
    ],
    ["- waitForAnimationToEnd", { name: "waitForAnimationToEnd", timeoutMs: "15000" }],
    ["- waitForAnimationToEnd: {timeout: 5}", { name: "waitForAnimationToEnd", timeoutMs: "5" }],
    ["- takeScreenshot: a/b", { name: "takeScreenshot", path: "a/b" }],
    ["- takeScreenshot: {path: a, cropOn: {id: b}}", { name: "takeScreenshot", path: "a", cropOn: { id: "b" } }],
    ["- setPermissions: {permissions: {camera: '${A}'}}", { name: "setPermissions", permissions: { camera: "${A}" } }],
    ["- assertScreenshot: ../a", { name: "assertScreenshot", path: "../a", thresholdPercentage: "95" }],
    ["- assertScreenshot: a", { name: "assertScreenshot", path: "a", thresholdPercentage: "95" }],
    ["- startRecording: a", { name: "startRecording", path: "a" }],
    ["- stopRecording", { name: "stopRecording" }],
    ["- runFlow: login.yaml", { name: "runFlow", steps: { file: "login.yaml" }, env: {} }],
    [
      "- runFlow: {file: a.yaml, env: {A: 1}, when: {platform: iOS, visible: {id: x}, notVisible: y, true: '${a}'}}",
      {
        name: "runFlow",
        steps: { file: "a.yaml" },
        when: { visible: { id: "x" }, notVisible: { text: "y" }, true: "${a}", platform: "ios" },
        env: { A: "1" },
      },
    ],
    ["- evalScript: ${output.a = 1}", { name: "evalScript", script: "${output.a = 1}" }],
    ["- runScript: a.js", { name: "runScript", file: "a.js", env: {} }],
    [
      "- runScript: {file: a.js, env: {A: b}, when: {true: x}}",
      { name: "runScript", file: "a.js", env: { A: "b" }, when: { true: "x" } },
    ],
    ["- setLocation: {latitude: 1.5, longitude: '-2'}", { name: "setLocation", latitude: "1.5", longitude: "-2" }],
    ["- travel: {points: ['1,2', '3.5, -4'], speed: 7.5}", { name: "travel", points: ["1,2", "3.5, -4"], speed: 7.5 }],
    ["- setOrientation: landscapeLeft", { name: "setOrientation", orientation: "LANDSCAPE_LEFT" }],
    [
      "- setPermissions: {appId: a, permissions: {camera: allow}}",
      { name: "setPermissions", appId: "a", permissions: { camera: "allow" } },
    ],
    ["- setClipboard: a", { name: "setClipboard", text: "a" }],
    ["- inputRandomText", { name: "inputRandomText", length: 8 }],
    ["- inputRandomNumber: {length: 4}", { name: "inputRandomNumber", length: 4 }],
    ["- inputRandomEmail", { name: "inputRandomEmail" }],
    ["- inputRandomPersonName", { name: "inputRandomPersonName" }],
    ["- inputRandomCityName", { name: "inputRandomCityName" }],
    ["- inputRandomCountryName", { name: "inputRandomCountryName" }],
    ["- inputRandomColorName", { name: "inputRandomColorName" }],
    ["- setDarkMode: enabled", { name: "setDarkMode", value: "enabled" }],
    ["- setAirplaneMode: {value: disabled}", { name: "setAirplaneMode", value: "disabled" }],
    ["- toggleDarkMode", { name: "toggleDarkMode" }],
    ["- assertDarkMode", { name: "assertDarkMode" }],
    ["- assertLightMode", { name: "assertLightMode" }],
    ["- toggleAirplaneMode", { name: "toggleAirplaneMode" }],
    ["- clearKeychain", { name: "clearKeychain" }],
    ["- addMedia: [a.png, b.png]", { name: "addMedia", files: ["a.png", "b.png"] }],
  ];
  it.each(cases)("%s", (yaml, command) => expect(only(yaml)).toEqual(command));

  it("reads nested lists with paths, places, labels and options, and counts all", () => {
    const { flow, commands, portable } = parseFlow(
      `${HEAD}- repeat:\n    times: 2\n    while: {notVisible: End}\n    commands:\n      - scroll\n      - retry:\n          maxRetries: 3\n          commands:\n            - tapOn: {text: x, label: "go \${n}", optional: true}\n`,
    );
    const repeat = flow?.steps[0]?.command;
    const retry = repeat?.name === "repeat" ? repeat.commands[1]?.command : undefined;
    const inner = retry?.name === "retry" && "commands" in retry.steps ? retry.steps.commands[0] : undefined;
    expect(repeat).toMatchObject({ times: "2", while: { notVisible: { text: "End" } } });
    expect(retry).toMatchObject({ maxRetries: "3", env: {} });
    expect(inner).toEqual({
      command: { name: "tapOn", selector: { text: "x" } },
      place: { line: 11, column: 15 },
      label: "go ${n}",
      optional: true,
      path: "0.commands.1.commands.0",
    });
    expect(commands).toBe(4);
    expect(portable).toBe(true);
  });

  it("takes what only Maestro's cloud can do, and says so", () => {
    for (const yaml of [
      "assertNoDefectsWithAI",
      "assertWithAI: a",
      "extractTextWithAI: {query: a, outputVariable: b}",
    ]) {
      const { flow, diagnostics } = parseFlow(`${HEAD}- ${yaml}`);
      expect(flow?.steps[0]?.command).toEqual({ name: "unsupported", command: yaml.split(":")[0] });
      expect(diagnostics).toMatchObject([
        { line: 3, severity: "warning", message: expect.stringContaining("no phone here can do it") },
      ]);
    }
    expect(parseFlow(`${HEAD}- assertWithAI: a`).flow?.steps[0]?.optional).toBe(true);
    expect(parseFlow(`${HEAD}- assertWithAI: {assertion: a, optional: false}`).flow?.steps[0]?.optional).toBe(false);
  });
});

describe("header", () => {
  it("reads everything of Maestro's and ours", () => {
    const { flow, diagnostics, commands } = parseFlow(`url: https://shop.example
name: Buy
tags: [smoke, 2]
env: {A: 1, B: "\${A}"}
properties: {junitId: T-1}
onFlowStart:
  - launchApp
onFlowComplete: [back]
onFlowFailure: [takeScreenshot: end]
inputs: [email, {name: city, description: Where, default: Berlin}]
secrets: [PASSWORD]
limits: {timeout: 5m, lookupMs: 9_000, optional: 500ms, maxSteps: 10, healing: auto, onCrash: resume, cleanupOnCancel: 30s}
triggers: {anything: [1]}
x-targets: {"0#abcd": [{id: a}, b]}
x-mine: {a: 1}
androidWebViewHierarchy: devtools
---
- back
`);
    expect(diagnostics).toEqual([]);
    expect(commands).toBe(4);
    expect(flow?.header).toMatchObject({
      url: "https://shop.example",
      name: "Buy",
      tags: ["smoke", "2"],
      env: { A: "1", B: "${A}" },
      properties: { junitId: "T-1" },
      inputs: [
        { name: "email", required: true },
        { name: "city", description: "Where", required: false, default: "Berlin" },
      ],
      secrets: ["PASSWORD"],
      limits: {
        timeoutMs: 300_000,
        lookupMs: 9000,
        optionalMs: 500,
        maxSteps: 10,
        healing: "auto",
        onCrash: "resume",
        cleanupOnCancelMs: 30_000,
      },
      targets: [{ key: "0#abcd", selectors: [{ id: "a" }, { text: "b" }] }],
    });
    expect(flow?.header.onFlowStart[0]?.path).toBe("onFlowStart.0");
    expect(flow?.header.onFlowFailure[0]?.command).toEqual({ name: "takeScreenshot", path: "end" });
  });

  it.each([
    ["tags: [a]\nlimits: {timeout: 5m}\nsecrets: [A]\ninputs: [a]\ntriggers: {}\nx-a: 1", true],
    ["onFlowFailure: [back]", false],
    ["inputs: {a: x}", false],
    ["limits: {lookup: 30s}", false],
    ["limits: {healing: auto}", false],
  ])("%s is portable: %s", (keys, portable) => {
    expect(parseFlow(`appId: a\n${keys}\n---\n- back`)).toMatchObject({ diagnostics: [], portable });
  });
  it.each(["- eraseText: ${n}", "- pressKey: ${k}", "- tapOn: {text: a, repeat: '${n}'}"])(
    "%s is not portable",
    (yaml) => {
      expect(parseFlow(HEAD + yaml)).toMatchObject({ diagnostics: [], portable: false });
    },
  );
});
