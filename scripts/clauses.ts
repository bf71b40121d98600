/** `docs/privacy/clauses.md`: clause → control → checks, made from the policy and `server/privacy/trust/controls.ts`. */
import { CONTROLS } from "../server/privacy/trust/controls.ts";
import { POLICY } from "../shared/policy/policy-v1.ts";
import { hasTest } from "./test-titles.ts";

/** A sentence for each clause that is not kept by anything, and each test that is not there. */
export function clauseProblems(): readonly string[] {
  const ids = new Set(POLICY.clauses.map(({ id }) => id));
  const unknown = Object.keys(CONTROLS).filter((id) => !ids.has(id));
  return [
    ...unknown.map((id) => `${id} is no clause of the policy.`),
    ...POLICY.clauses.flatMap(({ id }) => {
      const found = CONTROLS[id];
      if (found === undefined || found.control === "") return [`${id} has no control.`];
      if (found.checks.length === 0) return [`${id} has no check.`];
      return found.checks
        .filter(({ file, title }) => !hasTest(file, title))
        .map(({ file, title }) => `${id}: there is no test “${title}” in ${file}.`);
    }),
  ];
}

export function clausesDocument(): string {
  const rows = POLICY.clauses.map(({ id, text }) => {
    const { control = "", checks = [], live = [], attested } = CONTROLS[id] ?? {};
    const shown = [
      ...checks.map(({ file, title }) => `\`${file}\` “${title.replaceAll("|", "\\|")}”`),
      ...live.map((one) => `in the running server: ${one.replaceAll("_", " ")}`),
      ...(attested === undefined ? [] : [`by contract: ${attested}`]),
    ];
    return `| ${id} | ${text} | ${control} | ${shown.join("<br>")} |`;
  });
  return `# Clause by clause: what keeps the privacy policy

Made from \`shared/policy/\` and \`server/privacy/trust/controls.ts\` by \`npm run docs:generate\`; a test holds it up to date,
and that every test it names exists. The running server shows the same, with what was found, at \`/trust\`.

| clause | promise | what keeps it | what shows it |
|---|---|---|---|
${rows.join("\n")}
`;
}
