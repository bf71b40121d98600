import { describe, expect, it } from "vitest";
import { parseFlow } from "../../shared/flows/parse.ts";
import { checkedFlow } from "./not-there-yet.ts";

const check = (source: string) => checkedFlow(parseFlow(source));

describe("a checked flow", () => {
  it.each([
    ["- runFlow: other.yaml", /in place/],
    ["- runFlow:\n    commands:\n      - runScript: a.js", /evalScript/],
    ["- retry:\n    maxRetries: 1\n    file: other.yaml", /in place/],
    ["- addMedia: [a.png]", /Media files/],
    ["- assertScreenshot: a", /Comparing/],
  ])("does not run with %s, and says what to write", (step, words) => {
    const { flow, diagnostics } = check(`url: https://example.com\n---\n${step}\n`);
    expect(flow).toBeUndefined();
    expect(diagnostics).toContainEqual(
      expect.objectContaining({ severity: "error", message: expect.stringMatching(words) }),
    );
    expect(diagnostics.find(({ severity }) => severity === "error")?.line).toBeGreaterThanOrEqual(3);
  });

  it("runs when such a step is optional, with a warning", () => {
    const { flow, diagnostics } = check(
      "url: https://example.com\n---\n- assertScreenshot:\n    path: a\n    optional: true\n",
    );
    expect(flow).toBeDefined();
    expect(diagnostics.map(({ severity }) => severity)).toContain("warning");
  });

  it("leaves everything else as it was read", () => {
    const source = "url: https://example.com\n---\n- tapOn: Start\n- takeScreenshot: done\n";
    expect(check(source)).toEqual(parseFlow(source));
  });
});
