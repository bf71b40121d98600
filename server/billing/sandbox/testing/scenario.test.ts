import { describe, expect, it } from "vitest";
import { systemClock } from "../../../clock.ts";
import { openSandbox } from "./sandbox.ts";
import { tellScenario } from "./scenario.ts";

describe("the scenario, as stripe-mock and Stripe's test mode hear it", () => {
  it("comes true on the sandbox", async () => {
    const { stripe } = openSandbox({ clock: systemClock, loose: true });
    const told = await tellScenario({ name: "sandbox", stripe, remembers: true, run: "story", wait: async () => {} });
    expect(told).toHaveLength(19);
  });
});
