/** What people write wrong, each with its exact place and the sentence that helps. */
import { describe, expect, it } from "vitest";
import { parseFlow } from "./parse.ts";

const HEAD = "appId: com.example\n---\n";
const problems = (source: string) =>
  parseFlow(source).diagnostics.map(({ line, column, message }) => `${line}:${column} ${message}`);

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
    [
      "appId: a\n---\n- takeScreenshot: ../cart",
      "3:19 What is taken is kept with the run; a name such as `cart` is enough",
    ],
    ["appId: a\n---\n- takeScreenshot: /tmp/cart", "3:19 What is taken is kept with the run"],
    ["appId: a\n---\n- assertVisible: {label: Read only}", "3:18 `assertVisible` says nothing about the element"],
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
