import { describe, expect, it } from "vitest";
import { COMMAND_NAMES, commandExample, commandFields } from "./commands.ts";
import { parseFlow } from "./parse.ts";

describe.each(COMMAND_NAMES)("%s", (name) => {
  it("has an example that is right", () => {
    const { flow, diagnostics } = parseFlow(`appId: a\n---\n- ${commandExample(name)}`);
    expect(diagnostics.filter(({ message }) => !message.includes("Maestro's own cloud"))).toEqual([]);
    expect(flow?.steps).toHaveLength(1);
  });
  it("takes every field that completion offers", () => {
    for (const field of commandFields(name)) {
      const { diagnostics } = parseFlow(`appId: a\n---\n- ${name}:\n    ${field}: x`);
      expect(diagnostics.filter(({ message }) => message.includes("has no field"))).toEqual([]);
    }
  });
});

it("offers nothing for names that are no command", () => {
  expect([commandFields("constructor"), commandExample("jump")]).toEqual([[], undefined]);
});
