/**
 * `npm run android:simulator`: phones that are none, for development. `--count N` of them (one by default), `--auth`: each
 * asks before a host may use it, and Enter lets in whoever waits. docs/android-simulator.md says what they can do.
 */
import { parseArgs } from "node:util";
import { startSimulator } from "../server/phones/drivers/adb/simulator/simulator.ts";

const MAX_COUNT = 32;
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "1" },
    auth: { type: "boolean", default: false },
    port: { type: "string" },
  },
});
const count = Number(values.count);
if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
  console.error(`--count takes a number from 1 to ${MAX_COUNT}.`);
  process.exit(2);
}
const first = values.port === undefined ? undefined : Number(values.port);
const simulators = await Promise.all(
  Array.from({ length: count }, (_, at) =>
    startSimulator({
      serial: `simulator-${at + 1}`,
      auth: values.auth,
      ...(first === undefined ? {} : { port: first + at }),
    }),
  ),
);
for (const { address, serial } of simulators) console.log(`${serial}  adb connect ${address}`);
if (values.auth) console.log("Press Enter to let in the hosts that wait.");
process.stdin.on("data", () => {
  for (const simulator of simulators) simulator.allow();
});
const stop = () => {
  void Promise.all(simulators.map((simulator) => simulator.close())).then(() => process.exit(0));
};
process.once("SIGINT", stop);
process.once("SIGTERM", stop);
