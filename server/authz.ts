/** Who may call what, read from the procedures themselves: for `docs/authz.md` and for the tests that try every one. */
import { PERMISSIONS, ROLES, type Role } from "../shared/access.ts";
import { type AppRouter, createAppRouter, type RouterServices } from "./app.router.ts";
import type { ProcedureMeta } from "./base.router.ts";

export interface DescribedProcedure {
  /** As called: `phones.launch`. */
  readonly path: string;
  readonly type: "query" | "mutation" | "subscription";
  readonly meta: ProcedureMeta | undefined;
}

/** Every procedure of the server, by path. */
export function describeProcedures(): DescribedProcedure[] {
  return Object.entries(flatProcedures(createAppRouter(noServices())))
    .map(([path, { _def }]) => ({ path, type: _def.type, meta: _def.meta }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

const HEAD =
  "| procedure | kind | who | permission | scope | step-up | limit | audit |\n|---|---|---|---|---|---|---|---|";

/** The text of `docs/authz.md`. */
export function authzDocument(): string {
  const groups = Map.groupBy(describeProcedures(), ({ path }) => path.split(".")[0] ?? "");
  const sections = [...groups].map(([name, some]) => `### ${name}\n\n${HEAD}\n${some.map(row).join("\n")}\n`);
  return `# Who may call what

Made from the procedures by \`npm run docs:generate\`; \`server/authz.test.ts\` calls every one as every kind of stranger.

Another team's things answer exactly as things that do not exist.

## What each role may do

| permission | ${ROLES.join(" | ")} |
|---|${ROLES.map(() => ":-:").join("|")}|
${Object.entries(PERMISSIONS).map(permissionRow).join("\n")}

## Procedures

${sections.join("\n")}`;
}

function permissionRow([permission, allowed]: readonly [string, readonly Role[]]): string {
  return `| \`${permission}\` | ${ROLES.map((role) => (allowed.includes(role) ? "yes" : "")).join(" | ")} |`;
}

function row({ path, type, meta }: DescribedProcedure): string {
  if (meta === undefined) return `| \`${path}\` | ${type} | **undeclared** | | | | | |`;
  const who = { public: "anyone", person: "a signed-in person, about themselves", team: "a member" }[meta.auth];
  const code = (text: string | false | undefined) => (text === undefined || text === false ? "" : `\`${text}\``);
  const limit = `${meta.limit}${meta.idempotent === true ? ", idempotent" : ""}`;
  return `| \`${path}\` | ${type} | ${who} | ${code(meta.permission)} | ${code(meta.scope)} | ${meta.stepUp === true ? "yes" : ""} | ${limit} | ${code(meta.audit)} |`;
}

/** The router is only described: no procedure runs, so no service is touched. */
function noServices(): RouterServices {
  return {
    account: {},
    sessions: {},
    tokens: {},
    teams: {},
    audit: {},
    phones: {},
    uploads: {},
    screen: {},
    flows: {},
    runs: {},
    secrets: {},
    rules: {},
    webhooks: {},
    privacy: {},
    billing: {},
    usage: {},
  } as RouterServices;
}

type Flat = Readonly<
  Record<string, { readonly _def: Pick<DescribedProcedure, "type"> & { readonly meta?: ProcedureMeta } }>
>;

/** At run time tRPC keeps procedures flat, by path, with the meta each was made with; its types show them nested. */
function flatProcedures(router: AppRouter): Flat {
  return router._def.procedures as unknown as Flat;
}
