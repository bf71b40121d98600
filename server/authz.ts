/** Who may call what, read from the procedures themselves: for `docs/authz.md` and for the tests that try every one. */
import { PERMISSIONS } from "../shared/access.ts";
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

/** The text of `docs/authz.md`. */
export function authzDocument(): string {
  const rows = describeProcedures().map(({ path, type, meta }) =>
    meta === undefined ? `| \`${path}\` | ${type} | **undeclared** | | | | | |` : row(path, type, meta),
  );
  return `# Who may call what

Made from the procedures by \`npm run docs:generate\`; \`server/authz.test.ts\` calls every one as every kind of stranger.

Roles: ${Object.entries(PERMISSIONS)
    .map(([permission, roles]) => `\`${permission}\` is for ${roles.join(", ")}`)
    .join("; ")}. Another team's things answer exactly as things that do not exist.

| procedure | kind | who | permission | scope | step-up | limit | audit |
|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

function row(path: string, type: string, meta: ProcedureMeta): string {
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
    screen: {},
    flows: {},
    runs: {},
    secrets: {},
    rules: {},
    webhooks: {},
    privacy: {},
  } as RouterServices;
}

type Flat = Readonly<
  Record<string, { readonly _def: Pick<DescribedProcedure, "type"> & { readonly meta?: ProcedureMeta } }>
>;

/** At run time tRPC keeps procedures flat, by path, with the meta each was made with; its types show them nested. */
function flatProcedures(router: AppRouter): Flat {
  return router._def.procedures as unknown as Flat;
}
