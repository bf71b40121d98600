import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { CONTROL_GRACE_MS, type ControlViewer, createControl } from "./control.ts";

function person(name: string, over: Partial<ControlViewer> = {}): ControlViewer {
  return { id: newId("viewer"), sessionId: newId("session"), name, mayControl: true, mayTake: false, ...over };
}

describe("control", () => {
  it("goes to the first who may have it, never to one who may only watch", () => {
    const control = createControl();
    const guest = person("Guest", { mayControl: false });
    const ada = person("Ada");
    control.join(0, guest);
    control.ask(0, guest.id);
    expect(control.controller()).toBeUndefined();
    control.join(0, ada);
    expect(control.controller()).toBe(ada);
    control.ask(0, guest.id);
    expect(control.asking()).toBeUndefined();
  });
  it("is handed over only by the controller, to the first who asked", () => {
    const control = createControl();
    const [ada, bob, eve] = [person("Ada"), person("Bob"), person("Eve")];
    for (const one of [ada, bob, eve]) control.join(0, one);
    control.ask(0, bob.id);
    control.ask(0, eve.id);
    control.give(eve.id);
    control.release(eve.id);
    expect(control.controller()).toBe(ada);
    expect(control.asking()).toBe(bob);
    control.give(ada.id);
    expect(control.controller()).toBe(bob);
    expect(control.asking()).toBe(eve);
    expect(control.decline(bob.id)).toBe(eve.id);
    expect(control.asking()).toBeUndefined();
    expect(control.controller()).toBe(bob);
  });
  it("is kept for five seconds for a lost controller's session", () => {
    const control = createControl();
    const [ada, bob] = [person("Ada"), person("Bob")];
    control.join(0, ada);
    control.join(0, bob);
    control.leave(1_000, ada.id);
    control.ask(2_000, bob.id);
    expect(control.controller()).toBeUndefined();
    const again = person("Ada", { sessionId: ada.sessionId });
    control.join(3_000, again);
    expect(control.controller()).toBe(again);
    expect(control.asking()).toBe(bob);
  });
  it("goes to who asked when the lost controller does not come back", () => {
    const control = createControl();
    const [ada, bob] = [person("Ada"), person("Bob")];
    control.join(0, ada);
    control.join(0, bob);
    control.ask(0, bob.id);
    control.leave(1_000, ada.id);
    expect(control.expire(1_000 + CONTROL_GRACE_MS - 1)).toBe(false);
    expect(control.expire(1_000 + CONTROL_GRACE_MS)).toBe(true);
    expect(control.controller()).toBe(bob);
  });
  it("stays with the same session when its new connection comes before the old one is seen to die", () => {
    const control = createControl();
    const ada = person("Ada");
    const again = person("Ada", { sessionId: ada.sessionId });
    control.join(0, ada);
    control.join(10, again);
    expect(control.controller()).toBe(ada);
    control.leave(20, ada.id);
    expect(control.controller()).toBe(again);
  });
  it("is taken by who may take it and nobody else, from whoever has it or is waited for", () => {
    const control = createControl();
    const [ada, bob] = [person("Ada"), person("Bob")];
    const eve = person("Eve", { mayTake: true });
    const only = person("Only watches", { mayControl: false, mayTake: true });
    for (const one of [ada, bob, eve, only]) control.join(0, one);
    for (const one of [bob, only]) {
      expect(control.couldTake(one.id)).toBe(false);
      control.take(one.id);
      expect(control.controller()).toBe(ada);
    }
    expect(control.couldTake(eve.id)).toBe(true);
    control.take(eve.id);
    expect(control.controller()).toBe(eve);
    expect(control.couldTake(eve.id)).toBe(false);
    control.give(ada.id);
    expect(control.controller()).toBe(eve);
    control.leave(1_000, eve.id);
    const boss = person("Boss", { mayTake: true });
    control.join(1_000, boss);
    expect([control.controller(), control.couldTake(boss.id)]).toEqual([undefined, true]);
    control.take(boss.id);
    expect([control.controller(), control.reserved()]).toEqual([boss, false]);
  });
  it("leaves who may control no more at once, for who asked", () => {
    const control = createControl();
    const [ada, bob] = [person("Ada"), person("Bob")];
    for (const one of [ada, bob]) control.join(0, one);
    control.ask(0, bob.id);
    control.allow(ada.id, { mayControl: false, mayTake: false });
    expect(control.controller()).toBe(bob);
    control.ask(0, ada.id);
    expect(control.asking()).toBeUndefined();
    control.allow(ada.id, { mayControl: true, mayTake: true });
    control.take(ada.id);
    expect(control.controller()?.id).toBe(ada.id);
  });
  it("never leaves a controller who is there but by the controller's own act, or who may take it", () => {
    const people = [person("A"), person("B"), person("C", { mayTake: true }), person("D", { mayControl: false })];
    const act = fc.record({
      who: fc.constantFrom(...people),
      what: fc.constantFrom("join", "leave", "ask", "take", "give", "decline", "release", "wait"),
    });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 100 }), (script) => {
        const control = createControl();
        const present = new Set<ControlViewer>();
        let now = 0;
        for (const { who, what } of script) {
          const before = control.controller();
          now += 100;
          if (what === "join" && !present.has(who)) {
            present.add(who);
            control.join(now, who);
          } else if (what === "leave") {
            present.delete(who);
            control.leave(now, who.id);
          } else if (what === "wait") {
            now += CONTROL_GRACE_MS;
            control.expire(now);
          } else if (present.has(who)) {
            if (what === "ask") control.ask(now, who.id);
            else if (what === "take") control.take(who.id);
            else if (what === "give") control.give(who.id);
            else if (what === "decline") control.decline(who.id);
            else if (what === "release") control.release(who.id);
          }
          const after = control.controller();
          if (after !== undefined) expect(present.has(after) && after.mayControl).toBe(true);
          const taken = what === "take" && who.mayTake && after === who;
          if (before !== undefined && after !== before && !taken) expect(who).toBe(before);
        }
      }),
    );
  });
});
