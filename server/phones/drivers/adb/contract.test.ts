/** The contract of drivers on Androids: a simulated device, called directly and through Debian's ADB server. */
import { describe } from "vitest";
import { driverContract } from "../../testing/driver-contract.ts";
import { startSimulator } from "./simulator/simulator.ts";
import { adbProcess, hasAdb } from "./testing/adb.fixture.ts";
import { androidWorld } from "./testing/android.fixture.ts";

async function open(throughServer: boolean) {
  const adb = throughServer ? await adbProcess() : undefined;
  const simulator = await startSimulator();
  const world = await androidWorld(adb && { env: { ADB_SERVER: `127.0.0.1:${adb.at.port}` } });
  const connect = async () => {
    await adb?.run("connect", simulator.address);
    await adb?.run("-s", simulator.address, "wait-for-device");
  };
  await connect();
  const endpoint = adb === undefined ? `tcp:${simulator.address}` : `server:${simulator.address}`;
  const device = await world.register(endpoint);
  return {
    driver: world.driver,
    spec: () => world.phone(device),
    async showCounter({ id }: { readonly id: Parameters<typeof world.forget>[0] }) {
      await world.driver.apps?.launch(id, "com.example.counter");
    },
    loss: {
      cut: () => simulator.unplug(),
      async mend() {
        await simulator.plugIn();
        await connect();
      },
    },
    async dispose() {
      await world.dispose();
      await simulator.close();
      await adb?.dispose();
    },
  };
}

driverContract("adb, called directly", () => open(false));
describe.runIf(hasAdb)("through Debian's adb", () => driverContract("adb", () => open(true)));
