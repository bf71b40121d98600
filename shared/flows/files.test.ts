// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of flows are what is tested.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isFilePath, resolvePath } from "../workspace-model.ts";
import { linkFlow } from "./files.ts";
import { parseFlow } from "./parse.ts";

const flow = (commands: string, header = "url: https://a.example") => `${header}\n---\n${commands}\n`;

async function link(files: Readonly<Record<string, string>>, path = "shop/main.yaml") {
  const sizes = new Map(Object.entries(files).map(([name, text]) => [name, text.length]));
  const tree = { sizes, text: async (name: string) => files[name] ?? "" };
  return linkFlow({ source: files[path] ?? "", path }, async () => tree, parseFlow);
}
/** `file:line:column message`, the flow's own without a file. */
async function problems(files: Readonly<Record<string, string>>, path?: string): Promise<string[]> {
  const { flow: fit, diagnostics } = await link(files, path);
  const errors = diagnostics.filter(({ severity }) => severity === "error");
  expect(fit === undefined).toBe(errors.length > 0);
  return errors.map(({ file = "", line, column, message }) => `${file}:${line}:${column} ${message}`);
}

describe("a flow and its files", () => {
  it("reaches what it names, from the file that names it", async () => {
    const linked = await link({
      "shop/main.yaml": flow("- runFlow: flows/login.yaml\n- addMedia: [../media/cat.png]\n- assertScreenshot: home"),
      "shop/flows/login.yaml": flow("- runScript: ../lib/token.js\n- retry: {file: again.yaml, maxRetries: 1}"),
      "shop/flows/again.yaml": flow("- back"),
      "shop/lib/token.js": "output.t = 1",
      "media/cat.png": "png",
      "shop/home.png": "png",
      "shop/other.yaml": flow("- back"),
    });
    expect(linked.diagnostics).toEqual([]);
    expect([...linked.reached].sort()).toEqual([
      "media/cat.png",
      "shop/flows/again.yaml",
      "shop/flows/login.yaml",
      "shop/home.png",
      "shop/lib/token.js",
    ]);
    expect([...linked.flows.keys()].sort()).toEqual(["shop/flows/again.yaml", "shop/flows/login.yaml"]);
  });

  it("takes the same file from two places, and a baseline that is not there yet", async () => {
    const twice = "- runFlow: b.yaml\n- runFlow: c.yaml\n- assertScreenshot: never-taken";
    expect(
      await problems(
        { "a.yaml": flow(twice), "b.yaml": flow("- runFlow: c.yaml"), "c.yaml": flow("- back") },
        "a.yaml",
      ),
    ).toEqual([]);
  });

  it.each([
    [
      "itself",
      { "shop/main.yaml": flow("- back\n- runFlow: main.yaml") },
      [":4:3 `runFlow` runs the file it stands in"],
    ],
    [
      "a circle",
      {
        "shop/main.yaml": flow("- runFlow: a.yaml"),
        "shop/a.yaml": flow("- back\n- runFlow:\n    file: b.yaml"),
        "shop/b.yaml": flow("- runFlow: ./a.yaml"),
      },
      ["shop/b.yaml:3:3 These files run each other for ever: a.yaml, then b.yaml, then a.yaml"],
    ],
    [
      "a circle through itself",
      { "shop/main.yaml": flow("- runFlow: a.yaml"), "shop/a.yaml": flow("- runFlow: main.yaml") },
      ["shop/a.yaml:3:3 These files run each other for ever: main.yaml, then a.yaml, then main.yaml"],
    ],
    [
      "a missing file",
      { "shop/main.yaml": flow("- runFlow: logn.yaml"), "shop/login.yaml": flow("- back") },
      [":3:3 There is no file `logn.yaml` (shop/logn.yaml in the workspace). Did you mean `login.yaml`?"],
    ],
    [
      "a missing file, deep inside",
      {
        "shop/main.yaml": flow("- runFlow: a.yaml"),
        "shop/a.yaml": flow("- repeat:\n    times: 2\n    commands:\n      - runScript: b.js"),
      },
      ["shop/a.yaml:6:9 There is no file `b.js`"],
    ],
    [
      "a folder",
      { "shop/main.yaml": flow("- runFlow: flows"), "shop/flows/a.yaml": flow("- back") },
      [":3:3 `flows` is a folder"],
    ],
    ["a way out", { "shop/main.yaml": flow("- runScript: ../../secrets.js") }, [":3:3 `../../secrets.js` leads out"]],
    ["an absolute path", { "shop/main.yaml": flow("- addMedia: [/etc/passwd]") }, [":3:3 `/etc/passwd` leads out"]],
    [
      "a script as a flow",
      { "shop/main.yaml": flow("- runFlow: a.js"), "shop/a.js": "1" },
      [":3:3 `a.js` is not a flow"],
    ],
    [
      "mistakes in another file",
      {
        "shop/main.yaml": flow("- runFlow: a.yaml\n- runFlow: b.yaml"),
        "shop/a.yaml": flow("- launchApp\n- tapOm: X"),
        "shop/b.yaml": "appId: x\n",
      },
      ["shop/a.yaml:4:3 `tapOm` is not a command", "shop/b.yaml:2:1 The commands are missing"],
    ],
    [
      "a file of a hook",
      { "shop/main.yaml": flow("- back", "url: https://a.example\nonFlowStart:\n  - runFlow: gone.yaml") },
      [":3:5 There is no file `gone.yaml`"],
    ],
  ])("refuses %s at its place", async (_what, files, expected) => {
    const found = await problems(files);
    expect(found).toHaveLength(expected.length);
    for (const [index, start] of expected.entries()) expect(found[index]?.slice(0, start.length)).toBe(start);
  });

  it("takes the whole workspace along for a name that is made while it runs", async () => {
    const linked = await link({
      "shop/main.yaml": flow("- runFlow: ${WHICH}.yaml"),
      "shop/a.yaml": flow("- back"),
      "shop/broken.yaml": "nothing",
      "other/b.yaml": flow("- back"),
    });
    expect(linked.flow).toBeDefined();
    expect([...linked.reached].sort()).toEqual(["shop/a.yaml", "shop/broken.yaml"]);
  });

  it("takes all files along for such a name in a subflow of a flow at the top", async () => {
    const files = {
      "main.yaml": flow("- runFlow: steps/a.yaml"),
      "steps/a.yaml": flow("- addMedia: ['../${WHICH}']"),
      "media/cat.png": "png",
    };
    expect([...(await link(files, "main.yaml")).reached].sort()).toEqual(["media/cat.png", "steps/a.yaml"]);
  });

  it("refuses more than a run may carry", async () => {
    const many = Object.fromEntries(Array.from({ length: 201 }, (_, index) => [`shop/${index}.js`, "1"]));
    const found = await problems({ "shop/main.yaml": flow("- runScript: ${N}.js"), ...many });
    expect(found).toEqual([expect.stringMatching(/^:3:3 .*more than 200 files or 8 MB/)]);
  });

  it("ends for any graph of files, and refuses exactly those with a circle", async () => {
    const edges = fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { maxLength: 14 });
    await fc.assert(
      fc.asyncProperty(edges, async (pairs) => {
        const files = Object.fromEntries(
          Array.from({ length: 7 }, (_, from) => [
            `${from}.yaml`,
            flow(["- back", ...pairs.filter(([a]) => a === from).map(([, to]) => `- runFlow: ${to}.yaml`)].join("\n")),
          ]),
        );
        const next = (from: number) => pairs.filter(([a]) => a === from).map(([, to]) => to);
        const circle = (at: number, way: readonly number[]): boolean =>
          way.includes(at) || next(at).some((to) => circle(to, [...way, at]));
        expect((await problems(files, "0.yaml")).length > 0).toBe(circle(0, []));
      }),
      { numRuns: 200 },
    );
  });
});

describe("paths", () => {
  it("never leave the tree, whatever is written", () => {
    const part = fc.constantFrom("a", "b.yaml", "..", ".", "", " ", "\\", "~", "C:");
    const text = fc.oneof(
      fc.array(part, { maxLength: 8 }).map((parts) => parts.join("/")),
      fc.string(),
    );
    fc.assert(
      fc.property(text, text, (from, reference) => {
        const path = resolvePath(isFilePath(from) ? from : "", reference);
        if (path !== undefined) expect(isFilePath(path)).toBe(true);
      }),
    );
    expect(resolvePath("a/b/c.yaml", "../d.yaml")).toBe("a/d.yaml");
    expect(resolvePath("c.yaml", "../d.yaml")).toBeUndefined();
    expect(resolvePath("a/c.yaml", "./../a/./d.js")).toBe("a/d.js");
  });
});
