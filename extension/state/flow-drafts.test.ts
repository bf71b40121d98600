import { beforeEach, describe, expect, it } from "vitest";
import { fakeBrowser } from "wxt/testing/fake-browser";
import { newId } from "../../shared/id-values.ts";
import { flowDrafts, flowIdOf, newDraftKey, withDraft } from "./flow-drafts.ts";

describe("drafts of automations", () => {
  beforeEach(() => fakeBrowser.reset());

  it("are kept by automation, with text of any length and script", async () => {
    const id = newId("flow");
    const draft = { name: "名前 🙂", source: "- tapOn: ".padEnd(262_144, "é"), base: "2026-11-26T00:00:00.000Z" };
    const key = newDraftKey();
    await flowDrafts().set(withDraft({ [key]: { name: "", source: "" } }, id, draft));
    expect(await flowDrafts().get()).toEqual({ [key]: { name: "", source: "" }, [id]: draft });
    await flowDrafts().update((all) => withDraft(all, key, undefined));
    expect(Object.keys(await flowDrafts().get())).toEqual([id]);
  });

  it("know a saved automation from a new one", () => {
    const id = newId("flow");
    expect(flowIdOf(id)).toBe(id);
    for (const key of [newDraftKey(), newId("run"), "", `${id}x`]) expect(flowIdOf(key)).toBeUndefined();
  });
});
