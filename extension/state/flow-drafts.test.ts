import { describe, expect, it } from "vitest";
import { newId } from "../../shared/id-values.ts";
import { draftsIn, draftsOf, flowIdOf, newDraftKey, withDraft } from "./flow-drafts.ts";

describe("drafts of automations", () => {
  it("are read by automation, with text of any length and script; what is no draft is left out", () => {
    const id = newId("flow");
    const draft = { name: "名前 🙂", source: "- tapOn: ".padEnd(262_144, "é"), base: "2026-11-26T00:00:00.000Z" };
    const rows = [
      { server: "https://a.example", key: id, ...draft },
      { server: "https://a.example", key: "owner", person: newId("user") },
      { server: "https://a.example", key: "new-1", name: "", source: "" },
      { server: "https://a.example", key: "new-2", name: 3, source: "" },
      undefined,
    ];
    expect(draftsOf(rows)).toEqual({ [id]: draft, "new-1": { name: "", source: "" } });
  });

  it("stay in the team they were written in", () => {
    const of = (team: string) => ({ name: team, source: "", team });
    const all = { "new-1": of("team_a"), "new-2": of("team_b"), "new-3": { name: "earlier", source: "" } };
    expect(Object.keys(draftsIn("team_a", all))).toEqual(["new-1", "new-3"]);
    expect(draftsIn(undefined, all)).toEqual(all);
  });

  it("are put in and taken out", () => {
    const one = withDraft({}, "new-1", { name: "a", source: "" });
    expect(one).toEqual({ "new-1": { name: "a", source: "" } });
    expect(withDraft(one, "new-1", undefined)).toEqual({});
  });

  it("know a saved automation from a new one", () => {
    const id = newId("flow");
    expect(flowIdOf(id)).toBe(id);
    for (const key of [newDraftKey(), newId("run"), "", `${id}x`]) expect(flowIdOf(key)).toBeUndefined();
  });
});
