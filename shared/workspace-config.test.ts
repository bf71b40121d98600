import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DEFAULT_CONFIG, matchesPath, planSuite, readConfig, yamlKind } from "./workspace-config.ts";

describe("what a YAML file is", () => {
  it.each([
    ["appId: a\n---\n- back", "flow"],
    ["url: https://a.example\n", "flow"],
    ["- tapOn: X", "flow"],
    ["appId: a\n---\n- tapOn: [", "flow"],
    ["flows:\n  - '**'", "config"],
    ["includeTags: [a]", "config"],
    ["executionOrder:\n  flowsOrder: [a]", "config"],
    ["version: 3\nservices: {}", "other"],
    ["", "other"],
    ["just text", "other"],
    ["a: [", "other"],
  ] as const)("%j is a %s", (source, kind) => {
    expect(yamlKind(source)).toBe(kind);
  });
});

describe("config.yaml", () => {
  it("reads what it says, and has Maestro's defaults", () => {
    const source =
      "flows: '**'\nincludeTags:\n  - smoke\nexcludeTags: [slow]\nexecutionOrder:\n  continueOnFailure: false\n  flowsOrder: [b, a]\nplatform: {ios: {}}";
    expect(readConfig(source).config).toEqual({
      flows: ["**"],
      includeTags: ["smoke"],
      excludeTags: ["slow"],
      flowsOrder: ["b", "a"],
      continueOnFailure: false,
    });
    expect(readConfig("platform: {}").config).toEqual(DEFAULT_CONFIG);
  });

  it.each([
    ["flows: ['!a']", 1, 8, /only takes flows out/],
    ["includeTags:\n  a: b", 2, 3, /must be a list/],
    ["flows: ['*']\nexecutionOrder: x", 2, 17, /flowsOrder/],
    ["executionOrder:\n  continueOnFailure: maybe", 2, 22, /true. or .false/],
    ["flows: [", 1, 8, /indentation/],
  ])("%j is refused at its place", (source, line, column, words) => {
    const { config, diagnostics } = readConfig(source);
    expect(config).toBeUndefined();
    expect(diagnostics[0]).toMatchObject({ line, message: expect.stringMatching(words) });
    if (column > 0 && line > 1) expect(diagnostics[0]?.column).toBe(column);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        readConfig(text);
        yamlKind(text);
      }),
    );
  });
});

describe("a suite", () => {
  const flow = (path: string, ...tags: string[]) => ({
    path,
    name: path.replace(/^.*\//, "").replace(".yaml", ""),
    tags,
  });
  const flows = [flow("b.yaml", "smoke"), flow("a.yaml"), flow("sub/c.yaml", "smoke", "slow"), flow("sub/deep/d.yaml")];
  const plan = (config: Partial<typeof DEFAULT_CONFIG>) => {
    const found = planSuite({ ...DEFAULT_CONFIG, ...config }, flows);
    return typeof found === "string" ? found : [found.flows.map(({ path }) => path).join(" "), found.stopsWithin];
  };

  it("takes what config.yaml takes, in its order", () => {
    expect(plan({})).toEqual(["a.yaml b.yaml", 0]);
    expect(plan({ flows: ["**"] })).toEqual(["a.yaml b.yaml sub/c.yaml sub/deep/d.yaml", 0]);
    expect(plan({ flows: ["sub/*"] })).toEqual(["sub/c.yaml", 0]);
    expect(plan({ flows: ["**", "!sub/**"] })).toEqual(["a.yaml b.yaml", 0]);
    expect(plan({ flows: ["**"], includeTags: ["smoke"] })).toEqual(["b.yaml sub/c.yaml", 0]);
    expect(plan({ flows: ["**"], includeTags: ["smoke"], excludeTags: ["slow"] })).toEqual(["b.yaml", 0]);
    expect(plan({ flows: ["**"], flowsOrder: ["d", "b"] })).toEqual(["sub/deep/d.yaml b.yaml a.yaml sub/c.yaml", 0]);
    expect(plan({ flowsOrder: ["b"], continueOnFailure: false })).toEqual(["b.yaml a.yaml", 1]);
  });

  it("says what keeps it from running", () => {
    expect(plan({ flows: ["nothing/*"] })).toMatch(/No flow of this folder fits `nothing\/\*`/);
    expect(plan({ includeTags: ["never"] })).toMatch(/tags/);
    expect(plan({ flowsOrder: ["never"] })).toMatch(/names "never"/);
  });

  it("matches as a regular expression would, without its cost", () => {
    const piece = fc.constantFrom("a", "b", "*", "**", "ab", "a*b");
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 5 }),
        fc.array(fc.constantFrom("a", "b", "ab", "aab"), { minLength: 1, maxLength: 5 }),
        (parts, names) => {
          const source = parts
            .map((part) => (part === "**" ? "(?:[^/]+/)*" : `${part.replaceAll("*", "[^/]*")}/`))
            .join("");
          expect(matchesPath(parts.join("/"), names.join("/"))).toBe(
            new RegExp(`^${source}$`).test(`${names.join("/")}/`),
          );
        },
      ),
    );
    const started = performance.now();
    matchesPath(Array(40).fill("**").join("/"), Array(100).fill("a").join("/"));
    matchesPath("*a".repeat(60), "a".repeat(180));
    expect(performance.now() - started).toBeLessThan(200);
  });
});
