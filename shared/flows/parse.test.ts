import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Command } from "./model.ts";
import { parseFlow } from "./parse.ts";

const HEAD = "appId: com.example\n---\n";
const problems = (source: string) =>
  parseFlow(source).diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);

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

describe("mistakes", () => {
  const cases: readonly (readonly [yaml: string, problem: string])[] = [
    ["- wait: 5", "3:3 `wait` is not a command. Use `extendedWaitUntil`"],
    ["- clearText", "3:3 `clearText` is not a command. Use `eraseText`"],
    ["- back\n- clearInput", "4:3 `clearInput` is not a command. Use `eraseText`"],
    ["- swipe LEFT", "3:3 `swipe LEFT` is not a command. Write `swipe:` and below it, indented, `direction: LEFT`"],
    ["- tapOn Log in", "3:3 `tapOn Log in` is not a command. Write `tapOn: Log in`, with a colon."],
    ["- tapon: x", "3:3 `tapon` is not a command. Did you mean `tapOn`?"],
    ["- assertVisable: x", "3:3 `assertVisable` is not a command. Did you mean `assertVisible`?"],
    ["- constructor: x", "3:3 `constructor` is not a command."],
    [
      "- assertVisible:\n    id: a\n    timeout: 5",
      "5:5 `assertVisible` has no field `timeout`. Assertions and taps wait",
    ],
    ["- assertVisible:\n    anyOf: [a]", "4:5 `assertVisible` has no field `anyOf`. Write one regular expression"],
    ["- scroll:\n    direction: UP", "4:5 `scroll` has no field `direction`. `scroll` only goes down; use `swipe`"],
    ["- scroll: {duration: 5}", "3:12 `scroll` has no field `duration`. Use `swipe`"],
    [
      "- inputText: {id: a, text: b}",
      "3:15 `inputText` has no field `id`. `inputText` types into the field that has the focus",
    ],
    [
      "- runFlow:\n    file: a\n    when:\n      env: {A: b}",
      "6:7 `when` has no field `env`. `env` stands beside `when`",
    ],
    ["- tapOn: {ids: a}", "3:11 `tapOn` has no field `ids`. Did you mean `id`?"],
    ["- tapOn: foo\n  inputText: bar", "4:3 `inputText` is a second command in the same item; put `- ` before it."],
    ["- tapOn: foo\n  optional: true", "4:3 `optional` belongs to `tapOn`: indent it"],
    ["- tapOn: foo\n  strange: true", "4:3 `strange` stands beside `tapOn` in one item."],
    ["- tapOn", "3:3 `tapOn` needs more: `- tapOn: Log in`."],
    ["- launchApp:", "3:3 `launchApp:` has nothing after its colon. Write `- launchApp` without the colon"],
    ["- tapOn:", "3:3 `tapOn:` has nothing after its colon. Write `- tapOn: Log in`."],
    ["- [a, b]", "3:3 A command is a name, or a name with a colon"],
    ["- {}", "3:3 A command is a name, or a name with a colon"],
    ["-", "3:2 A command is missing after this `-`."],
    ["- swipe:\n    direction: diagonal", "4:16 `direction` of `swipe` must be one of UP, DOWN, LEFT, RIGHT."],
    ["- swipe: {start: '1,2'}", "3:11 `swipe` needs `direction:`, or `start:` and `end:`."],
    [
      "- swipe: {direction: UP, start: '1,2', end: '1,2'}",
      "3:11 `swipe` takes `direction`, or `start` and `end`, not both.",
    ],
    ["- swipe: {start: '1,2', end: '1%,2%'}", "3:30 `start` and `end` of `swipe` must both be percentages"],
    ["- tapOn: {point: middle}", "3:18 `point` of `tapOn` must be two percentages"],
    ["- tapOn: {point: '120%,5%'}", "3:18 `point` of `tapOn` must be two percentages"],
    ["- tapOn: {optional: true}", "3:10 `tapOn` says nothing about the element"],
    ["- tapOn: [a]", "3:10 `tapOn` does not take a list here"],
    ["- tapOn: {text: a, enabled: maybe}", "3:29 `enabled` of `tapOn` must be `true` or `false`."],
    ["- tapOn: {text: a, width: big}", "3:27 `width` of `tapOn` must be a whole number from 0"],
    ["- tapOn: {text: a, index: first}", "3:27 `index` of `tapOn` must be a number"],
    ["- tapOn: {traits: round}", "3:19 `traits` of `tapOn` must be words out of text, square, long-text"],
    ["- tapOn: {text: {a: b}}", "3:17 `text` of `tapOn` must be text, not a map."],
    ["- pressKey: Entr", "3:13 `Entr` is not a key. Did you mean `Enter`?"],
    ["- runFlow: {file: a, commands: [back]}", "3:22 `runFlow` takes `file` or `commands`, not both."],
    ["- runFlow: {when: {visible: a}}", "3:12 `runFlow` needs `file:` or `commands:`."],
    ["- runFlow: {file: a, when: {platform: windows}}", "3:39 `platform` of `when` must be one of android, ios, web."],
    ["- repeat: {times: 3}", "3:11 `repeat` needs `commands`"],
    ["- retry: {times: 3, commands: [back]}", "3:11 `retry` has no field `times`. Did you mean `maxRetries`?"],
    ["- repeat: {times: 1, commands: {tapOn: x}}", "3:32 Commands are a list: put `- ` before each"],
    ["- extendedWaitUntil: {timeout: 5}", "3:22 `extendedWaitUntil` needs `visible:` or `notVisible:`."],
    ["- extendedWaitUntil: {visible: a, timeout: 5s}", "3:44 `timeout` of `extendedWaitUntil` must be a whole number"],
    [
      "- setLocation: {latitude: 95, longitude: 1}",
      "3:27 `latitude` of `setLocation` must be a number from -90 to 90.",
    ],
    ["- setOrientation: sideways", "3:19 `orientation` of `setOrientation` must be one of PORTRAIT"],
    ["- setDarkMode: maybe", "3:16 `value` of `setDarkMode` must be one of enabled, disabled."],
    ["- addMedia: [a, ]\n- addMedia: a.png", "4:13 `addMedia` does not take a text here"],
    ["- travel: {points: [here]}", "3:21 A point of `travel` is latitude and longitude"],
    ["- launchApp: {permissions: {camera: maybe}}", "3:37 The permission `camera` must be allow, deny or unset."],
    ["- takeScreenshot: ../secret", "3:19 `path` of `takeScreenshot` must stay in the run's folder"],
    ["- takeScreenshot: /etc/x", "3:19 `path` of `takeScreenshot` must stay in the run's folder"],
    ["- runScript: {script: 1}", "3:15 `runScript` has no field `script`. Use `evalScript`"],
    ["- action: jump", "3:11 `action` of `action` must be one of back"],
    ["- tapOn: *all", "3:10 `*all` is a YAML alias, which flows do not have."],
    ["- tapOn: {id: a, id: b}", "3:18 `id` is written twice here; keep one."],
    ["- tapOn: a: b", "3:10 A `:` is missing or misplaced here"],
    ["- tapOn: ${a ? 'b' : c}", "3:10 Text that holds `: ` needs quotes, expressions too"],
    ["- tapOn:\n\tid: a", "4:1 YAML is indented with spaces, not tabs."],
    ['- tapOn: "a', "3:12 Something is not closed or separated"],
    ['- tapOn: "\\d"', "3:11 "],
    ["- {? [a] : b}", "3:6 A name before `:` must be plain text"],
  ];
  it.each(cases)("%s", (yaml, problem) => {
    const found = problems(HEAD + yaml);
    expect(found.find((one) => one.startsWith(problem)) ?? found).toEqual(expect.stringContaining(problem));
    expect(parseFlow(HEAD + yaml).flow).toBeUndefined();
  });

  it.each([
    ["", "1:1 A flow begins with a header"],
    ["- launchApp\n", "1:1 A flow begins with a header"],
    ["appId: a", "1:9 The commands are missing: add a line `---`"],
    ["appId: a\n---", "2:1 The commands are missing below this `---`"],
    ["appId: a\n---\nlaunchApp", "3:1 Commands are a list: put `- ` before each"],
    ["name: F\n---\n- back", "2:1 The header needs `appId: com.example.app` or, for web phones, `url:"],
    ["appId: a\ntags: foo, bar\n---\n- back", "2:7 `tags` of `header` must be a list"],
    ["appId: a\nenv: {A: }\n---\n- back", "2:7 `A` in `env` of `header` has no value"],
    ["appId: a\nonFlowStart:\n  - inp\n---\n- back", "3:5 `inp` is not a command."],
    ["appId: a\nlimits: {timout: 5m}\n---\n- back", "2:10 `limits` has no field `timout`. Did you mean `timeout`?"],
    ["appId: a\nlimits: {timeout: long}\n---\n- back", "2:19 `timeout` of `limits` must be a time: `30s`"],
    ["appId: a\nsecrets: [a-b]\n---\n- back", "2:11 A secret's name must be a variable's name"],
    ["appId: a\ninputs: [a, a]\n---\n- back", "2:9 The input `a` stands twice; keep one."],
  ])("%s", (source, problem) => {
    expect(problems(source)[0]).toEqual(expect.stringContaining(problem));
    expect(parseFlow(source).flow).toBeUndefined();
  });

  it.each([
    ["appID: a\nurl: b\n---\n- back", "1:1 The header key `appID` means nothing here. Did you mean `appId`?"],
    ["appId: a\n---\n- back\n---\n- back", "4:1 A flow has two parts; what follows this `---` is not read."],
    ["appId: a\n---\n[]", "3:1 This flow has no commands."],
    [
      "appId: a\n---\n- scrollUntilVisible: {element: a, speed: 110}",
      "3:43 `speed` of `scrollUntilVisible` is out of range, so it is 40.",
    ],
    ["appId: a\n---\n- tapOn: '(?!a)b'", "3:10 `text` of `tapOn` uses look-around or a back reference"],
    ["appId: a\n---\n- tapOn: {below: '(a)\\1'}", "3:18 `text` of `below` uses look-around or a back reference"],
    ["appId: a\n---\n- assertVisible: {text: a, repeat: 2}", "3:28 `repeat` does nothing in `assertVisible`."],
    ["appId: a\n---\n- repeat: {commands: [back]}", "3:11 `repeat` has neither `times:` nor `while:`"],
    [
      "appId: a\nx-targets: {a: [{foo: b}]}\n---\n- back",
      "2:13 The other targets of `a` cannot be read and are left out.",
    ],
  ])("%s only warns", (source, problem) => {
    expect(problems(source)).toEqual([expect.stringContaining(problem)]);
    expect(parseFlow(source).flow).toBeDefined();
  });
});

