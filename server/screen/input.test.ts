import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createInputGate, type InputMessage } from "./input.ts";

function touch(phase: "start" | "move" | "end" | "cancel", id = 0, x = 0.5, y = 0.5): InputMessage {
  return { type: "touch", phase, id, x, y, seq: 1 };
}

describe("input gate", () => {
  it("passes a tap on without the frame number", () => {
    const gate = createInputGate(0);
    expect(gate.accept(0, touch("start"))).toEqual({ type: "touch", phase: "start", id: 0, x: 0.5, y: 0.5 });
    expect(gate.accept(1, touch("end"))).toEqual({ type: "touch", phase: "end", id: 0, x: 0.5, y: 0.5 });
  });
  it("lets only whole sequences through, whatever comes", () => {
    const anyTouch = fc.record({
      phase: fc.constantFrom("start", "move", "end", "cancel"),
      id: fc.nat(2),
      wait: fc.nat(3),
    });
    fc.assert(
      fc.property(fc.array(anyTouch, { maxLength: 1_000 }), (script) => {
        const gate = createInputGate(0);
        const down = new Set<number>();
        let now = 0;
        for (const { phase, id, wait } of script) {
          now += wait;
          const passed = gate.accept(now, touch(phase, id));
          if (phase === "end" || phase === "cancel") expect(passed !== undefined).toBe(down.has(id));
          if (passed === undefined) continue;
          expect(down.has(id)).toBe(phase !== "start");
          if (phase === "start") down.add(id);
          if (phase === "end" || phase === "cancel") down.delete(id);
        }
        const cancelled = gate.cancel().map((input) => (input.type === "touch" ? input.id : -1));
        expect(new Set(cancelled)).toEqual(down);
        expect(gate.cancel()).toEqual([]);
      }),
    );
  });
  it("ABUSE-36 drops moves over 240 a second but never the end", () => {
    const gate = createInputGate(0);
    gate.accept(0, touch("start"));
    let passed = 0;
    for (let i = 0; i < 5_000; i += 1) if (gate.accept(i / 5, touch("move")) !== undefined) passed += 1;
    expect(passed).toBeGreaterThan(400);
    expect(passed).toBeLessThanOrEqual(480);
    expect(gate.accept(1_000, touch("end"))).toBeDefined();
  });
  it("ABUSE-36 lets 60 texts and keys through at once, then 60 a second", () => {
    const gate = createInputGate(0);
    const count = (now: number) => {
      let passed = 0;
      for (let i = 0; i < 200; i += 1) if (gate.accept(now, { type: "key", name: "Enter" }) !== undefined) passed += 1;
      return passed;
    };
    expect(count(0)).toBe(60);
    expect(count(500)).toBe(30);
    expect(gate.allow(500)).toBe(false);
  });
  it("cancels a touch where it was last seen", () => {
    const gate = createInputGate(0);
    gate.accept(0, touch("start", 3, 0.1, 0.1));
    gate.accept(1, touch("move", 3, 0.2, 0.3));
    expect(gate.cancel()).toEqual([{ type: "touch", phase: "cancel", id: 3, x: 0.2, y: 0.3 }]);
  });
});
