import { describe, expect, it } from "vitest";
import { newId } from "../../shared/ids.ts";
import { PerchError } from "../errors.ts";
import type { DriverState } from "../phones/driver.ts";
import { createPhoneReach } from "./phone-reach.ts";

const id = newId("phone");

function reachOf(states: DriverState[]) {
  let time = 0;
  const reach = createPhoneReach({
    id,
    driver: {
      runningPhones: () => new Set(states[0] === "running" ? [id] : []),
      state: async () => states[0] ?? "absent",
    },
    pace: {
      now: () => time,
      async sleep(ms) {
        time += ms;
        states.shift();
      },
    },
    signal: new AbortController().signal,
  });
  return { reach, slept: () => time };
}

describe("a phone of a run", () => {
  it("that is away has nothing begun on it until it is back", async () => {
    const states: DriverState[] = ["unknown", "unknown", "running"];
    const { reach, slept } = reachOf(states);
    const begun: (DriverState | undefined)[] = [];
    await reach.change(
      async () => void begun.push(states[0]),
      async () => {},
    );
    expect(begun).toEqual(["running"]);
    expect(slept()).toBe(1_000);
  });

  it("that goes while something is done has it done once, whatever comes of it", async () => {
    const states: DriverState[] = ["running"];
    const { reach } = reachOf(states);
    let done = 0;
    const work = reach.change(
      async () => {},
      async () => {
        done += 1;
        states[0] = "unknown";
        throw new PerchError("phone_unavailable", "Nobody answers.");
      },
    );
    await expect(work).rejects.toMatchObject({
      code: "phone_lost",
      message: expect.stringMatching(/may have done/),
    });
    expect(done).toBe(1);
  });

  it("that has ended is not waited for, and other errors are nobody's loss", async () => {
    const { reach, slept } = reachOf(["parked"]);
    await reach.reached();
    const ended = new PerchError("phone_not_running", "It is not running.");
    await expect(reach.look(() => Promise.reject(ended))).rejects.toBe(ended);
    expect(slept()).toBe(0);
  });
});
