import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatFlow } from "../flows/format.ts";
import { healedFlow } from "../flows/heal.ts";
import type { Selector } from "../flows/model.ts";
import { parseFlow } from "../flows/parse.ts";
import { stepKey } from "../flows/targets.ts";
import { splitTemplate } from "../flows/template.ts";
import type { Candidate, RecordedAction } from "../recording-model.ts";
import { type WrittenRecording, writeFlow } from "./write-flow.ts";

type Step = WrittenRecording["steps"][number];
const candidate = (selector: Selector): Candidate => ({ kind: "text", selector, score: 80 });
const tap = (...selectors: Selector[]): Step => ({
  action: { kind: "tap" },
  candidates: selectors.map(candidate),
  chosen: 0,
});

describe("a recording as a flow", () => {
  it("writes commands, and other targets by the step's key", () => {
    const source = writeFlow({
      name: "Buy a chair",
      startUrl: "https://shop.example/",
      steps: [
        {
          ...tap({ id: "buy" }, { text: "Buy" }, { point: "50%,20%" }),
          fingerprint: {
            role: "button",
            text: "Buy",
            bounds: { x: 0.1, y: 0.2, width: 0.3, height: 0.05 },
            near: ["Blue chair"],
          },
          waitMs: 10_000,
        },
        { action: { kind: "inputText", text: "007" }, candidates: [], chosen: 0 },
        { action: { kind: "inputSecret", secret: "SECRET_1" }, candidates: [], chosen: 0 },
        {
          action: {
            kind: "swipe",
            direction: "UP",
            start: { x: 0.5, y: 0.8 },
            end: { x: 0.5, y: 0.2 },
            durationMs: 400,
          },
          candidates: [candidate({ text: "Blue chair" })],
          chosen: 0,
        },
        { action: { kind: "scroll", at: { x: 0.5, y: 0.5 }, dx: 0, dy: 1 }, candidates: [], chosen: 0 },
        { action: { kind: "eraseText" }, candidates: [], chosen: 0 },
        { action: { kind: "assertVisible" }, candidates: [candidate({ text: "Thank you" })], chosen: 0 },
      ],
    });
    const { flow, diagnostics } = parseFlow(source);
    expect(diagnostics).toEqual([]);
    expect(flow?.header.secrets).toEqual(["SECRET_1"]);
    expect(flow?.steps.map(({ command }) => command.name)).toEqual([
      "launchApp",
      "extendedWaitUntil",
      "tapOn",
      "inputText",
      "inputText",
      "swipe",
      "swipe",
      "swipe",
      "eraseText",
      "assertVisible",
    ]);
    const others = [{ text: "Buy" }, { point: "50%,20%" }];
    const keys = flow?.steps.slice(1, 3).map(stepKey);
    expect(flow?.header.targets).toMatchObject(keys?.map((key) => ({ key, selectors: others })) ?? []);
    expect(source).toContain("fingerprint:");
    const healed = healedFlow(source, "2", 0);
    expect(healed?.source).toContain("- tapOn:\n    text: Buy\n");
    expect(parseFlow(healed?.source ?? "").diagnostics).toEqual([]);
    expect(source).toContain(`inputText: \${SECRET_1}`);
  });

  it("begins on the home screen where there is no address", () => {
    const { flow, diagnostics } = parseFlow(writeFlow({ startUrl: undefined, steps: [tap({ text: "Shop" })] }));
    expect(diagnostics).toEqual([]);
    expect(flow?.steps[0]?.command).toEqual({ name: "pressKey", key: "Home" });
  });

  it("begins with the app where one was in front, which is asked again where a person answered it", () => {
    const source = writeFlow({ startUrl: "com.shop.app", steps: [tap({ text: "Shop" })] });
    const { flow, diagnostics } = parseFlow(source);
    expect(diagnostics).toEqual([]);
    expect(flow?.header.appId).toBe("com.shop.app");
    expect(flow?.header.url).toBeUndefined();
    expect(flow?.steps[0]?.command).toEqual({ name: "launchApp" });
    const asked = writeFlow({ startUrl: "com.shop.app", steps: [tap({ id: "permission_allow_button" })] });
    expect(parseFlow(asked).flow?.steps[0]?.command).toEqual({ name: "launchApp", permissions: { all: "unset" } });
  });

  const word = fc.oneof(
    fc.string({ minLength: 1, unit: "grapheme", maxLength: 30 }),
    fc.string({ minLength: 1, unit: "binary", maxLength: 12 }),
    fc.constantFrom(
      "true",
      "~",
      "007",
      "- a",
      "a: b",
      "#x",
      `\${x}`,
      `\\\${x}`,
      "'",
      '"',
      "日本語 🛒",
      " a ",
      "a\nb",
      "|",
      "1e3",
    ),
  );
  const spot = fc.record({
    x: fc.double({ min: 0, max: 1, noNaN: true }),
    y: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const selector: fc.Arbitrary<Selector> = fc.oneof(
    word.map((text) => ({ text })),
    word.map((id) => ({ id })),
    fc.tuple(word, fc.nat(60)).map(([text, index]) => ({ text, index: String(index) })),
    fc.tuple(word, word).map(([text, below]) => ({ text, below: { text: below } })),
    fc.tuple(word, word).map(([text, id]) => ({ text, childOf: { id } })),
    fc.tuple(word, fc.nat(100)).map(([id, at]) => ({ id, point: `${at}%,50%` })),
    fc.nat(1000).map((at) => ({ point: `${at / 10}%,50%` })),
  );
  const action: fc.Arbitrary<RecordedAction> = fc.oneof(
    fc.constantFrom<RecordedAction>(
      { kind: "tap" },
      { kind: "doubleTap" },
      { kind: "longPress" },
      { kind: "assertVisible" },
      { kind: "inputSecret", secret: "SECRET_2" },
      { kind: "eraseText" },
      { kind: "eraseText", characters: 3 },
      { kind: "pressKey", key: "Remote Dpad Up" },
      { kind: "back" },
      { kind: "setOrientation", orientation: "LANDSCAPE_LEFT" },
    ),
    word.map((text) => ({ kind: "inputText" as const, text })),
    fc.webUrl().map((link) => ({ kind: "openLink" as const, link })),
    fc
      .record({
        start: spot,
        end: spot,
        durationMs: fc.integer({ min: 1, max: 5_000 }),
        direction: fc.constantFrom("UP", "LEFT"),
      })
      .map((way) => ({ kind: "swipe" as const, ...way }) as RecordedAction),
    fc
      .record({
        at: spot,
        dx: fc.double({ min: -9, max: 9, noNaN: true }),
        dy: fc.double({ min: -9, max: 9, noNaN: true }),
      })
      .map((way) => ({ kind: "scroll" as const, ...way })),
  );
  const step = fc.record({
    action,
    candidates: fc.array(selector.map(candidate), { maxLength: 4 }),
    chosen: fc.constant(0),
    fingerprint: fc.record({
      role: word,
      text: fc.oneof(word, fc.constant("")),
      bounds: fc.constant({ x: 0, y: 0.5, width: 1, height: 0.25 }),
      near: fc.array(word, { maxLength: 3 }),
    }),
    waitMs: fc.constantFrom(10_000),
  });

  it("parses without a remark and is left alone by the formatter, whatever was recorded", () => {
    fc.assert(
      fc.property(fc.webUrl(), word, fc.array(step, { maxLength: 12 }), (startUrl, name, steps) => {
        const source = writeFlow({ name, startUrl, steps });
        const parsed = parseFlow(source);
        expect(parsed.diagnostics.filter(({ message }) => !message.includes("look-around"))).toEqual([]);
        expect(parsed.portable || parsed.diagnostics.length > 0).toBe(true);
        expect(formatFlow(source)).toBe(source);
        const typed = steps.flatMap((one) => (one.action.kind === "inputText" ? [one.action.text] : []));
        const written = parsed.flow?.steps.flatMap(({ command }) =>
          command.name === "inputText" && command.text !== `\${SECRET_2}` ? [command.text] : [],
        );
        expect(
          written?.map((text) =>
            splitTemplate(text)
              .map((part) => part.kind === "literal" && part.text)
              .join(""),
          ),
        ).toEqual(typed);
      }),
      { numRuns: 300 },
    );
  });
});
