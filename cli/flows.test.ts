import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { findFlows, type Selection } from "./flows.ts";

const ALL: Selection = { includeTags: [], excludeTags: [] };
const flow = (steps: string, header = "") => `url: https://a.example\n${header}---\n${steps}\n`;

describe("flows of this machine", () => {
  let folder: string;
  const write = (files: Record<string, string>) => {
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), text);
    }
  };
  const at = (name: string) => join(folder, name);
  const names = (selection = ALL, path = ".") => findFlows([at(path)], selection).map(({ name }) => name);
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "perch-cli-"));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it("bring every file along that they and their files name, by its place below the flow", () => {
    write({
      "main.yaml": flow(
        "- runFlow: parts/in.yaml\n- runScript: parts/total.js\n- addMedia: [cat.png]\n- assertScreenshot: shots/cart\n- runFlow: '${FILE}'",
      ),
      "parts/in.yaml": flow("- retry: {file: again.yaml, maxRetries: 1}\n- runScript: ../parts/total.js"),
      "parts/again.yaml": flow("- back"),
      "parts/total.js": "output.total = 3",
      "cat.png": "cat",
      "shots/cart.png": "cart",
    });
    const [found] = findFlows([at("main.yaml")], ALL);
    expect(found?.files.map(({ path }) => path)).toEqual([
      "parts/in.yaml",
      "parts/again.yaml",
      "parts/total.js",
      "cat.png",
      "shots/cart.png",
    ]);
    expect(Buffer.from(found?.files[2]?.base64 ?? "", "base64").toString()).toBe("output.total = 3");
  });

  it("bring nothing from outside of their folder, not by a link either", () => {
    write({
      "flows/a.yaml": flow("- runScript: ../secret.js"),
      "secret.js": "1",
      "flows/b.yaml": flow("- runScript: link.js"),
    });
    symlinkSync(at("secret.js"), at("flows/link.js"));
    expect(() => findFlows([at("flows/a.yaml")], ALL)).toThrow(/a\.yaml:3:3 \.\.\/secret\.js lies outside/);
    expect(() => findFlows([at("flows/b.yaml")], ALL)).toThrow(/link\.js lies outside/);
  });

  it("end at a file that names itself, and in circles only once", () => {
    write({
      "a.yaml": flow("- runFlow: b.yaml"),
      "b.yaml": flow("- runFlow: c.yaml"),
      "c.yaml": flow("- runFlow: b.yaml"),
      "d.yaml": flow("- runFlow: d.yaml"),
    });
    expect(findFlows([at("a.yaml")], ALL)[0]?.files.map(({ path }) => path)).toEqual(["b.yaml", "c.yaml"]);
    expect(() => findFlows([at("d.yaml")], ALL)).toThrow(/d\.yaml is this very file/);
  });

  it("say where what is wrong, in files that are named too", () => {
    write({
      "a.yaml": flow("- tapOm: x"),
      "b.yaml": flow("- runFlow: a.yaml"),
      "c.yaml": flow("- runFlow: none.yaml"),
    });
    expect(() => findFlows([at("a.yaml")], ALL)).toThrow(/a\.yaml:3:3 `tapOm` is not a command/);
    expect(() => findFlows([at("b.yaml")], ALL)).toThrow(/a\.yaml:3:3/);
    expect(() => findFlows([at("c.yaml")], ALL)).toThrow(/c\.yaml:3:3 There is no file none\.yaml/);
    expect(() => findFlows([at("none")], ALL)).toThrow(/There is no .*none/);
  });

  it("of a folder are those directly in it, by their tags", () => {
    write({
      "b.yaml": flow("- back", "name: Second\ntags: [smoke, slow]\n"),
      "a.yml": flow("- back", "tags: [smoke]\n"),
      "below/c.yaml": flow("- back"),
      "notes.yaml": "just: settings\n",
    });
    expect(names()).toEqual(["a", "Second"]);
    expect(names({ includeTags: ["slow"], excludeTags: [] })).toEqual(["Second"]);
    expect(names({ includeTags: ["smoke"], excludeTags: ["slow"] })).toEqual(["a"]);
    expect(() => names({ includeTags: ["none"], excludeTags: [] })).toThrow(/no flow with these tags/);
    expect(() => names(ALL, "below/../below/none")).toThrow(/There is no/);
  });

  it("of a workspace are what its config.yaml says, in its order", () => {
    write({
      "config.yaml":
        "flows: ['*', 'sub/**', '!sub/skip*']\nexcludeTags: [wip]\nexecutionOrder: {flowsOrder: [last, Named]}\n",
      "first.yaml": flow("- back"),
      "last.yaml": flow("- back"),
      "sub/named.yaml": flow("- back", "name: Named\n"),
      "sub/skipped.yaml": flow("- back"),
      "draft.yaml": flow("- back", "tags: wip2\ntags2: 1\n".replace("tags: wip2", "tags: [wip]")),
    });
    expect(names()).toEqual(["last", "Named", "first"]);
  });
});
