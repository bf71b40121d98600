/**
 * Loaded into the server's process before it starts (`node --import`): the same rules with numbers that pass while one
 * watches. Plans include seconds, and an hour of a phone costs $360, which is ten cents a second.
 */
import { PAY_AS_YOU_GO, PLANS } from "../../shared/billing/catalogue.ts";

Object.assign(PLANS.free, { includedMs: 1_000 });
Object.assign(PLANS.solo, { includedMs: 6_000 });
Object.assign(PAY_AS_YOU_GO, { perHour: 36_000, dailyCap: 1_000_000 });
