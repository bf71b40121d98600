import { describe, expect, it } from "vitest";
import type { FlowSummary } from "../../../../shared/automation-model.ts";
import { newId } from "../../../../shared/ids.ts";
import type { WorkspaceFile } from "../../../../shared/workspace-model.ts";
import { byFolder, countWords, pathIn } from "./folders.ts";

const flow = (name: string, path?: string): FlowSummary => ({
  id: newId("flow"),
  name,
  ...(path !== undefined && { path }),
  runnable: true,
  portable: true,
  commands: 1,
  tags: [],
  updatedAt: "2026-01-01T00:00:00.000Z",
});
const file = (path: string): WorkspaceFile => ({
  path,
  kind: "script",
  bytes: 1,
  updatedAt: "2026-01-01T00:00:00.000Z",
});

describe("automations by folder", () => {
  it("shows those apart as they came, and folders by name with what is in them by path", () => {
    const flows = [
      flow("z"),
      flow("b", "shop/b.yaml"),
      flow("a", "shop/a/a.yaml"),
      flow("top", "top.yaml"),
      flow("c", "bank/c.yaml"),
    ];
    const { apart, folders } = byFolder(flows, [file("shop/lib.js"), file("only/x.js"), file("readme.md")]);
    expect(apart.map(({ name }) => name)).toEqual(["z", "top"]);
    expect(folders.map(({ name, flows: own, files }) => [name, own.map(({ name }) => name), files.length])).toEqual([
      ["", [], 1],
      ["bank", ["c"], 0],
      ["only", [], 1],
      ["shop", ["a", "b"], 1],
    ]);
  });
  it("counts in words", () => {
    expect([countWords(1, 0), countWords(0, 2), countWords(2, 1)]).toEqual([
      "1 automation",
      "2 files",
      "2 automations and 1 file",
    ]);
    expect(pathIn("shop", "shop/a/b.yaml")).toBe("a/b.yaml");
    expect(pathIn("", "b.yaml")).toBe("b.yaml");
  });
});
