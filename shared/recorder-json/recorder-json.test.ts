// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of flows are what is tested.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseFlow } from "../flows/parse.ts";
import { exportRecording } from "./export.ts";
import { importRecording } from "./import.ts";
import { readRecording, STEP_TYPES } from "./recording.ts";

const URL_STEP = { type: "navigate", url: "https://shop.example/" };

function imported(...steps: readonly object[]) {
  const recording = readRecording(JSON.stringify({ title: "Buy", steps: [URL_STEP, ...steps] }));
  if (recording === undefined) throw new Error("no recording");
  const { source, messages } = importRecording(recording);
  const parsed = parseFlow(source);
  expect(parsed.diagnostics).toEqual([]);
  return { commands: source.split("---\n- launchApp\n")[1], messages, flow: parsed.flow, source };
}

describe("a recording of DevTools as a flow", () => {
  it("begins with the address and the title", () => {
    expect(imported().source).toBe("url: https://shop.example/\nname: Buy\n---\n- launchApp\n");
  });

  it.each([
    [{ type: "navigate", url: "https://a.example/" }, "- openLink: https://a.example/\n"],
    [
      { type: "click", selectors: [["#x"], ["aria/Log in"], ["xpath///a"]], offsetX: 1, offsetY: 1, target: "main" },
      "- tapOn: Log in\n",
    ],
    [{ type: "click", selectors: [['aria/Go[role="button"]']] }, "- tapOn: Go\n"],
    [{ type: "click", selectors: [["text/Buy"], ["[data-testid=buy]"], [".a > b"]] }, "- tapOn:\n    id: buy\n"],
    [{ type: "click", selectors: [["x-host", ".a > b"]] }, "- tapOn:\n    css: .a > b\n"],
    [{ type: "click", selectors: ["pierce/#pay"] }, "- tapOn:\n    id: pay\n"],
    [{ type: "click", selectors: [["aria/Hold"]], duration: 900 }, "- longPressOn: Hold\n"],
    [{ type: "doubleClick", selectors: [["text/Zoom"]] }, "- doubleTapOn: Zoom\n"],
    [
      { type: "change", selectors: [["#name"]], value: "Ada ${x}" },
      "- tapOn:\n    id: name\n- eraseText\n- inputText: Ada \\${x}\n",
    ],
    [{ type: "change", selectors: [["#name"]], value: "" }, "- tapOn:\n    id: name\n- eraseText\n"],
    [{ type: "keyDown", key: "Enter" }, "- pressKey: Enter\n"],
    [{ type: "keyUp", key: "Enter" }, ""],
    [{ type: "scroll", x: 0, y: 300 }, "- scroll\n"],
    [{ type: "scroll", selectors: [["text/End"]], y: 1 }, "- scrollUntilVisible:\n    element: End\n"],
    [
      { type: "waitForElement", selectors: [["#done"]], timeout: 2_000 },
      "- extendedWaitUntil:\n    visible:\n      id: done\n    timeout: 2000\n",
    ],
    [
      { type: "waitForElement", selectors: [["text/Wait"]], count: 0, operator: "==" },
      "- extendedWaitUntil:\n    notVisible: Wait\n    timeout: 5000\n",
    ],
    [{ type: "close" }, "- stopApp\n"],
    [{ type: "emulateNetworkConditions", download: 0, upload: 0, latency: 0 }, "- setAirplaneMode: enabled\n"],
    [
      { type: "click", selectors: [["text/Next"]], assertedEvents: [{ type: "navigation" }] },
      "- tapOn: Next\n- waitForAnimationToEnd\n",
    ],
  ])("takes %j", (step, commands) => {
    expect(imported(step)).toMatchObject({ commands, messages: [] });
  });

  it.each([
    [{ type: "hover", selectors: [["#a"]] }, /hover/],
    [{ type: "waitForExpression", expression: "1" }, /Scripts of pages/],
    [{ type: "customStep", name: "x", parameters: {} }, /extension/],
    [{ type: "setViewport", width: 412, height: 915 }, /412 × 915/],
    [{ type: "click", selectors: [["xpath///a"]] }, /None of its selectors/],
    [{ type: "click", button: "secondary", selectors: [["#a"]] }, /secondary/],
    [{ type: "keyDown", key: "F5" }, /F5/],
    [{ type: "emulateNetworkConditions", download: 5_000, upload: 5_000, latency: 9 }, /slow/],
    [{ type: "navigate", url: "javascript:alert(1)" }, /does not open/],
    [{ type: "scroll", x: 10, y: 0 }, /sideways/],
    [{ type: "dance" }, /`dance` is no step/],
  ])("says that %j is left out", (step, words) => {
    expect(imported(step)).toMatchObject({
      commands: "",
      messages: [{ step: 2, message: expect.stringMatching(words) }],
    });
  });

  it("keeps frames, and says what it does not check", () => {
    const { source, messages } = imported(
      { type: "click", selectors: [["text/In"]], frame: [0, 1] },
      { type: "waitForElement", selectors: [["#a"]], count: 3, properties: { checked: true } },
    );
    expect(source).toContain('x-frame:\n  "1":\n    - 0\n    - 1\n');
    expect(messages.map(({ step }) => step)).toEqual([3, 3]);
  });

  it("never throws, and what it makes is a flow", () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const step = fc
      .record({
        type: fc.constantFrom(...STEP_TYPES),
        selectors: fc.oneof(
          value,
          fc.array(fc.array(fc.oneof(fc.string(), fc.constantFrom("aria/A", "#b", "text/${c}")))),
        ),
        value,
        url: fc.oneof(value, fc.webUrl()),
        key: value,
        frame: value,
        target: value,
        y: value,
        timeout: value,
        assertedEvents: value,
      })
      .map((one) => one as object);
    fc.assert(
      fc.property(fc.string(), fc.array(fc.oneof(step, fc.record({ type: fc.string() }))), (title, steps) => {
        const recording = readRecording(JSON.stringify({ title, steps }));
        if (recording === undefined) throw new Error("not read");
        const { diagnostics } = parseFlow(importRecording(recording).source);
        expect(diagnostics.filter(({ severity }) => severity === "error")).toEqual([]);
      }),
      { numRuns: 300 },
    );
    fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (text) => void readRecording(text)));
    for (const text of ['{"steps":[1]}', '{"steps":{}}', "[]", "null", '{"title":1,"steps":[{"type":3}]}']) {
      expect(readRecording(text)).toBeUndefined();
    }
  });
});

