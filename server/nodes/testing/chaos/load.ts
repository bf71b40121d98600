/** People who do everything at once, each act at whichever node: what they know of it is remembered. */
import { createHmac } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { CHROME_EXTENSION_ID } from "../../../../shared/accounts.ts";
import { newId } from "../../../../shared/ids.ts";
import { parseRule } from "../../../../shared/rules/parse-rule.ts";
import { connect, TestViewer } from "../../../screen/testing/client.ts";
import type { Chance } from "./chance.ts";
import { ask, type Door, type Outcome, outcomeOf, send, signInThroughPages } from "./client.ts";
import type { KeyedCall, Person, Remembered } from "./remembered.ts";
import type { World } from "./world.ts";

const ORIGIN = `chrome-extension://${CHROME_EXTENSION_ID}`;
const NO_DOOR: Outcome = { is: "unknown", why: "no node serves" };

/** How often each is done. */
export const ACTS = {
  ...{ signIn: 3, signOut: 1, launch: 8, start: 8, park: 8, remove: 4, watch: 10, drive: 10, run: 16 },
  ...{ rule: 8, webhook: 8, lists: 14, export: 2, invite: 2, accept: 2, guess: 1, crash: 2 },
} as const;
type Act = keyof typeof ACTS;

export interface Load {
  makePerson(): Promise<Person | undefined>;
  signIn(person: Person): Promise<Outcome>;
  /** One act of somebody. */
  act(): Promise<void>;
  /** Asks again what nobody knows the outcome of. */
  askAgain(call: KeyedCall): Promise<void>;
}

