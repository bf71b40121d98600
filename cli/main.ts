/** `perch run`: flows of this machine on a server's phones, for CI and terminals. Exit statuses stand in the usage. */
import { readArgs, USAGE } from "./args.ts";
import { perchClient, Refusal } from "./client.ts";
import { Unfit } from "./flows.ts";
import { runFlows, type Teller } from "./run.ts";

const args = readArgs(process.argv.slice(2), process.env, process.stdout.isTTY === true);
if (args === "help") process.stdout.write(`${USAGE}\n`);
else if ("problem" in args) {
  process.stderr.write(`${args.problem}\n\n${USAGE}\n`);
  process.exitCode = 2;
} else {
  const CODES = { green: 32, red: 31, yellow: 33, dim: 2 } as const;
  const tell: Teller = {
    line: (text) => process.stdout.write(`${text}\n`),
    colour: (name, text) => (args.colours ? `\u001b[${CODES[name]}m${text}\u001b[0m` : text),
  };
  const stop = new AbortController();
  const interrupt = () => {
    // The second time ends it at once.
    if (stop.signal.aborted) process.exit(130);
    tell.line("Stopping …");
    stop.abort(new Error("stopped"));
  };
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    process.exitCode = await runFlows(args, perchClient(args.server, args.token), tell, stop.signal);
  } catch (error) {
    if (stop.signal.aborted) process.exitCode = 130;
    else {
      if (!(error instanceof Unfit) && !(error instanceof Refusal)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = 1;
    }
  }
  process.off("SIGINT", interrupt);
  process.off("SIGTERM", interrupt);
}
