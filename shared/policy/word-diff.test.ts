import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { POLICY } from "./policy-v1.ts";
import { policyDiff, wordDiff } from "./word-diff.ts";

const texts = fc.array(fc.constantFrom("we", "keep", "your", "data", "logs", "90", "days"), { maxLength: 14 });

describe("what changed in a policy", () => {
  it("reads as the earlier text without what was added, and as the later without what was removed", () => {
    fc.assert(
      fc.property(texts, texts, (before, after) => {
        const parts = wordDiff(before.join(" "), after.join(" "));
        const side = (not: string) => parts.filter(({ kind }) => kind !== not).map(({ text }) => text);
        expect(side("added").join(" ")).toBe(before.join(" "));
        expect(side("removed").join(" ")).toBe(after.join(" "));
      }),
    );
  });

  it("marks the words that differ and no others", () => {
    expect(wordDiff("We keep logs for 90 days.", "We keep logs for 60 days.")).toEqual([
      { kind: "same", text: "We keep logs for" },
      { kind: "removed", text: "90" },
      { kind: "added", text: "60" },
      { kind: "same", text: "days." },
    ]);
  });

  it("knows clauses that came, went and changed, each at its place", () => {
    const clauses = POLICY.clauses.flatMap((clause) => {
      if (clause.id === "P1.3") return [];
      if (clause.id === "P4.4") return [{ ...clause, text: `${clause.text} Or sooner.` }];
      return [clause];
    });
    const later = { ...POLICY, version: 2, clauses: [...clauses, { id: "P9.2", section: "Contact", text: "New." }] };
    const changes = policyDiff(POLICY, later).filter(({ kind }) => kind !== "same");
    expect(changes.map(({ id, kind }) => [id, kind])).toEqual([
      ["P1.3", "removed"],
      ["P4.4", "changed"],
      ["P9.2", "added"],
    ]);
    const ids = policyDiff(POLICY, later).map(({ id }) => id);
    expect(ids.indexOf("P1.3")).toBe(ids.indexOf("P1.2") + 1);
  });
});
