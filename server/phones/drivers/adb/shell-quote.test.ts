import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { shellLine, shellQuote } from "./shell-quote.ts";

/** What a real shell hands to a program, for many lines in one process. */
function throughShell(lines: readonly (readonly string[])[]): string[][] {
  const END = "--end of arguments--";
  const script = lines.map((argv) => shellLine(["printf", "%s\\0", ...argv, END])).join("\n");
  const { stdout, status, stderr } = spawnSync("/bin/sh", ["-s"], { input: script, maxBuffer: 64 * 1024 * 1024 });
  expect({ status, stderr: stderr.toString() }).toEqual({ status: 0, stderr: "" });
  const groups: string[][] = [[]];
  for (const word of stdout.toString("utf8").split("\0").slice(0, -1)) {
    if (word === END) groups.push([]);
    else groups.at(-1)?.push(word);
  }
  return groups.slice(0, -1);
}

const HOSTILE = [
  ...["", " ", "'", "''", "'\\''", '"', "\\", "\n", "\r\n", "\t", "*", "?", "[a-z]", "~", "#x", "!", "!!"],
  ...[
    "$(reboot)",
    "`reboot`",
    "$HOME",
    "$\u007bIFS}",
    "; reboot",
    "&& reboot",
    "|| reboot",
    "| sh",
    "> /sdcard/x",
    "< /etc/passwd",
  ],
  ...["-rf", "--", "a b", "a\nb", "日本語", "🙂", "\u202e", "\u0001\u001b[2J", "x'; reboot; echo 'y", "'$(reboot)'"],
  "https://example.org/?a=1&b=$(id)#'",
];

describe("what reaches a program on a phone", () => {
  it("is each argument as it is, through a real shell", () => {
    expect(throughShell(HOSTILE.map((text) => [text, text]))).toEqual(HOSTILE.map((text) => [text, text]));
  });

  it("is each argument as it is, whatever it holds", () => {
    const text = fc.oneof(
      fc.string({ unit: "binary", maxLength: 40 }),
      fc.string({ unit: fc.constantFrom("'", '"', "\\", "$", "`", "\n", " ", ";", "(", ")", "a"), maxLength: 40 }),
    );
    const argv = fc.array(
      text.filter((one) => !one.includes("\0") && one.isWellFormed()),
      { maxLength: 5 },
    );
    fc.assert(
      fc.property(fc.array(argv, { minLength: 50, maxLength: 100 }), (lines) => {
        expect(throughShell(lines)).toEqual(lines);
      }),
      { numRuns: 15 },
    );
  });

  it("never is what no argument can be", () => {
    expect(() => shellQuote("a\0b")).toThrow(/no phone takes/);
    expect(() => shellQuote("\ud800")).toThrow(/no phone takes/);
    expect(() => shellQuote("x".repeat(131_072))).toThrow(/too long/);
    expect(shellQuote("x".repeat(131_071))).toHaveLength(131_073);
  });
});
