/** What the admin commands do; `main.ts` gives them the process. */
import { parseArgs } from "node:util";
import { z } from "zod";
import { SCOPES, type Scope } from "../../shared/access.ts";
import { email, fullName, TOKEN_DAYS, tokenName } from "../../shared/accounts.ts";
import { createAccountServices } from "../accounts/compose.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { PerchError } from "../errors.ts";
import { createJobsRepo } from "../jobs/jobs.repo.ts";
import { deriveKey } from "../keys.ts";
import { createLimitsRepo } from "../limits/limits.repo.ts";
import { createRateLimiter } from "../limits/rate-limiter.ts";
import { silentLog } from "../log.ts";
import { openDatabase, recordKeyChange } from "../open-database.ts";
import { createErasureRows } from "../privacy/erasure/erasure-rows.repo.ts";
import { createErasuresRepo } from "../privacy/erasure/erasures.repo.ts";
import { createErasures } from "../privacy/erasure/erasures.service.ts";
import { createRequestParts } from "../privacy/requests/compose.ts";
import {
  type AdminProcess,
  type Command,
  type Commands,
  type Options,
  oneLine,
  parse,
  reason,
  type Work,
} from "./command.ts";
import { DECISION_COMMANDS } from "./decision-commands.ts";
import { PERSON_COMMANDS } from "./person-commands.ts";
import { REQUEST_COMMANDS } from "./request-commands.ts";
import { UPKEEP_COMMANDS } from "./upkeep-commands.ts";

const USAGE = `Usage: npm run admin -- <command>

  user create --email E --password-stdin [--name N]   makes an account, confirmed at once; the password comes on stdin
  user list --reason R                                lists accounts; who looked and why is kept in the audit log
  token create --email E --name N [--scopes a,b] [--days N]
                                                      makes an API token and prints it, alone, once
  user show --email E --reason R                      shows what is held about a person
  user sign-out --email E --reason R                  ends all their sessions; open screens close within seconds
  user erase --email E [--now] --reason R             deletes an account on its owner's request; 7 days to take it back
  mail failed --reason R                              lists mail that will never arrive, and why
  decision list --reason R                            lists what the rules against abuse decided and waits for a person
  decision lift --id D --reason R                     lifts a decision; the person is told, with the reason
  decision uphold --id D --reason R                   upholds it; the person is told, with the reason
  request list --reason R                             lists requests about data by due date; names nobody
  request show --number N --reason R                  shows one, with who asked and what they wrote
  request add --kind K --channel C --email E --received DATE [--text T] --reason R
                                                      enters what came by mail, post or form; mails a link that confirms it
  request verify --number N --reason R                you made sure otherwise that it is theirs
  request answer --number N --text T --reason R       answers it; the person is mailed the answer and a receipt
  request deny --number N --because B [--text T] --reason R
                                                      says why not, and where they may complain
  request close --number N --reason R                 the person took it back
  receipt verify --file F                             checks a receipt or certificate of this server
  audit verify [--chain C]                            checks the audit chains; names the first entry that was changed
  key rotate --reason R                               puts a new key into KEY_FILE; with SQLite the server must be stopped

Scopes: ${SCOPES.join(", ")}. Without --scopes a token has all its person's role may use.
--days: ${TOKEN_DAYS.join(", ")}; without it 365. The person is told by mail.
Settings are those of the server (.env or environment); it may be running meanwhile. A reason is kept in the audit log,
where the person concerned sees it.`;

const COMMANDS: Commands = {
  ...PERSON_COMMANDS,
  ...DECISION_COMMANDS,
  ...REQUEST_COMMANDS,
  ...UPKEEP_COMMANDS,
  "user create": {
    options: {
      email: { type: "string", required: true },
      "password-stdin": { type: "boolean", required: true },
      name: { type: "string" },
    },
    async run({ services, process }, options) {
      const input = {
        email: parse(email, "--email", options["email"]),
        fullName: parse(fullName.optional(), "--name", options["name"]),
        password: (await process.readStdin()).replace(/\r?\n$/, ""),
      };
      const user = await services.accounts.create(input, "operator");
      process.out(`${user.id} ${user.emailShown}`);
    },
  },
  "user list": {
    options: { reason: { type: "string", required: true } },
    async run({ services, process }, options) {
      const users = await services.accounts.list(parse(reason, "--reason", options["reason"]));
      for (const { id, emailShown, fullName: name, createdAt } of users) {
        process.out([id, createdAt.toISOString(), oneLine(emailShown), oneLine(name ?? "")].join("\t"));
      }
    },
  },
  "token create": {
    options: {
      email: { type: "string", required: true },
      name: { type: "string", required: true },
      scopes: { type: "string" },
      days: { type: "string" },
    },
    async run({ services, process }, options) {
      const owner = await services.accounts.findByEmail(parse(email, "--email", options["email"]));
      if (owner === undefined)
        throw new PerchError("not_found", "No account has this address. Make it with: user create.");
      const name = parse(tokenName, "--name", options["name"]);
      const scopes = parseScopes(options["scopes"]);
      const days = parse(tokenDays, "--days", options["days"]);
      const token = await services.apiTokens.issue(owner.user.id, owner.teamId, { name, scopes, days }, "operator");
      process.out(token);
    },
  },
};

