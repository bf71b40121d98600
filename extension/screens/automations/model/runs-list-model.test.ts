import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RUN_STATES, type RunState, type RunSummary } from "../../../../shared/automation-model.ts";
import { newId } from "../../../../shared/id-values.ts";
import { RUN_GROUPS, withNewest, withOlder } from "./runs-list-model.ts";

const run = (state: RunState): RunSummary => ({
  id: newId("run"),
  name: "Daily check",
  phoneId: newId("phone"),
  state,
  trigger: "person",
  createdAt: "2026-11-26T00:00:00.000Z",
});
const PAGE = 3;

describe("the list of runs", () => {
  it("has every state in one group", () => {
    expect(RUN_GROUPS.flatMap(({ states }) => [...states]).sort()).toEqual([...RUN_STATES].sort());
  });

  it("is the server's after any reading, older ones loaded or not, whatever began and ended meanwhile", () => {
    const going = (runs: readonly RunSummary[]) => runs.filter(({ state }) => state === "running");
    const step = fc.oneof(fc.constant("begin"), fc.constant("read"), fc.constant("older"), fc.nat(9));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.boolean(), (steps, onlyGoing) => {
        let server: readonly RunSummary[] = [];
        let shown: readonly RunSummary[] = [];
        const list = () => (onlyGoing ? going(server) : server);
        for (const what of steps) {
          if (what === "begin") server = [run("running"), ...server];
          else if (what === "read") {
            const page = list().slice(0, PAGE);
            shown = withNewest(shown, page, page.length < PAGE);
            expect(shown.slice(0, PAGE)).toEqual(page);
            if (page.length < PAGE) expect(shown).toEqual(page);
          } else if (what === "older") {
            const oldest = shown.at(-1);
            const from = oldest === undefined ? -1 : list().findIndex(({ id }) => id === oldest.id);
            if (from !== -1) shown = withOlder(shown, list().slice(from + 1, from + 1 + PAGE));
          } else server = server.map((one, index) => (index === what ? { ...one, state: "passed" as const } : one));
          expect(new Set(shown.map(({ id }) => id)).size).toBe(shown.length);
        }
        if (onlyGoing) return;
        // Without a filter nothing of what is listed leaves a gap.
        const ids = server.map(({ id }) => id);
        const places = shown.map(({ id }) => ids.indexOf(id));
        expect(places).toEqual(places.map((_, index) => (places[0] ?? 0) + index));
      }),
    );
  });
});
