/** The program: settings → server → one line that says where it is; stops cleanly on SIGINT and SIGTERM. */
import { existsSync } from "node:fs";
import { systemClock } from "./clock.ts";
import { billingLine, parseConfig } from "./config.ts";
import { PerchError } from "./errors.ts";
import { createLog, errorFields, errorText } from "./log.ts";
import { guardOutbound } from "./privacy/processors/outbound.ts";
import { readRegister } from "./privacy/processors/processors-file.ts";
import { startServer } from "./server.ts";
import { collectorOf } from "./tracing/tracing.ts";

const STOP_LIMIT_MS = 15_000;

if (existsSync(".env")) process.loadEnvFile(".env");
const log = createLog({ clock: systemClock, write: (line) => process.stderr.write(line) });

try {
  const config = parseConfig(process.env);
  const processors = readRegister(config);
  const outbound = guardOutbound({ processors, ownPlaces: collectorOf(config), clock: systemClock, log });
  const server = await startServer({ config, clock: systemClock, log, outbound });
  for (const warning of config.warnings) process.stdout.write(`${warning}\n`);
  process.stdout.write(`Perch is ready at ${server.url}\n`);
  process.stdout.write(`${billingLine(config)}\n`);
  if (server.setupUrl !== undefined) {
    process.stdout.write(`First run: make your account within 15 minutes at ${server.setupUrl}\n`);
  }
  let stopping = false;
  const patienceMs = config.DRAIN_SECONDS * 1_000;
  const end = async (isDrained: boolean) => {
    if (!isDrained && patienceMs > 0) {
      const { cut, handedOver, parked } = await server.drain(patienceMs);
      log.info("This node is drained", { cut, handedOver, parked });
    }
    setTimeout(() => process.exit(1), STOP_LIMIT_MS).unref();
    await server.close();
  };
  const stop = (reason: string, isDrained = false) => {
    if (stopping) return;
    stopping = true;
    log.info("Stopping", { reason });
    setTimeout(() => process.exit(1), patienceMs + 2 * STOP_LIMIT_MS).unref();
    end(isDrained).then(
      () => process.exit(0),
      (error: unknown) => {
        log.error("Stopping failed", errorFields(error));
        process.exit(1);
      },
    );
  };
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop(signal));
  void server.drained.then(() => stop("drained by the operator", true));
  process.on("unhandledRejection", (error) => log.error("A promise was left alone", errorFields(error)));
} catch (error) {
  process.stderr.write(
    error instanceof PerchError ? `${error.message}\n` : `Perch did not start.\n${errorText(error)}\n`,
  );
  if (!(error instanceof PerchError)) log.error("Start failed", errorFields(error));
  process.exit(1);
}