describe("a flow as a recording", () => {
  const text = fc.constantFrom("Log in", "Größe 3", "$ {x}", "${x}", "a: b", "日本");
  const selectors = fc.oneof(
    text.map((value) => [[`aria/${value}`], [`text/${value}`]]),
    fc.constantFrom([["#name"]], [[".a > b"]], [['[id="1 a"]']]),
  );
  const step = fc.oneof(
    fc.record({
      type: fc.constantFrom("click", "doubleClick"),
      selectors,
      target: fc.constant("main"),
      offsetX: fc.constant(5),
      offsetY: fc.constant(5),
    }),
    fc.record({
      type: fc.constant("change"),
      selectors,
      target: fc.constant("main"),
      value: fc.oneof(text, fc.constant("")),
    }),
    fc.record({ type: fc.constant("navigate"), url: fc.webUrl() }),
    fc.record({
      type: fc.constant("waitForElement"),
      selectors,
      target: fc.constant("main"),
      visible: fc.boolean(),
      timeout: fc.nat(60_000),
    }),
    fc.constant({ type: "close", target: "main" }),
  );

  it("comes back as it was", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
        const all = [URL_STEP, ...steps];
        const { flow } = imported(...steps);
        if (flow === undefined) throw new Error("no flow");
        const { json, messages } = exportRecording(flow, "Buy");
        expect(messages).toEqual([]);
        expect(JSON.parse(json)).toEqual({ title: "Buy", steps: all });
      }),
      { numRuns: 300 },
    );
  });

  it("says which commands it has no step for, with their line", () => {
    const source =
      "url: https://a.example\n---\n- launchApp\n- takeScreenshot: a\n- tapOn:\n    text: A\n    index: 2\n- tapOn: ${NAME}\n- pressKey: Home\n- runFlow: b.yaml\n- swipe:\n    direction: LEFT\n- scroll\n";
    const { flow } = parseFlow(source);
    if (flow === undefined) throw new Error("no flow");
    const { json, messages } = exportRecording(flow, "A");
    expect(messages.map(({ line }) => line)).toEqual([4, 5, 8, 9, 10, 11]);
    expect(JSON.parse(json).steps).toEqual([
      { type: "navigate", url: "https://a.example" },
      { type: "scroll", target: "main", x: 0, y: 400 },
    ]);
  });
});
