/** The forty abuse cases a trustworthy Perch must withstand, with the tests that prove each: for `docs/security/abuse.md`. */
import { globSync, readFileSync } from "node:fs";

export interface AbuseCase {
  readonly id: number;
  /** What somebody tries, and what meets them. */
  readonly words: string;
}

const GROUPS = [
  { from: 1, title: "Accounts and sessions" },
  { from: 13, title: "Browser" },
  { from: 23, title: "Teams" },
  { from: 29, title: "Phones, automations, files" },
  { from: 37, title: "Money, privacy, operations" },
] as const;

const CASES: readonly AbuseCase[] = [
  { id: 1, words: "Stolen passwords tried at many accounts from many networks: limits hold, owners still get in." },
  { id: 2, words: "Finding out whether an address has an account, by words or by time: both are the same." },
  {
    id: 3,
    words:
      "Signing up with somebody else's address first: the stranger's password, sessions and passkeys are worth nothing.",
  },
  { id: 4, words: "A code of an app or a backup code used twice, at once, or guessed: one use, few tries." },
  { id: 5, words: "Reading a stolen database: every token is there as a hash, every seed sealed." },
  {
    id: 6,
    words: "Keeping a token over a sign-in or a fresh proof: the old one is dead. A role is read anew with every call.",
  },
  { id: 7, words: "Watching on after the session was revoked: sockets and streams end within a second." },
  { id: 8, words: "Taking an account over by changing its address: fresh proof, both addresses told, an undo link." },
  { id: 9, words: "A reset that goes around the second factor, or a mail scanner that opens links: neither works." },
  { id: 10, words: "Stealing, guessing, mixing up or replaying a connect code: bound, once, sixty seconds." },
  { id: 11, words: "Talking a person into typing an attacker's device code: there is no such way in." },
  {
    id: 12,
    words: "A stolen session used elsewhere: noticed and told, without false alarms for travellers and carriers.",
  },
  {
    id: 13,
    words: "A foreign page making calls with the person's browser: no content type but JSON, no foreign origin.",
  },
  { id: 14, words: "Another extension or page calling the API: it can neither read nor change anything." },
  { id: 15, words: "A hostile page forging what starts automations: nothing runs that a person did not allow." },
  { id: 16, words: "A content script that uses the worker as its deputy: every message is classified and checked." },
  { id: 17, words: "Scripts in names and titles of a phone: text stays text in the panel." },
  { id: 18, words: "Framing our pages to steal clicks: no page can be framed." },
  {
    id: 19,
    words:
      "Opening a screen socket from a foreign page: no ticket, wrong origin or another phone's ticket is refused before the upgrade.",
  },
  { id: 20, words: "Using or sharing a ticket twice: one socket; who may watch cannot drive." },
  { id: 21, words: "Rebinding a name to this machine: only our names are answered, and nothing else listens." },
  { id: 22, words: "Probing caches and foreign ids: nothing is stored, foreign and absent look the same." },
  { id: 23, words: "Naming another team's things in any call: as if they did not exist." },
  {
    id: 24,
    words: "Sending fields that are not one's to set: unknown keys are refused, answers hold what they declare.",
  },
  { id: 25, words: "An invitation forwarded, reused, expired or raised above its sender: refused; accepted once." },
  {
    id: 26,
    words: "A removed member living on in streams, runs, schedules, tokens or tickets: all end within a second.",
  },
  { id: 27, words: "The last owner leaving, or two at once: one owner remains." },
  { id: 28, words: "What one team left on a phone shown to the next: wiped before it is given on." },
  { id: 29, words: "A page on a phone reaching this machine or its network, by any spelling, protocol or redirect." },
  { id: 30, words: "Files and the browser's own pages opened on a phone, by bar, script, redirect or window." },
  { id: 31, words: "The server fetching inner addresses for somebody: the same guard, no redirect around it." },
  { id: 32, words: "An Android phone reaching the host, its network or other phones." },
  { id: 33, words: "A script that breaks out, never ends or eats memory: stopped within its budget." },
  { id: 34, words: "Shell commands hidden in names and texts sent to Android." },
  { id: 35, words: "Bombs, traversal and false types in what is uploaded: refused before they cost anything." },
  { id: 36, words: "Phones and inputs without end: quotas hold when all come at once, slow readers cost no memory." },
  { id: 37, words: "Forged, replayed or reordered payment webhooks: refused, heard once, and the same in the end." },
  {
    id: 38,
    words:
      "Farms of accounts from one network or by aliases of one address, and cards tried one after another: few get through, each is told why.",
  },
  {
    id: 39,
    words:
      "An export or erasure asked for by a thief, fetched twice, holding other people's data, or broken off: fresh proof, one download a ticket, an undo link, nothing half done.",
  },
  { id: 40, words: "Logs forged, edited or full of secrets; addresses faked by headers; the audit chain changed." },
];

const TEST_FILES = "{server,extension,shared,e2e,cli,scripts}/**/*.{test,e2e,contract,cases}.{ts,tsx}";
const TITLE = /["'`]ABUSE-(\d\d) /g;

/** The test files whose titles name a case, by its number. */
export function testsOfCases(): Map<number, string[]> {
  const found = new Map<number, string[]>();
  for (const file of globSync(TEST_FILES).sort()) {
    for (const [, digits] of readFileSync(file, "utf8").matchAll(TITLE)) {
      const files = found.get(Number(digits)) ?? [];
      found.set(Number(digits), files);
      if (!files.includes(file)) files.push(file);
    }
  }
  return found;
}

/** What is wrong between the cases and the tests there are: sentences, none when all is well. */
export function abuseProblems(cases: readonly AbuseCase[], tests: ReadonlyMap<number, readonly string[]>): string[] {
  const known = new Set(cases.map(({ id }) => id));
  const unknown = [...tests.keys()].filter((id) => !known.has(id));
  return [
    ...unknown.map((id) => `A test is named after case ${id}, which does not exist.`),
    ...cases
      .filter(({ id }) => (tests.get(id)?.length ?? 0) === 0)
      .map(({ id }) => `Case ${id} has no test whose title begins ABUSE-${twoDigits(id)}.`),
  ];
}

export const ABUSE_CASES = CASES;

/** The text of `docs/security/abuse.md`. */
export function abuseDocument(): string {
  const tests = testsOfCases();
  const rows = GROUPS.map(({ from, title }, index) => {
    const to = GROUPS[index + 1]?.from ?? CASES.length + 1;
    const some = CASES.filter(({ id }) => id >= from && id < to);
    return `## ${title}\n\n| case | what is tried, and what meets it | proved by |\n|---|---|---|\n${some.map((one) => row(one, tests.get(one.id) ?? [])).join("\n")}\n`;
  });
  return `# Abuse cases

Made by \`npm run docs:generate\` from \`scripts/abuse-cases.ts\` and the titles of the tests that begin with a case's name;
\`scripts/abuse-cases.test.ts\` fails when a case has no test. All ${CASES.length} have one.

${rows.join("\n")}`;
}

function row({ id, words }: AbuseCase, files: readonly string[]): string {
  return `| ABUSE-${twoDigits(id)} | ${words} | ${files.map((file) => `\`${file}\``).join("<br>")} |`;
}

const twoDigits = (id: number) => String(id).padStart(2, "0");
