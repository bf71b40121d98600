/** What a person wrote behind `perch`. Names are those of Maestro's CLI where it has them. */
import { parseArgs } from "node:util";

export const USAGE = `Usage: perch run <flow.yaml | folder …> [options]        (perch test is the same)

  --phone web | NAME | ID     a fresh web phone, removed afterwards (default), or one that is there; more than one
                              is given by --phone again
  --shard-split               each flow on one of the phones
  --shard-all                 every flow on every phone
  -e NAME=VALUE               a value for the flow; again for more
  --include-tags a,b          only flows that have one of the tags
  --exclude-tags a,b          no flow that has one of the tags
  --format junit|html|noop    a report beside what is printed
  --output FILE               where to; report.xml or report.html otherwise
  --debug-output FOLDER       pictures and the whole record of each run
  --timeout SECONDS           ends a run that takes longer
  --server URL                PERCH_SERVER otherwise, else http://localhost:8787
  --token TOKEN               PERCH_TOKEN otherwise; made with: npm run admin -- token create
  --no-ansi                   no colours

Exit status: 0 all flows passed, 1 one did not or could not run, 2 not understood, 130 stopped with Ctrl-C.`;

export interface RunArgs {
  readonly paths: readonly string[];
  readonly phones: readonly string[];
  readonly shard: "split" | "all";
  readonly env: Readonly<Record<string, string>>;
  readonly includeTags: readonly string[];
  readonly excludeTags: readonly string[];
  readonly format: "junit" | "html" | "noop";
  readonly output: string;
  readonly debugOutput: string | undefined;
  /** Milliseconds. */
  readonly timeoutMs: number | undefined;
  readonly server: string;
  readonly token: string;
  readonly colours: boolean;
}

/** What was asked for, "help", or a sentence that says what is wrong with it. */
export function readArgs(
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
  terminal: boolean,
): RunArgs | "help" | { readonly problem: string } {
  const [command, ...rest] = args;
  if (command === undefined) return { problem: "Say what to do, for example: perch run flow.yaml" };
  if (["--help", "-h", "help"].includes(command) || rest.includes("--help") || rest.includes("-h")) return "help";
  if (command !== "run" && command !== "test") return { problem: `There is no command “${command}”; there is run.` };
  try {
    const { values, positionals } = parseArgs({
      args: rest,
      allowPositionals: true,
      options: {
        phone: { type: "string", multiple: true },
        "shard-split": { type: "boolean" },
        "shard-all": { type: "boolean" },
        env: { type: "string", short: "e", multiple: true },
        "include-tags": { type: "string", multiple: true },
        "exclude-tags": { type: "string", multiple: true },
        format: { type: "string" },
        output: { type: "string" },
        "debug-output": { type: "string" },
        timeout: { type: "string" },
        server: { type: "string" },
        token: { type: "string" },
        "no-ansi": { type: "boolean" },
      },
    });
    if (positionals.length === 0) return { problem: "Name a flow or a folder of flows." };
    const format = (values.format ?? "noop").toLowerCase();
    if (format !== "junit" && format !== "html" && format !== "noop") {
      return { problem: `--format is junit, html or noop, not “${values.format}”.` };
    }
    if (values["shard-all"] === true && values["shard-split"] === true) {
      return { problem: "Take --shard-all or --shard-split, not both." };
    }
    const seconds = values.timeout === undefined ? undefined : Number(values.timeout);
    if (seconds !== undefined && !(seconds > 0)) return { problem: "--timeout is a number of seconds, 1 or more." };
    const given = new Map<string, string>();
    for (const pair of values.env ?? []) {
      const at = pair.indexOf("=");
      if (at < 1) return { problem: `-e takes NAME=VALUE, not “${pair}”.` };
      given.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const server = values.server ?? env["PERCH_SERVER"] ?? "http://localhost:8787";
    if (!/^https?:\/\//.test(server) || !URL.canParse(server)) {
      return { problem: `--server is an address like https://perch.example.com, not “${server}”.` };
    }
    const token = (values.token ?? env["PERCH_TOKEN"] ?? "").trim();
    if (token === "") {
      return {
        problem: "A token is missing: set PERCH_TOKEN to one made with npm run admin -- token create, or give --token.",
      };
    }
    return {
      paths: positionals,
      phones: values.phone ?? ["web"],
      shard: values["shard-all"] === true ? "all" : "split",
      env: Object.fromEntries(given),
      includeTags: words(values["include-tags"]),
      excludeTags: words(values["exclude-tags"]),
      format,
      output: values.output ?? (format === "html" ? "report.html" : "report.xml"),
      debugOutput: values["debug-output"],
      timeoutMs: seconds === undefined ? undefined : seconds * 1_000,
      server: server.replace(/\/+$/, ""),
      token,
      colours: terminal && values["no-ansi"] !== true && env["NO_COLOR"] === undefined,
    };
  } catch (error) {
    return { problem: error instanceof Error ? error.message : String(error) };
  }
}

function words(lists: readonly string[] | undefined): readonly string[] {
  return (lists ?? []).flatMap((list) => list.split(",")).flatMap((word) => word.trim() || []);
}
