import { describe, expect, it } from "vitest";
import { parseFlow } from "../../../../shared/flows/parse.ts";
import { EMPTY_FLOW, TEMPLATES } from "./templates.ts";

describe("templates", () => {
  it.each([EMPTY_FLOW, ...TEMPLATES])("$name runs as it is, and says nothing odd", ({ source }) => {
    const { flow, diagnostics } = parseFlow(source);
    expect(flow).toBeDefined();
    expect(diagnostics).toEqual([]);
  });
});
