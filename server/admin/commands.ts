/** What the admin commands do; `main.ts` gives them the process. */
import { userInfo } from "node:os";
import { parseArgs } from "node:util";
import { z } from "zod";
import { SCOPES, type Scope } from "../../shared/access.ts";
import { email, fullName, TOKEN_DAYS, tokenName } from "../../shared/accounts.ts";
import { createAccountServices } from "../accounts/compose.ts";
import { createAnnouncementsRepo } from "../announcements/announcements.repo.ts";
import { createAnnouncements } from "../announcements/announcements.service.ts";
import { createAudit } from "../audit/audit.repo.ts";
import { createBackups } from "../backup/backups.service.ts";
import { createBooks } from "../billing/compose.ts";
import { sandboxSecretOf } from "../billing/compose-sandbox.ts";
import { createBillingCommands } from "../billing/desk/compose.ts";
import { type Config, OPERATOR_ROLES } from "../config.ts";
import { runDoctor } from "../doctor/doctor.ts";
import { PerchError } from "../errors.ts";
import { createFaultsRepo } from "../faults/faults.repo.ts";
import { createJobsRepo } from "../jobs/jobs.repo.ts";
import { deriveKey } from "../keys.ts";
import { createLimitsRepo } from "../limits/limits.repo.ts";
import { createRateLimiter } from "../limits/rate-limiter.ts";
import { silentLog } from "../log.ts";
import { createNodesRepo } from "../nodes/nodes.repo.ts";
import { createNodesDesk } from "../nodes/nodes.service.ts";
import { openDatabase, recordKeyChange } from "../open-database.ts";
import { createConsoleRepo } from "../operator/console.repo.ts";
import { createConsole } from "../operator/console.service.ts";
import { type Operator, signedBy } from "../operator/signed-by.ts";
import { createAndroidDesk } from "../phones/drivers/adb/android-desk.ts";
import { createContainerDesk } from "../phones/drivers/adb/containers/compose.ts";
import { createPhoneCopiesRepo } from "../phones/phone-copies.repo.ts";
import { createPhonesRepo } from "../phones/phones.repo.ts";
import { createDesks } from "../privacy/desks.ts";
import { createErasureRows } from "../privacy/erasure/erasure-rows.repo.ts";
import { createErasuresRepo } from "../privacy/erasure/erasures.repo.ts";
import { createErasures } from "../privacy/erasure/erasures.service.ts";
import { createRequestParts } from "../privacy/requests/compose.ts";
import { ANDROID_COMMANDS } from "./android-commands.ts";
import { BILLING_COMMANDS } from "./billing-commands.ts";
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
import { DATABASE_COMMANDS } from "./database-commands.ts";
import { DECISION_COMMANDS } from "./decision-commands.ts";
import { DESK_COMMANDS } from "./desk-commands.ts";
import { HOST_COMMANDS } from "./host-commands.ts";
import { INCIDENT_COMMANDS } from "./incident-commands.ts";
import { NODE_COMMANDS } from "./node-commands.ts";
import { OPERATOR_COMMANDS } from "./operator-commands.ts";
import { PARTNER_COMMANDS } from "./partner-commands.ts";
import { MOVE_COMMANDS, PERSON_COMMANDS } from "./person-commands.ts";
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
  users move-to-supabase --reason R                   takes everybody with a password over to the project of SUPABASE_URL
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
  billing show --number N --reason R                  shows one billing record; people cannot be looked for there
  billing customers --reason R                        lists teams that pay: plan, status, balance
  billing ledger (--team T | --entry E) --reason R    shows what covered a team's phone time, or one entry
  billing credit --team T (--amount A | --minutes N [--days D]) --reason R
                                                      adds to a balance, or gives phone time; owners read the reason
  billing correct --entry E --reason R                takes an entry back by an opposite one, and prints that one's id
  billing refund --team T --amount A --reason R       sends unused balance back to where it came from
  billing reconcile [--full] --reason R               compares with Stripe; repairs mirrors, only tells of money
  billing findings --reason R                         what did not fit and nobody put right yet
  billing resolve --finding F --reason R              notes that a finding was put right
  billing freeze --team T --reason R                  keeps a balance from being used
  billing free --team T --reason R                    lets it be used again, also after a dispute or a warning of fraud
  billing sync [--dry-run] --reason R                 makes plans, add-ons and packs in Stripe as the catalogue has them
  sandbox clock --days N --reason R                   lets days pass in the billing sandbox
  sandbox faults [--fail-calls P] [--lose-answers P] [--duplicates P] [--drops P] [--reorder] [--delay-ms N] --reason R
                                                      what goes wrong in the sandbox; without any, nothing
  partner check [--days N]                            holds what the cloud-phone partner charges beside what was counted
  audit verify [--chain C]                            checks the audit chains; names the first entry that was changed
  incident open --title T --aware-at TIME [--drill] [--what W --consequences C --measures M --todo D] --reason R
                                                      opens an incident; its 72 hours begin at TIME; prints its id
  incident describe --id I [--what W] [--consequences C] [--measures M] [--todo D] --reason R
                                                      what people and the authority read
  incident scope --id I --exposed table.column,table [--users U,…] [--teams T,…] [--from TIME] [--to TIME] --reason R
                                                      finds out whom it concerns, and with which data
  incident show --id I                                clocks, numbers, and how far telling people is
  incident form --id I [--format markdown|html]       the notification for the authority, filled in (Art. 33 GDPR)
  incident notify --id I --reason R                   tells everybody concerned, by mail and in the panel
  incident unreached --id I --reason R                lists whom no mail reached
  incident told-authority --id I --at TIME --reason R keeps when the authority was told
  incident close --id I [--authority-not-needed WHY] --reason R
  incident register                                   every incident there was
  policy announce --version N --reason R              tells everybody about a new version of the privacy policy
  policy status                                       what is in force, what was announced, who was told
  android setup                                       what is missing for Android phones, and how to get it
  android key                                         this server's ADB key, for a device's adb_keys file
  android devices                                     devices that are registered, those seen, and how they are
  android add (--serial S | --address HOST[:PORT]) [--label L] [--region G] --reason R
                                                      makes a device of the ADB server, or one called directly, a phone-to-be
  android forget --device D --reason R                forgets one that is no phone now
  overview                                            phones, machines, work, mail and backups at a glance
  jobs list                                           work that failed for good, runs and waits
  jobs run --id I --reason R                          lets a failed or waiting job run at once
  phones list --email E --reason R                    the phones of a person's teams, with their names
  phones stop --phone P --reason R                    parks one with its state, wherever it is
  config show                                         settings in force; secrets say only whether they are set
  audit read --reason R                               what operators did, the newest first
  announcements list                                  what is, was and will be told to everybody
  announcements add --text T --until TIME [--from TIME] [--level info|warning] --reason R
                                                      shows one line to everybody, in the panel and on the pages
  announcements end --id I --reason R                 shows it no more
  desk open --reason R                                prints a link to the operator's page; works once, for 15 minutes
  hosts add --name N --address A --phones N [--certs FOLDER] [--region R] --reason R
                                                      registers a Docker host for phones in containers, and checks it
  hosts list                                          lists them, with how many phones each keeps
  hosts check [--name N]                              says what each still lacks, and what to do about it
  hosts pull --name N --image I --reason R            gets an image of the catalogue there
  hosts drain --name N --reason R                     no new phones and no starts there; running ones go on
  hosts undrain --name N --reason R                   takes that back
  hosts remove --name N [--destroyed] --reason R      forgets it; --destroyed: its phones are gone with it
  hosts firewall                                      prints the packet filter rules each host needs, for nft -f
  nodes list                                          lists the nodes of this server, and how they are
  nodes drain --name N --reason R                     gives its phones to others or parks them; then its process ends
  nodes undrain --name N --reason R                   takes that back
  nodes forget --name N [--destroyed] --reason R      forgets one that is gone; --destroyed: its web phones are gone with it
  doctor [--json]                                     looks at everything the server needs here, and says what to do
  key rotate --reason R                               puts a new key into KEY_FILE; with SQLite the server must be stopped

  backup [--to FOLDER] --reason R                     makes an encrypted backup; may run beside the server
  restore --from FOLDER --reason R                    puts a backup in the place of the data; the server must be stopped
  db move --to D --reason R                           moves everything to another, empty database; every server must be stopped
                                                      D: postgres://user:password@host/database, or sqlite:FOLDER/perch.db
  db move --undo --reason R                           stays with this database after all