export function createLoad({ world, known, chance }: { world: World; known: Remembered; chance: Chance }): Load {
  const bait = `bait@storm.example`;
  const door = (): Door | undefined => chance.of(world.nodes.flatMap((node) => node.door() ?? []));
  const living = () => known.people.filter(({ erased, token }) => !erased && token !== undefined);
  let made = 0;

  async function asked(person: Person, type: "query" | "mutation", path: string, input?: unknown): Promise<Outcome> {
    const at = door();
    return at === undefined ? NO_DOOR : ask(at, type, path, input, person.token, person.from);
  }

  async function signIn(person: Person): Promise<Outcome> {
    const doors = [door(), door(), door()] as const;
    const [one, two, three] = doors;
    if (one === undefined || two === undefined || three === undefined) return NO_DOOR;
    const outcome = await signInThroughPages([one, two, three], person);
    if (outcome.is !== "done") return outcome;
    const { token, me } = asExchanged(outcome.data);
    person.token = token;
    person.teamId ??= me.team.id;
    return outcome;
  }

  /** Once for certain and, now and then, again at the same moment elsewhere. */
  async function keyed(call: Omit<KeyedCall, "ids" | "last" | "maybe" | "tries">): Promise<Outcome> {
    const one: KeyedCall = { ...call, ids: new Set(), last: "unknown", maybe: false, tries: 0 };
    known.keyed.push(one);
    const times = chance.next() < 0.3 ? 2 : 1;
    const outcomes = await Promise.all(Array.from({ length: times }, () => told(one)));
    return outcomes.find(({ is }) => is === "done") ?? outcomes[0] ?? NO_DOOR;
  }
  async function told(call: KeyedCall): Promise<Outcome> {
    call.tries += 1;
    const outcome = await call.again();
    if (outcome.is === "done") call.ids.add(idOf(outcome.data));
    if (outcome.is === "unknown") call.maybe = true;
    if (call.last !== "done") call.last = outcome.is;
    return outcome;
  }

  const flowOf = (person: Person, words: readonly string[], waits: boolean) =>
    `url: https://a.example/${person.marker}\n---\n${words
      .map(
        (word, n) =>
          `- inputText: ${word}\n${waits && n === 0 ? "- extendedWaitUntil:\n    visible: never there\n    timeout: 3000\n    optional: true\n" : ""}`,
      )
      .join("")}`;
  const wordsFor = () => Array.from({ length: chance.between(1, 3) }, () => chance.word());

  async function ready(person: Person): Promise<void> {
    if (person.flowId === undefined) {
      const source = `url: https://a.example/${person.marker}\ninputs:\n  - WORD\n---\n- inputText: \${WORD}\n`;
      const saved = await asked(person, "mutation", "flows.save", { name: `flow ${person.marker}`, source });
      if (saved.is === "done") person.flowId = idOf(saved.data);
    }
    const phone = chance.of([...person.phones]);
    if (person.flowId === undefined || phone === undefined) return;
    if (person.ruleId === undefined) {
      const id = newId("rule");
      const parsed = parseRule({
        ...{ id, name: `rule ${person.marker}`, when: { all: [] }, mode: "queued", caps: { hour: 200, day: 1_000 } },
        extract: [{ var: "word", from: [{ kind: "path", index: -1 }] }],
        action: { flowId: person.flowId, phone, inputs: { WORD: { var: "word" } } },
      });
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
      const saved = await asked(person, "mutation", "rules.save", { rule: parsed.rule });
      if (saved.is === "done") person.ruleId = id;
    }
    if (person.hook === undefined) {
      const input = { name: `hook ${person.marker}`, flowId: person.flowId, phone };
      const saved = await asked(person, "mutation", "webhooks.create", input);
      if (saved.is === "done") person.hook = asHook(saved.data);
    }
  }

  const acts: Readonly<Record<Act, (person: Person) => Promise<Outcome | undefined>>> = {
    signIn,
    async signOut(person) {
      const token = person.token;
      const outcome = await asked(person, "mutation", "account.signOut");
      if (outcome.is !== "done") return outcome;
      for (const node of world.nodes) {
        const at = node.door();
        const after = at && (await ask(at, "query", "account.me", undefined, token, person.from));
        if (after?.is === "done") known.violations.push(`A session that was ended is let in at ${node.name}.`);
      }
      if (person.token === token) person.token = undefined;
      await signIn(person);
      return outcome;
    },
    async launch(person) {
      if (person.phones.size >= 4) return undefined;
      const key = chance.word();
      const input = { name: `phone ${person.marker}`, idempotencyKey: key };
      const again = () => asked(person, "mutation", "phones.launch", input);
      const outcome = await keyed({ kind: "launch", by: person, key, again, words: [] });
      if (outcome.is === "done") person.phones.add(idOf(outcome.data));
      return outcome;
    },
    start: (person) => aboutPhone(person, "phones.start"),
    park: (person) => aboutPhone(person, "phones.park"),
    async remove(person) {
      const phoneId = person.phones.size > 2 ? chance.of([...person.phones]) : undefined;
      if (phoneId === undefined) return undefined;
      person.phones.delete(phoneId);
      person.removed.add(phoneId);
      return asked(person, "mutation", "phones.remove", { phoneId, idempotencyKey: chance.word() });
    },
    async drive(person) {
      const phoneId = chance.of([...person.phones]);
      if (phoneId === undefined) return undefined;
      return chance.next() < 0.5
        ? asked(person, "mutation", "phones.openUrl", { phoneId, url: "https://b.example/" })
        : asked(person, "mutation", "phones.screenshot", { phoneId });
    },
    async watch(person) {
      const phoneId = chance.of([...person.phones]);
      if (phoneId === undefined) return undefined;
      const ticket = await asked(person, "mutation", "screen.ticket", { phoneId, mode: "view" });
      const at = door();
      if (ticket.is !== "done" || at === undefined) return ticket;
      const host = `localhost:${at.port}`;
      const screen = { port: at.port, ticket: asTicket(ticket.data), origin: ORIGIN, host };
      const viewer = await connect(screen).catch((error: Error) => error);
      if (viewer instanceof Error) return { is: "unknown", why: viewer.message };
      if (!(viewer instanceof TestViewer))
        return { is: "refused", status: viewer.status, code: String(viewer.status), message: viewer.message };
      await sleep(chance.between(100, 2_500));
      viewer.socket.close();
      for (const text of viewer.texts())
        if (text !== phoneId) known.violations.push(`A viewer of ${phoneId} saw ${text}.`);
      return { is: "done", data: null };
    },
    async run(person) {
      const phoneId = chance.of([...person.phones]);
      if (phoneId === undefined) return undefined;
      const [key, words] = [chance.word(), wordsFor()];
      const input = { source: flowOf(person, words, chance.next() < 0.4), phoneId, idempotencyKey: key };
      return keyed({
        kind: "run",
        by: person,
        key,
        again: () => asked(person, "mutation", "runs.start", input),
        words,
      });
    },
    async rule(person) {
      await ready(person);
      if (person.ruleId === undefined) return undefined;
      const word = chance.word();
      const dedupeKey = word.padStart(43, "k");
      const input = { ruleId: person.ruleId, way: "click", values: { word }, dedupeKey };
      return keyed({
        kind: "rule",
        by: person,
        key: dedupeKey,
        again: () => asked(person, "mutation", "rules.start", input),
        words: [word],
      });
    },
    async webhook(person) {
      await ready(person);
      const { hook } = person;
      if (hook === undefined) return undefined;
      const [key, word] = [chance.word(), chance.word()];
      return keyed({ kind: "webhook", by: person, key, again: () => callHook(person, hook, key, word), words: [word] });
    },
    async lists(person) {
      const path = chance.of(["phones.list", "runs.list", "flows.list", "usage.summary"]) ?? "phones.list";
      const outcome = await asked(person, "query", path, path === "usage.summary" ? {} : undefined);
      if (outcome.is !== "done") return outcome;
      const text = JSON.stringify(outcome.data);
      const others = known.people.filter((one) => one !== person && text.includes(one.marker));
      for (const other of others) known.violations.push(`${path} gave ${person.email} something of ${other.email}.`);
      return outcome;
    },
    async export(person) {
      const key = chance.word();
      return keyed({
        kind: "export",
        by: person,
        key,
        again: () => asked(person, "mutation", "privacy.export", { idempotencyKey: key }),
        words: [],
      });
    },
    async invite(person) {
      const guest = chance.of(living().filter((one) => one !== person));
      if (guest === undefined) return undefined;
      person.shared = true;
      return asked(person, "mutation", "teams.invite", { email: guest.email, role: "viewer", days: 7 });
    },
    async accept(person) {
      const received = await asked(person, "query", "teams.myInvitations");
      const invitation = received.is === "done" ? chance.of(asList(received.data)) : undefined;
      if (invitation === undefined) return received;
      return asked(person, "mutation", "teams.acceptInvitation", { invitationId: invitation.id });
    },
    async guess() {
      const from = `127.0.9.${chance.between(1, 250)}`;
      await Promise.all(
        Array.from({ length: 6 }, async () => {
          const at = door();
          if (at === undefined) return;
          const outcome = await signInThroughPages([at, at, at], { email: bait, password: "not the right one", from });
          known.guesses.push({ at: Date.now(), judged: outcome.is === "refused" && outcome.status !== 429 });
        }),
      );
      return { is: "done", data: null };
    },
    async crash() {
      const node = chance.of(world.nodes.filter((one) => one.door() !== undefined));
      await node?.tell({ do: "crash", pick: chance.below(1_000) }).catch(() => {});
      return { is: "done", data: null };
    },
  };

  async function aboutPhone(person: Person, path: string): Promise<Outcome | undefined> {
    const phoneId = chance.of([...person.phones]);
    return phoneId === undefined ? undefined : asked(person, "mutation", path, { phoneId });
  }
  async function callHook(
    person: Person,
    hook: NonNullable<Person["hook"]>,
    key: string,
    word: string,
  ): Promise<Outcome> {
    const at = door();
    if (at === undefined) return NO_DOOR;
    const body = JSON.stringify({ WORD: word });
    const timestamp = String(Math.floor(Date.now() / 1_000));
    const signature = createHmac("sha256", hook.secret).update(`${timestamp}.${body}`).digest("hex");
    const headers = {
      ...{ "content-type": "application/json", "x-perch-timestamp": timestamp, "idempotency-key": key },
      "x-perch-signature": `sha256=${signature}`,
    };
    return send(at, "POST", `/hooks/${hook.id}`, { headers, body, from: person.from }).then(
      outcomeOf,
      (error: Error) => ({
        ...{ is: "unknown", why: error.message },
      }),
    );
  }

  return {
    signIn,
    async makePerson() {
      made += 1;
      const marker = `m${chance.word()}`;
      const [email, fullName, password] = [
        `${marker}@storm.example`,
        `Name ${marker}`,
        "violet harbour tangles nine moons",
      ];
      const node = world.nodes.find((one) => one.door() !== undefined);
      const userId = await node?.tell({ do: "person", email, fullName, password }).catch(() => undefined);
      if (typeof userId !== "string") return undefined;
      const person: Person = {
        ...{ email, fullName, password, userId, marker, from: `127.0.1.${made % 250}` },
        ...{
          token: undefined,
          teamId: undefined,
          phones: new Set(),
          removed: new Set(),
          flowId: undefined,
          ruleId: undefined,
          hook: undefined,
        },
        ...{ shared: false, erased: false },
      };
      known.people.push(person);
      known.count("signIn", nameOf(await signIn(person)));
      return person;
    },
    async act() {
      const name = chance.weighted(ACTS);
      const person = chance.of(name === "signIn" ? known.people.filter(({ erased }) => !erased) : living());
      if (person === undefined) return;
      const outcome = await acts[name](person);
      if (outcome === undefined) return;
      known.count(name, nameOf(outcome));
      // Erased, ended elsewhere, or expired by a clock that was set.
      if (outcome.is === "refused" && outcome.code === "unauthenticated" && !person.erased) await signIn(person);
    },
    askAgain: async (call) => void (await told(call)),
  };
}

export function nameOf(outcome: Outcome): string {
  if (outcome.is === "done") return "done";
  return outcome.is === "unknown" ? "unknown" : outcome.code;
}

/* What this server answers, whose shapes its own contracts test. */
function asExchanged(data: unknown) {
  return data as { readonly token: string; readonly me: { readonly team: { readonly id: string } } };
}
function asHook(data: unknown) {
  return data as { readonly id: string; readonly secret: string };
}
function asTicket(data: unknown): string {
  return (data as { readonly ticket: string }).ticket;
}
function asList(data: unknown) {
  return data as readonly { readonly id: string }[];
}
function idOf(data: unknown): string {
  const { id, runId } = data as { readonly id?: string; readonly runId?: string };
  const found = runId ?? id;
  if (found === undefined) throw new Error(`An answer without an id: ${JSON.stringify(data).slice(0, 200)}`);
  return found;
}
