/** Who may do what: teams, roles, members, invitations. */
import type { Mutation } from "./mutation.ts";

export const TEAM: readonly Mutation[] = [
  {
    breaks: "A phone is found whoever's it is",
    file: "server/phones/phones.repo.ts",
    find: 'and(eq(phones.id, id), eq(phones.teamId, scope.teamId), ne(phones.state, "removed"))',
    replace: 'and(eq(phones.id, id), ne(phones.state, "removed"))',
    test: {
      file: "server/phones/phones.service.test.ts",
      title: "answers for another team's phone exactly as for none",
    },
  },
  {
    breaks: "A flow is found whoever's it is",
    file: "server/automations/flows.repo.ts",
    find: "and(eq(flows.id, id), eq(flows.teamId, scope.teamId))",
    replace: "eq(flows.id, id)",
    test: { file: "server/authz.test.ts", title: "ABUSE-23 %s knows nothing of another team's things" },
  },
  {
    breaks: "Scopes of a token are not looked at",
    file: "server/base.router.ts",
    find: "if (meta.scope !== undefined && !actor.scopes.includes(meta.scope)) {",
    replace: "if (meta.scope === undefined) {",
    test: { file: "server/base.router.test.ts", title: "asks for scope and role, before it reads the input" },
  },
  {
    breaks: "Every role has every permission",
    file: "server/teams/team-scope.ts",
    find: "if (!roleMay(actor.role, permission)) return undefined;",
    replace: "",
    test: { file: "server/base.router.test.ts", title: "asks for scope and role, before it reads the input" },
  },
  {
    breaks: "What needs a fresh proof goes without one",
    file: "server/base.router.ts",
    find: "if (clock.now() - actor.authenticatedAt.getTime() > STEP_UP_MS) {",
    replace: "if (clock.now() < 0) {",
    test: {
      file: "server/base.router.test.ts",
      title: "asks for a fresh proof within ten minutes, and never takes a token for one",
    },
  },
  {
    breaks: "An API token counts as a fresh proof",
    file: "server/base.router.ts",
    find: 'if (actor.credential.kind === "token")',
    replace: "if (clock.now() < 0)",
    test: {
      file: "server/base.router.test.ts",
      title: "asks for a fresh proof within ten minutes, and never takes a token for one",
    },
  },
  {
    breaks: "A team's rule of a second factor is not looked at",
    file: "server/base.router.ts",
    find: 'if (meta.auth === "team" && actor.lacksSecondFactor) {',
    replace: 'if (meta.auth === "public") {',
    test: { file: "server/authz.test.ts", title: "%s refuses a password alone" },
  },
  {
    breaks: "Files are read in such a team with a password alone",
    file: "server/app.ts",
    find: "if (actor.lacksSecondFactor) throw secondFactorRefusal();",
    replace: "if (actor === undefined) throw secondFactorRefusal();",
    test: { file: "server/authz.test.ts", title: "no %s is read over HTTP with a password alone" },
  },
  {
    breaks: "A procedure without a declaration is let through",
    file: "server/base.router.ts",
    find: "if (meta === undefined) throw new Error(",
    replace: "if (meta === undefined) return next();\n  if (meta === undefined) throw new Error(",
    test: { file: "server/base.router.test.ts", title: "refuses a procedure without meta before anything else runs" },
  },
];

export const MEMBERS: readonly Mutation[] = [
  {
    breaks: "The last owner may go",
    file: "server/teams/teams.service.ts",
    find: 'if (!another) throw new PerchError("conflict", sentence);',
    replace: "",
    test: {
      file: "server/teams/teams.test.ts",
      title: "ABUSE-27 neither leaves, nor steps down, nor closes the only team there is",
    },
  },
  {
    breaks: "Any role may be given",
    file: "server/teams/teams.service.ts",
    find: "if (!roleReaches(caller.role, role)) {",
    replace: "if (!roleReaches(role, role)) {",
    test: {
      file: "server/teams/teams.test.ts",
      title: "are given and changed by who reaches them, as they are in that moment",
    },
  },
  {
    breaks: "An invitation is anybody's who knows it",
    file: "server/teams/invitations.service.ts",
    find: "found !== undefined && found.email === email && ",
    replace: "found !== undefined && email.length > 0 && ",
    test: {
      file: "server/teams/invitations.test.ts",
      title: "ABUSE-25 are accepted once by who confirmed the address, however often and at once it is tried",
    },
  },
  {
    breaks: "An invitation outlives its sender's right to it",
    file: "server/teams/invitations.service.ts",
    find: 'return theirs !== undefined && roleMay(theirs, "team:manage") && roleReaches(theirs, role);',
    replace: "return true;",
    test: {
      file: "server/teams/invitations.test.ts",
      title: "ABUSE-25 die with their sender's right to send them",
    },
  },
  {
    breaks: "An invitation has no end",
    file: "server/teams/invitations.service.ts",
    find: " && found.expiresAt.getTime() > clock.now() && (await isVouchedFor",
    replace: " && (await isVouchedFor",
    test: {
      file: "server/teams/invitations.test.ts",
      title: "ABUSE-25 hold no secret in the database, and end with their time",
    },
  },
  {
    breaks: "A removed member keeps what is open",
    file: "server/teams/teams.service.ts",
    find: "return rightsLost.apply(tx, scope, { teamId, userId: member.userId, from: member.role });",
    replace: "return () => {};",
    test: {
      file: "server/teams/teams.test.ts",
      title: "ABUSE-26 keeps no token, ticket, invitation or standing right, and gets a team of their own",
    },
  },
];