Scopes: ${SCOPES.join(", ")}. Without --scopes a token has all its person's role may use.
--days: ${TOKEN_DAYS.join(", ")}; without it 365. The person is told by mail.
Settings are those of the server (.env or environment); it may be running meanwhile. A reason is kept in the audit log,
where the person concerned sees it, with --role (${OPERATOR_ROLES.join(", ")}; or OPERATOR_ROLE in the environment).
TIME is a moment in UTC, like 2026-11-26T09:30:00Z.`;

const COMMANDS: Commands = {
  ...PERSON_COMMANDS,
  ...MOVE_COMMANDS,
  ...DECISION_COMMANDS,
  ...REQUEST_COMMANDS,
  ...BILLING_COMMANDS,
  ...OPERATOR_COMMANDS,
  ...PARTNER_COMMANDS,
  ...UPKEEP_COMMANDS,
  ...DATABASE_COMMANDS,
  ...INCIDENT_COMMANDS,
  ...DESK_COMMANDS,
  ...ANDROID_COMMANDS,
  ...HOST_COMMANDS,
  ...NODE_COMMANDS,
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
export async function runAdmin(args: readonly string[], process: AdminProcess): Promise<0 | 1 | 2> {
  if (args.length === 0 || args.includes("--help") || args[0] === "help") {
    process.out(USAGE);
    return args.length === 0 ? 2 : 0;
  }
  const [first = ""] = args;
  // Before anything is opened: it is for servers that do not start, too.
  if (first === "doctor") return runDoctor(args.slice(1), process);
  const name = first in COMMANDS ? first : args.slice(0, 2).join(" ");
  const command = COMMANDS[name];
  if (command === undefined) {
    process.error(`There is no command “${name}”.\n\n${USAGE}`);
    return 2;
  }
  const options = readOptions(command, args.slice(name.split(" ").length));
  if (typeof options === "string") {
    process.error(`${name}: ${options}\n\n${USAGE}`);
    return 2;
  }
  const config = process.config();
  await command.prepare?.(config, options, process.clock);
  const given = parse(z.enum(OPERATOR_ROLES).optional(), "--role", options["role"]);
  const operator: Operator = { role: given ?? config.OPERATOR_ROLE, by: nameOnThisMachine() };
  await command.alone?.(process, options, operator);
  if (command.run === undefined) return 0;
  const work = await open(process, config, operator, command.prepare && options["reason"]);
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
      options: {
        ...Object.fromEntries(Object.entries(command.options).map(([name, { type }]) => [name, { type }])),
        ...("reason" in command.options && { role: { type: "string" } }),
      },
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

function nameOnThisMachine(): string {
  try {
    return userInfo().username;
  } catch {
    // A user without an entry in the system's list, as in some containers.
    return `user ${globalThis.process.getuid?.() ?? "unknown"}`;
  }
}

/** `reason`: why this command changed the key file, when it did. */
async function open(process: AdminProcess, config: Config, operator: Operator, reason: Options[string]): Promise<Work> {
  const { clock } = process;
  const opened = await openDatabase(config, { clock });
  const { db, master } = opened;
  const audit = signedBy(createAudit(db, clock, deriveKey(master, "audit heads")), operator);
  await recordKeyChange(opened, audit, typeof reason === "string" ? reason : "finished by an admin command");
  const { enqueue } = createJobsRepo(db, clock);
  const limiter = createRateLimiter({ clock, repo: createLimitsRepo(db), key: deriveKey(master, "rate limits") });
  // Jobs wait in the database for the server; no command works on them.
  const jobs = { enqueue, wake() {} };
  const services = createAccountServices({
    db,
    audit,
    limiter,
    jobs,
    clock,
    config,
    publicUrl: config.publicUrl,
    key: deriveKey(master, "mail"),
    abuseKey: deriveKey(master, "abuse signals"),
    factorsKey: deriveKey(master, "second factors"),
    uninstallKey: deriveKey(master, "uninstall links"),
  });
  const { publicUrl } = config;
  const asked = createRequestParts({
    ...{ db, accounts: services, audit, jobs, limiter, clock, log: silentLog, publicUrl },
    ...{ receiptsKey: deriveKey(master, "receipts"), linksKey: deriveKey(master, "receipt links") },
    supportEmail: config.SUPPORT_EMAIL,
  });
  const erasures = createErasures({
    ...{ db, repo: createErasuresRepo(db), rows: createErasureRows(db), jobs, audit, clock, publicUrl },
    ...{ sessions: services.sessions, mail: services.mail, requests: asked.requests },
  });
  asked.requests.startWith({ delete: erasures.start });
  const books = createBooks({
    ...{ db, audit, mail: services.mail, clock, config, publicUrl, recordsKey: deriveKey(master, "billing records") },
  });
  const sandboxSecret = sandboxSecretOf(master);
  const { billingDesk, syncCatalogue } = createBillingCommands(books, {
    ...{ db, audit, clock, config, publicUrl, sandboxSecret, enqueue, log: silentLog },
  });
  const desks = createDesks({
    ...{ db, audit, jobs, clock, config, log: silentLog, publicUrl },
    ...{ mail: services.mail, deskKey: deriveKey(master, "operator desk") },
  });
  const android = createAndroidDesk({
    ...{ config, db, audit, clock, log: silentLog, key: deriveKey(master, "adb key") },
  });
  const containers = createContainerDesk({ db, audit, clock, config, key: deriveKey(master, "phone containers") });
  const nodes = createNodesDesk({
    db,
    repo: createNodesRepo(db, clock),
    copies: createPhoneCopiesRepo(db),
    audit,
    clock,
  });
  const backups = createBackups({ db, config, clock, log: silentLog, node: "" });
  const console = createConsole({
    ...{ db, repo: createConsoleRepo(db), audit, clock, config, nodes, hosts: containers.hosts },
    ...{ suspensions: services.deskBy(audit).suspensions, faults: createFaultsRepo(db) },
    ...{ jobsRepo: createJobsRepo(db, clock), phonesRepo: createPhonesRepo(db), mail: services.mail },
    ...{ accounts: services.accounts, sessions: services.sessions, memberships: services.memberships },
  });
  return {
    ...{ db, audit, services, asked, erasures, books, billingDesk, syncCatalogue, desks, android, containers },
    ...{ operator, process, enqueue, nodes, backups, console },
    announcements: createAnnouncements({ db, repo: createAnnouncementsRepo(db), audit, clock }),
  };
}
