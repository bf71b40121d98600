import { describe, expect, it } from "vitest";
import { readArgs } from "./args.ts";

const read = (line: string, env: Record<string, string> = { PERCH_TOKEN: "t" }) =>
  readArgs(line.split(" "), env, false);

describe("what stands behind perch", () => {
  it("is read with Maestro's names", () => {
    expect(
      read(
        "test a.yaml flows --phone web --phone Desk -e A=1 -e B=x=y --include-tags a,b --exclude-tags c --format JUNIT --output o/r.xml --debug-output d --timeout 90 --server https://p.example/ --shard-all",
      ),
    ).toEqual({
      paths: ["a.yaml", "flows"],
      phones: ["web", "Desk"],
      shard: "all",
      env: { A: "1", B: "x=y" },
      includeTags: ["a", "b"],
      excludeTags: ["c"],
      format: "junit",
      output: "o/r.xml",
      debugOutput: "d",
      timeoutMs: 90_000,
      server: "https://p.example",
      token: "t",
      colours: false,
    });
    expect(read("run a.yaml", { PERCH_TOKEN: " t\n", PERCH_SERVER: "http://s:1" })).toMatchObject({
      phones: ["web"],
      server: "http://s:1",
      token: "t",
      format: "noop",
    });
    expect(read("run --help")).toBe("help");
  });
  it.each([
    ["", "Say what to do|There is no command"],
    ["fly a.yaml", "There is no command “fly”"],
    ["run", "Name a flow"],
    ["run a.yaml --format pdf", "--format is junit, html or noop"],
    ["run a.yaml -e A", "NAME=VALUE"],
    ["run a.yaml --timeout soon", "--timeout is a number"],
    ["run a.yaml --server p.example", "--server is an address"],
    ["run a.yaml --shard-all --shard-split", "not both"],
    ["run a.yaml --nope", "nope"],
  ])("%j is refused with words", (line, words) => {
    expect(read(line)).toMatchObject({ problem: expect.stringMatching(words) });
  });
  it("asks for a token", () => {
    expect(read("run a.yaml", {})).toMatchObject({ problem: expect.stringContaining("PERCH_TOKEN") });
  });
});
