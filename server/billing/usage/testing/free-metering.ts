/** Metering that counts nothing and refuses nothing, for tests of other things. */
import type { Metering } from "../../ports.ts";

export const FREE_METERING: Metering = {
  admit: async () => {},
  opened: async () => {},
  resumed: async () => {},
  closed: async () => {},
};
