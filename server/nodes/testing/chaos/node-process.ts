/**
 * One node of the storm: the whole server with phones in memory and a clock that is set from outside. Its environment holds
 * the server's settings and `CHAOS_NODE`; orders come as lines of JSON on its input, answers go to its output.
 */
import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { z } from "zod";
import { phoneId } from "../../../../shared/ids.ts";
import { parseConfig } from "../../../config.ts";
import { PerchError } from "../../../errors.ts";
import { createLog, errorText } from "../../../log.ts";
import { startServer } from "../../../server.ts";
import { ChaosDriver, journalTo } from "./chaos-driver.ts";
import { sharedArchive } from "./shared-archive.ts";

const about = z.object({
  name: z.string(),
  journal: z.string(),
  log: z.string(),
  archive: z.string().optional(),
  lease: z.object({ beatMs: z.number(), leaseMs: z.number(), marginMs: z.number() }),
  /** By how much the node's clock is off. */
  off: z.number(),
});
export type NodeAbout = z.infer<typeof about>;

const order = z.discriminatedUnion("do", [
  z.object({ n: z.number(), do: z.literal("clock"), off: z.number() }),
  z.object({ n: z.number(), do: z.literal("person"), email: z.string(), fullName: z.string(), password: z.string() }),
  z.object({ n: z.number(), do: z.literal("crash"), pick: z.number() }),
  z.object({ n: z.number(), do: z.literal("phones") }),
]);
type Numberless<T> = T extends unknown ? Omit<T, "n"> : never;
export type NodeOrder = Numberless<z.infer<typeof order>>;

const me = about.parse(JSON.parse(process.env["CHAOS_NODE"] ?? ""));
let off = me.off;
const clock = { now: () => Date.now() + off };
const lines = createWriteStream(me.log, { flags: "a" });
const log = createLog({ clock, write: (line) => lines.write(line) });
const tell = journalTo(me.journal, me.name);
const config = parseConfig(process.env);
const folder = join(config.DATA_DIR, "phones-of-the-storm");
const driver = new ChaosDriver(folder, tell);
const archive = me.archive === undefined ? undefined : sharedArchive(me.archive, folder, () => driver);
driver.onParked = archive?.archive;
const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
process.on("unhandledRejection", (error) => {
  log.error("A promise was left alone", { error: errorText(error) });
  say({ unhandled: errorText(error) });
});

const server = await startServer({
  ...{ config, clock, log, driver, lease: me.lease },
  ...(archive && { archive }),
}).catch((error: unknown) => {
  say({ failed: errorText(error) });
  process.exit(1);
});
tell("up");
// In the place of the look that the keeper of archives takes every hour.
setInterval(() => void server.lifecycle.leave([...driver.stored.keys()]).catch(() => {}), 1_000).unref();
say({ ready: server.url, port: server.port, id: server.membership.id });

async function obey(asked: z.infer<typeof order>): Promise<unknown> {
  switch (asked.do) {
    case "clock":
      off = asked.off;
      return null;
    case "person": {
      const { email, fullName, password } = asked;
      return (await server.accounts.accounts.create({ email, fullName, password }, "operator")).id;
    }
    case "crash": {
      const id = [...driver.running][asked.pick % Math.max(1, driver.running.size)];
      if (id !== undefined) driver.end(phoneId.parse(id), "browser_crashed");
      return id ?? null;
    }
    default:
      return { running: [...driver.running], stored: [...driver.stored.keys()] };
  }
}

createInterface(process.stdin).on("line", (line) => {
  const asked = order.parse(JSON.parse(line));
  obey(asked).then(
    (answer) => say({ n: asked.n, answer }),
    (error: unknown) => say({ n: asked.n, error: error instanceof PerchError ? error.code : errorText(error) }),
  );
});

let stopping = false;
async function end(): Promise<void> {
  if (stopping) return;
  stopping = true;
  if (config.DRAIN_SECONDS > 0) await server.drain(config.DRAIN_SECONDS * 1_000);
  await server.close();
}
process.on("SIGTERM", () => {
  setTimeout(() => process.exit(1), config.DRAIN_SECONDS * 1_000 + 15_000).unref();
  end().then(
    () => {
      tell("down");
      process.exit(0);
    },
    (error: unknown) => {
      say({ failed: errorText(error) });
      process.exit(1);
    },
  );
});
