/** The emulator from a shell: `npm run partner:emulator`. Its phones are simulated ones, and stand here alone. */
import { systemClock } from "../../../../clock.ts";
import { type Simulator, startSimulator } from "../../adb/simulator/simulator.ts";
import { emulatorAccess, startGeelarkEmulator } from "./emulator.ts";

const TICK_MS = 500;
const access = emulatorAccess();
const simulators = new Map<string, Promise<Simulator>>();

const emulator = await startGeelarkEmulator({
  clock: systemClock,
  access,
  bootMs: 2_000,
  async adb(phone) {
    let starting = simulators.get(phone.id);
    if (starting === undefined) {
      starting = startSimulator({ serial: phone.serialNo, login: () => phone.adb?.password });
      simulators.set(phone.id, starting);
    }
    const simulator = await starting;
    await simulator.plugIn();
    return { host: "127.0.0.1", port: simulator.port };
  },
});

const callback = process.argv[2];
if (callback !== undefined) emulator.callback.url = callback;
console.log(
  [
    "# GeeLark's API in memory. These lines are settings of the server, in .env or the environment:",
    `GEELARK_API_BASE=${emulator.base}`,
    `GEELARK_APP_ID=${access.key?.appId ?? ""}`,
    `GEELARK_API_KEY=${access.key?.apiKey ?? ""}`,
    "GEELARK_PROXY=1",
    callback === undefined
      ? "# It tells nobody what happens; to have it told: npm run partner:emulator -- http://localhost:8787/webhooks/geelark"
      : `# What happens is told to ${callback}`,
  ].join("\n"),
);

/** A phone that is off has no cable. */
async function tick(): Promise<void> {
  await emulator.tick();
  for (const [id, simulator] of simulators) {
    const phone = emulator.world.phones.get(id);
    if (phone === undefined) {
      simulators.delete(id);
      await (await simulator).close();
    } else if (phone.on === undefined) await (await simulator).unplug();
  }
}
const ticking = setInterval(() => void tick(), TICK_MS);

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, async () => {
    clearInterval(ticking);
    await emulator.close();
    for (const simulator of simulators.values()) await (await simulator).close();
  });
}
