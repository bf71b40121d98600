/** What a phone is set to: place, orientation, permissions, colours, network. */
import { baseName } from "../../../../shared/workspace-model.ts";
import type { Handlers, StepContext } from "../context.ts";
import { StepFailure } from "../failures.ts";
import { fileNamed, quoted } from "../words.ts";
import { answers, appOf } from "./apps.ts";

const STEP_MS = 1_000;
const MOST_STEPS = 600;
const EARTH_M = 6_371_000;

interface Position {
  readonly latitude: number;
  readonly longitude: number;
}

function position(latitude: string, longitude: string): Position {
  const [a, b] = [Number(latitude.trim() || "x"), Number(longitude.trim() || "x")];
  if (!(Math.abs(a) <= 90) || !(Math.abs(b) <= 180)) {
    throw new StepFailure(
      "phone_cannot",
      `"${quoted(latitude, 30)}, ${quoted(longitude, 30)}" is no place on earth. A latitude is -90 to 90, a longitude -180 to 180.`,
    );
  }
  return { latitude: a, longitude: b };
}

async function pointOf(step: StepContext, template: string): Promise<Position> {
  const [latitude = "", longitude = ""] = (await step.expand(template)).split(",");
  return position(latitude, longitude);
}

/** Great-circle distance in metres. */
function metres(a: Position, b: Position): number {
  const rad = Math.PI / 180;
  const dLat = (b.latitude - a.latitude) * rad;
  const dLon = (b.longitude - a.longitude) * rad;
  const h = Math.sin(dLat / 2) ** 2 + Math.cos(a.latitude * rad) * Math.cos(b.latitude * rad) * Math.sin(dLon / 2) ** 2;
  return 2 * EARTH_M * Math.asin(Math.min(1, Math.sqrt(h)));
}

async function onOrOff(step: StepContext, template: string, what: string): Promise<boolean> {
  const value = (await step.expand(template)).trim().toLowerCase();
  if (["enabled", "true", "on"].includes(value)) return true;
  if (["disabled", "false", "off"].includes(value)) return false;
  throw new StepFailure("phone_cannot", `${what} is enabled or disabled, not "${quoted(value, 40)}".`);
}

async function dark(step: StepContext, on: boolean): Promise<undefined> {
  await step.phone.configure({ colorScheme: on ? "dark" : "light" });
  return undefined;
}

async function airplane(step: StepContext, on: boolean): Promise<undefined> {
  await step.phone.setAirplaneMode(on);
  return undefined;
}

export const settings: Handlers<
  | "setLocation"
  | "travel"
  | "setOrientation"
  | "setPermissions"
  | "setDarkMode"
  | "toggleDarkMode"
  | "assertDarkMode"
  | "assertLightMode"
  | "setAirplaneMode"
  | "toggleAirplaneMode"
  | "addMedia"
  | "clearKeychain"
  | "unsupported"
> = {
  async setLocation(step, { latitude, longitude }) {
    await step.phone.configure({
      geolocation: position(await step.expand(latitude), await step.expand(longitude)),
    });
    return undefined;
  },
  async travel(step, { points, speed = 10 }) {
    let here: Position | undefined;
    for (const template of points) {
      const next = await pointOf(step, template);
      if (here !== undefined) {
        const from = here;
        const moves = Math.min(MOST_STEPS, Math.floor(metres(from, next) / Math.max(speed, 0.1)));
        for (let move = 1; move < moves; move += 1) {
          const part = move / moves;
          await step.phone.configure({
            geolocation: {
              latitude: from.latitude + (next.latitude - from.latitude) * part,
              longitude: from.longitude + (next.longitude - from.longitude) * part,
            },
          });
          await step.pace.sleep(STEP_MS, step.signal);
        }
      }
      await step.phone.configure({ geolocation: next });
      here = next;
    }
    return undefined;
  },
  async setOrientation(step, { orientation }) {
    const asked = (await step.expand(orientation)).trim().toUpperCase();
    if (!["PORTRAIT", "LANDSCAPE_LEFT", "LANDSCAPE_RIGHT", "LANDSCAPE", "UPSIDE_DOWN"].includes(asked)) {
      throw new StepFailure(
        "phone_cannot",
        `An orientation is PORTRAIT, LANDSCAPE_LEFT, LANDSCAPE_RIGHT or UPSIDE_DOWN, not "${quoted(asked, 40)}".`,
      );
    }
    await step.phone.turn(asked.startsWith("LANDSCAPE"));
    return undefined;
  },
  async setPermissions(step, { appId, permissions }) {
    const app = step.phone.can.apps ? await appOf(step, appId) : undefined;
    await step.phone.setPermissions(await answers(step, permissions), app);
    return undefined;
  },
  setDarkMode: async (step, { value }) => dark(step, await onOrOff(step, value, "Dark mode")),
  toggleDarkMode: async (step) => dark(step, (await step.phone.colorScheme()) !== "dark"),
  async assertDarkMode(step) {
    if ((await step.phone.colorScheme()) !== "dark")
      throw new StepFailure("assertion", "The phone is not in dark mode.");
    return undefined;
  },
  async assertLightMode(step) {
    if ((await step.phone.colorScheme()) === "dark") throw new StepFailure("assertion", "The phone is in dark mode.");
    return undefined;
  },
  setAirplaneMode: async (step, { value }) => airplane(step, await onOrOff(step, value, "Airplane mode")),
  toggleAirplaneMode: (step) => airplane(step, !step.phone.airplane()),
  async addMedia(step, { files }) {
    for (const template of files) {
      const path = fileNamed(step.file, await step.expand(template));
      await step.phone.addMedia(baseName(path), step.files.bytes(path));
    }
    return undefined;
  },
  async clearKeychain() {
    return "There is no keychain on this phone; nothing was done.";
  },
  async unsupported(_step, { command }) {
    throw new StepFailure("phone_cannot", `This phone cannot do ${command}. Remove the command, or make it optional.`);
  },
};
