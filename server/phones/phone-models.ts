/** What a new phone is made of, and what it is called when nobody says. */
import type { PhoneModel } from "../../shared/phones.ts";
import { PerchError } from "../errors.ts";
import type { PhoneDriver } from "./driver.ts";

/** As `phoneName` has it. */
const MAX_NAME = 60;

/** The model that was asked for, or the first that can be made now. Web phones have profiles instead. */
export async function chooseModel(driver: PhoneDriver, asked: string | undefined): Promise<PhoneModel | undefined> {
  if (driver.kind === "web") {
    if (asked === undefined) return undefined;
    throw new PerchError("bad_input", "Web phones have no models. Choose a profile, or another kind of phone.");
  }
  const models = await driver.models();
  const chosen =
    asked === undefined
      ? (models.find(({ unavailable }) => unavailable === undefined) ?? models[0])
      : models.find(({ id }) => id === asked);
  if (chosen === undefined && asked !== undefined) {
    throw new PerchError("not_found", "There is no such model on this server any more. Choose another one.");
  }
  if (chosen === undefined) {
    throw new PerchError(
      "capability_missing",
      "There is nothing to make such a phone of yet. Ask who runs the server.",
    );
  }
  if (chosen.unavailable !== undefined) throw new PerchError("limit_reached", chosen.unavailable);
  return chosen;
}

/** A name for the n-th phone of a team, within the length a name may have. */
export function numbered(name: string, n: number): string {
  return n === 1 ? name.slice(0, MAX_NAME) : `${name.slice(0, MAX_NAME - 6)} ${n}`;
}
