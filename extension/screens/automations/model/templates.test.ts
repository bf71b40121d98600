import { describe, expect, it } from "vitest";
import { formatFlow } from "../../../../shared/flows/format.ts";
import { parseFlow } from "../../../../shared/flows/parse.ts";
import { EMPTY_FLOW, TEMPLATES } from "./templates.ts";

describe("templates", () => {
  it.each([EMPTY_FLOW, ...TEMPLATES])("$name is right as it stands, and written as formatting would", ({ source }) => {
    const { flow, diagnostics } = parseFlow(source);
    expect(flow).toBeDefined();
    expect(diagnostics).toEqual([]);
    expect(formatFlow(source)).toBe(source);
  });
});
