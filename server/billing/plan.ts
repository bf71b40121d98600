/** What every team has until there is something to buy. */
export const ONLY_PLAN = "free";