describe("bounds", () => {
  it("refuses big texts, deep nesting, many steps and alias bombs with a sentence", () => {
    expect(problems(`${HEAD}- inputText: ${"ä".repeat(131_072)}`)[0]).toMatch(/^1:1 A flow may be 256 KiB at most/);
    expect(problems(`${HEAD}- ${"[".repeat(50_000)}`)[0]).toMatch(/^3:66 Nested deeper than 64 levels/);
    expect(problems(`${HEAD}${"- back\n".repeat(2001)}`)[0]).toMatch(/^2003:3 A flow may have 2000 commands at most/);
    expect(parseFlow(`${HEAD}${"- back\n".repeat(2000)}`)).toMatchObject({ commands: 2000, diagnostics: [] });
    expect(problems("a: &a [x,x]\nb: &b [*a,*a]\nc: [*b,*b]\n---\n- back")[0]).toMatch(/^2:8 `\*a` is a YAML alias/);
  });

  it("says at most 200 things", () => {
    expect(parseFlow(HEAD + "- x1\n".repeat(1500)).diagnostics).toHaveLength(200);
  });

  /** Every result is whole, whatever was read: places inside the text, a flow or an error. */
  function holds(source: string): void {
    const { flow, diagnostics, commands } = parseFlow(source);
    const lines = source.split("\n");
    expect(flow !== undefined || diagnostics.some(({ severity }) => severity === "error")).toBe(true);
    expect(commands).toBeGreaterThanOrEqual(0);
    for (const { line, column, message } of diagnostics) {
      expect(line).toBeGreaterThan(0);
      expect(line).toBeLessThanOrEqual(lines.length);
      expect(column).toBeGreaterThan(0);
      expect(column).toBeLessThanOrEqual((lines[line - 1]?.length ?? 0) + 1);
      expect(message).not.toBe("");
      expect(message).not.toContain("fault in the reader");
    }
  }

  const GOOD = `${HEAD}- tapOn:\n    id: a # b\n    below: {text: "x y"}\n- runFlow:\n    when: {visible: a}\n    commands:\n      - inputText: |\n          two\n          lines\n      - swipe: {direction: UP}\n`;
  it("never throws on noise", () => {
    fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), holds), { numRuns: 500 });
  });
  it("never throws on pieces of YAML", () => {
    const piece = fc.constantFrom(
      ...[
        "- ",
        "  ",
        "\n",
        "\n- ",
        ": ",
        "a",
        "tapOn",
        "---\n",
        "[",
        "]",
        "{",
        "}",
        ",",
        '"',
        "'",
        "|\n",
        ">-\n",
        "#",
        "&a ",
        "*a",
        "!t ",
        "? ",
        "\t",
        "\r\n",
        "%Y",
        "appId: x",
        "...\n",
        "<<",
        "null",
        "~",
        "runFlow:",
        "commands:",
      ],
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }).map((pieces) => pieces.join("")),
        holds,
      ),
      { numRuns: 1000 },
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 60 }).map((pieces) => HEAD + pieces.join("")),
        holds,
      ),
      { numRuns: 1000 },
    );
  });
  it("never throws on flows with a few characters changed", () => {
    const edit = fc.tuple(
      fc.nat(GOOD.length - 1),
      fc.nat(4),
      fc.constantFrom("", ":", "-", " ", "\n", "[", "{", "}", '"', "*", "\t", "é"),
    );
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 5 }), (edits) => {
        holds(edits.reduce((text, [at, length, put]) => text.slice(0, at) + put + text.slice(at + length), GOOD));
      }),
      { numRuns: 1000 },
    );
  });
  it.each([
    "[",
    "{",
    "- ",
    "? ",
    ": ",
    "&a ",
    "*a ",
    "!!a ",
    '"',
    "|\n",
    "---\n",
    "a:\n ",
    "{a: ",
    "a: b\n",
    "[]",
    "- {}\n",
    "\\",
    "\t",
  ])("reads or refuses 256 KiB of %j", (piece) => {
    holds((HEAD + piece.repeat(262_144 / piece.length)).slice(0, 262_144));
  });
});
