/**
 * The plan that counts of activity are kept under: one for all. What a team had when something was done is kept nowhere, since
 * the counts are made 90 days later, and so few have each paid plan that counts by plan would say who did it.
 */
export const ONLY_PLAN = "free";
