/** `partner …`: how things stand with the cloud-phone partner, and whether what it charges fits what we counted. */
import { z } from "zod";
import { PerchError } from "../errors.ts";
import { silentLog } from "../log.ts";
import { checkCharges } from "../phones/drivers/geelark/charges.ts";
import { openGeelark } from "../phones/drivers/geelark/driver.ts";
import { lockWords } from "../phones/drivers/geelark/troubles.ts";
import { type Commands, oneLine, parse } from "./command.ts";

const DAY_MS = 24 * 60 * 60_000;
/** Usage is kept for 90 days. */
const days = z
  .string()
  .regex(/^\d{1,2}$/, "Write a whole number of days from 1 to 90.")
  .transform(Number)
  .refine((value) => value >= 1 && value <= 90, "Write a whole number of days from 1 to 90.")
  .default(31);

export const PARTNER_COMMANDS: Commands = {
  "partner check": {
    options: { days: { type: "string" } },
    async run({ db, process }, options) {
      const { geelark } = process.config();
      if (geelark === undefined) {
        throw new PerchError("not_found", "No cloud-phone partner is set up. See docs/geelark.md for how.");
      }
      const { clock } = process;
      const until = new Date(clock.now());
      const from = new Date(until.getTime() - parse(days, "--days", options["days"]) * DAY_MS);
      const { api, repo, close } = openGeelark({ geelark, db, clock, log: silentLog });
      try {
        const [plan, wallet] = [await api.plan(), await api.wallet()];
        process.out(
          oneLine(
            `Plan ${plan.plan}: ${plan.availableProfiles} of ${plan.profiles} phones left. Balance ${wallet.balance}, gift ${wallet.giftMoney}, time add-on ${wallet.availableTimeAddOn} minutes.`,
          ),
        );
      } catch (error) {
        if (!(error instanceof PerchError)) throw error;
        process.out(`Plan and balance are not known: ${error.message}`);
      } finally {
        close();
      }
      for (const lock of await repo.locks(until)) process.out(`${lock.path}: ${lockWords(lock.until)}`);
      const check = await checkCharges(repo, from, until);
      process.out(
        `From ${from.toISOString()} to ${until.toISOString()}: ${check.charges} charges of ${check.partnerMinutes} minutes, and ${check.ourMinutes} minutes counted here.`,
      );
      for (const { words } of check.differences) process.out(words);
      if (check.differences.length === 0) process.out("Charges and usage fit together.");
    },
  },
};
