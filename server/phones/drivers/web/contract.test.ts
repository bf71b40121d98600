/** The contract of drivers on web phones, with a real browser. */
import { driverContract } from "../../testing/driver-contract.ts";
import { Hand, openBench, serveSite } from "./web.fixture.ts";

const COUNTER = `<button style="height:100vh;font-size:40px" onclick="this.textContent='Count '+(++count)">Count 0</button><script>let count=0</script>`;

driverContract("web", async () => {
  const site = await serveSite({ "/": COUNTER });
  const bench = await openBench();
  return {
    driver: bench.driver,
    spec: async () => new Hand(bench.driver).spec,
    showCounter: ({ id }) => bench.driver.openUrl(id, `${site.base}/`),
    async dispose() {
      await bench.close();
      await site.close();
    },
  };
});