const tokenDays = z
  .enum(TOKEN_DAYS.map(String), `Choose from: ${TOKEN_DAYS.join(", ")}.`)
  .default("365")
  .transform((text) => TOKEN_DAYS.find((days) => String(days) === text) ?? 365);

/** Runs one command; gives the exit status. Throws `PerchError` for what a person has to correct. */
export async function runAdmin(args: readonly string[], process: AdminProcess): Promise<0 | 2> {
  if (args.length === 0 || args.includes("--help") || args[0] === "help") {
    process.out(USAGE);
    return args.length === 0 ? 2 : 0;
  }
  const name = args.slice(0, 2).join(" ");
  const command = COMMANDS[name];
  if (command === undefined) {
    process.error(`There is no command “${name}”.\n\n${USAGE}`);
    return 2;
  }
  const options = readOptions(command, args.slice(2));
  if (typeof options === "string") {
    process.error(`${name}: ${options}\n\n${USAGE}`);
    return 2;
  }
  await command.prepare?.(process.config(), options);
  const work = await open(process, command.prepare && options["reason"]);
  try {
    await command.run(work, options);
  } finally {
    await work.db.close();
  }
  return 0;
}

/** The options, or a sentence that says what is wrong with them. */
function readOptions(command: Command, args: string[]): Options | string {
  try {
    const { values } = parseArgs({
      args,
      strict: true,
      allowPositionals: false,
      options: Object.fromEntries(Object.entries(command.options).map(([name, { type }]) => [name, { type }])),
    });
    const given: Options = Object.fromEntries(Object.entries(values).map(([name, value]) => [name, single(value)]));
    const missing = Object.entries(command.options).find(
      ([name, { required }]) => required && given[name] === undefined,
    );
    return missing === undefined ? given : `--${missing[0]} is missing.`;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function single(value: unknown): string | boolean | undefined {
  return typeof value === "string" || typeof value === "boolean" ? value : undefined;
}

/** `undefined`: all there are for the person. */
function parseScopes(value: string | boolean | undefined): Scope[] | undefined {
  if (typeof value !== "string") return undefined;
  const isScope = (text: string): text is Scope => SCOPES.some((scope) => scope === text);
  const names = value
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = names.find((name) => !isScope(name));
  if (unknown !== undefined || names.length === 0) {
    throw new PerchError(
      "bad_input",
      `--scopes: there is no scope “${unknown ?? value}”. Choose from: ${SCOPES.join(", ")}.`,
    );
  }
  return [...new Set(names.filter(isScope))];
}

/** `reason`: why this command changed the key file, when it did. */
async function open(process: AdminProcess, reason: Options[string]): Promise<Work> {
  const config = process.config();
  const { clock } = process;
  const opened = await openDatabase(config);
  const { db, master } = opened;
  const audit = createAudit(db, clock, deriveKey(master, "audit heads"));
  await recordKeyChange(opened, audit, typeof reason === "string" ? reason : "finished by an admin command");
  const { enqueue } = createJobsRepo(db, clock);
  const { publicUrl } = config;
  const limiter = createRateLimiter({ clock, repo: createLimitsRepo(db), key: deriveKey(master, "rate limits") });
  // Jobs wait in the database for the server; no command works on them.
  const jobs = { enqueue, wake() {} };
  const services = createAccountServices({
    ...{ db, audit, limiter, jobs, clock, config, publicUrl },
    key: deriveKey(master, "mail"),
    abuseKey: deriveKey(master, "abuse signals"),
    factorsKey: deriveKey(master, "second factors"),
  });
  const asked = createRequestParts({
    ...{ db, accounts: services, audit, jobs, limiter, clock, log: silentLog, publicUrl },
    ...{ receiptsKey: deriveKey(master, "receipts"), linksKey: deriveKey(master, "receipt links") },
  });
  const erasures = createErasures({
    ...{ db, repo: createErasuresRepo(db), rows: createErasureRows(db), jobs, audit, clock, publicUrl },
    ...{ sessions: services.sessions, mail: services.mail, requests: asked.requests },
  });
  asked.requests.startWith({ delete: erasures.start });
  return { db, audit, services, asked, erasures, process, enqueue };
}
