/** Asks a Docker Engine who it is, for the doctor. */
import { z } from "zod";
import type { Config } from "../../../../config.ts";
import { openDocker, parseEngineAddress } from "./engine-address.ts";

const answer = z.looseObject({ Version: z.string(), ApiVersion: z.string() });

/** @throws what stands in the way, in words */
export async function lookAtDocker(
  config: { readonly DOCKER_HOST: string } & Pick<Config, "DOCKER_CERT_PATH">,
): Promise<{ readonly version: string; readonly api: string }> {
  const { docker, close } = await openDocker(parseEngineAddress(config.DOCKER_HOST), config.DOCKER_CERT_PATH);
  try {
    const { Version: version, ApiVersion: api } = answer.parse(await docker.version());
    return { version, api };
  } finally {
    close();
  }
}
