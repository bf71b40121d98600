import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { engineContract } from "./engine.contract.ts";
import { FakeEngine } from "./testing/engine.ts";

engineContract("the tests", async () => {
  const folder = mkdtempSync(join(tmpdir(), "engine-"));
  const path = join(folder, "docker.sock");
  const engine = await FakeEngine.start(path);
  engine.images.add("redroid/redroid:14.0.0-latest");
  return {
    privileged: true,
    ...{ address: `unix://${path}`, image: "redroid/redroid:14.0.0-latest", network: "perch-phones" },
    async close() {
      await engine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
});

// Docker or podman, as `npm run test:counterparts` starts it.
const address = process.env["TEST_DOCKER_HOST"];
const image = process.env["TEST_DOCKER_IMAGE"];
if (address !== undefined && image !== undefined) {
  const privileged = process.env["TEST_DOCKER_PRIVILEGED"] !== "no";
  engineContract(address, async () => ({ address, image, network: "none", privileged, close: async () => {} }));
}
