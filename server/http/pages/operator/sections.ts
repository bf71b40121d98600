/** What each of the operator's pages shows. Nothing here names a person but the answers to a look with a reason. */
import { html } from "hono/html";
import type { DecisionAction, DecisionKind } from "../../../../shared/accounts.ts";
import type { OpenDecision } from "../../../abuse/standing.service.ts";
import { describeAction } from "../../../audit/activity-words.ts";
import type { FindingRow } from "../../../billing/desk/billing-desk.repo.ts";
import type { ConfigLine } from "../../../config/shown.ts";
import type { FaultLine } from "../../../faults/faults.repo.ts";
import type { AuditLine, InboxLine, JobLine } from "../../../operator/console.repo.ts";
import type { Overview, PersonFacts } from "../../../operator/console.service.ts";
import { field, type Html } from "../layout.ts";
import { faultsCard } from "./overview.ts";
import { at, byCommand, card, change, look, many, tag } from "./parts.ts";

/** What may be done from the page; a link made on the machine shows it without. */
type May = { readonly change: boolean };

export function machinesContent({ nodes, hosts }: Overview, may: May): Html {
  const node = nodes.map((one) => {
    const state = one.living ? (one.draining === null ? tag("open", "ok") : tag("draining")) : tag("gone", "bad");
    const about = { target: one.name, section: "machines" } as const;
    const button = !may.change
      ? ""
      : one.draining === null
        ? change(
            "Drain",
            { action: "node.drain", ...about },
            "It takes nothing new, gives its phones to others or parks them, and its process ends.",
            true,
          )
        : change("Take the drain back", { action: "node.undrain", ...about }, "It takes phones again.");
    return html`<li><strong>${one.name}</strong><span>${state}</span><span class="secondary">${one.role} · ${one.region} · version ${one.version} · ${one.taken} of ${one.capacity} web phones · heard of ${at(one.heartbeatAt)}</span>${button}</li>`;
  });
  const host = hosts.map((one) => {
    const about = { target: one.name, section: "machines" } as const;
    const button = !may.change
      ? ""
      : one.draining
        ? change("Take the drain back", { action: "host.undrain", ...about }, "It gets phones again.")
        : change(
            "Drain",
            { action: "host.drain", ...about },
            "It gets no new phones and starts none; running ones go on.",
            true,
          );
    return html`<li><strong>${one.name}</strong><span>${one.draining ? tag("draining") : tag("open", "ok")}</span><span class="secondary">${one.region} · ${one.taken} of ${one.capacity} phones</span>${button}</li>`;
  });
  const add = html`<p class="secondary">Added with ${byCommand("hosts add")}</p>`;
  return html`<div class="pair">${card("nodes", "Nodes", node, "None is registered.")}${card("hosts", "Hosts of Android phones", host, "None is registered.", add)}</div>`;
}

export function workContent(
  jobs: readonly JobLine[],
  inbox: readonly InboxLine[],
  overview: Overview,
  faults: readonly FaultLine[],
  may: May & { bills: boolean },
): Html {
  const states = { dead: tag("failed", "bad"), running: tag("running", "ok"), ready: tag("waits"), done: tag("done") };
  const job = jobs.map(({ id, kind, state, attempt, maxAttempts, runAt, node, error }) => {
    const about = { action: "job.run", target: id, section: "work" } as const;
    const label = state === "dead" ? "Try again" : "Run now";
    const button =
      may.change && state !== "running" ? change(label, about, "It runs at once, on whichever node takes it.") : "";
    return html`<li><strong>${jobWords(kind)}</strong><span>${states[state]}</span><span class="secondary">${at(runAt)} · attempt ${attempt} of ${maxAttempts}${node === null ? "" : ` · ${node}`}${error === null ? "" : ` · ${error}`}</span>${button}</li>`;
  });
  const event = inbox.map(
    ({ type, events, waiting, missed }) =>
      html`<li><strong>${type}</strong><span>${waiting > 0 ? tag(`${waiting} wait`, "bad") : tag("all worked on", "ok")}</span><span class="secondary">${events} in a month, ${missed} missed and fetched later</span></li>`,
  );
  const replay =
    may.change && may.bills
      ? change(
          "Fetch what was missed",
          { action: "webhooks.replay", target: "stripe", section: "work" },
          "Asks Stripe what it told since the last time, and works on what did not come.",
        )
      : "";
  const { waiting, failed } = overview.mail;
  const mail = html`<li><strong>Outbox</strong><span>${failed > 0 ? tag(`${failed} failed`, "bad") : `${waiting} waiting`}</span><span class="secondary">${failed} will never arrive. Whose: ${byCommand("mail failed")}</span></li>`;
  return html`<div class="pair"><div>${card("jobs", "Jobs", job, "Nothing waits, runs or failed.")}</div><div>${faultsCard(faults)}${card("mail", "Mail", [mail], "")}${card("inbox", "What Stripe told", event, "Nothing yet.", replay)}</div></div>`;
}

/** As the code names them, for who reads them aloud: `webhooks.deliver` is “Webhooks: deliver”. */
function jobWords(kind: string): string {
  const words = kind.replaceAll("_", " ").replace(".", ": ");
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function settingsContent(lines: readonly ConfigLine[]): Html {
  const isSet = ({ value }: ConfigLine) => value !== "not set";
  const items = (some: readonly ConfigLine[]) =>
    some.map(
      ({ name, value, about, secret }) =>
        html`<li><strong>${name}</strong><span>${secret ? tag(value === "set" ? "secret, set" : "secret, not set") : html`<code>${value}</code>`}</span><span class="secondary">${about}</span></li>`,
    );
  const part = (id: string, heading: string, some: readonly ConfigLine[]) =>
    html`<section class="card" id="${id}"><h2>${heading}</h2><ul class="rows two">${items(some)}</ul></section>`;
  return html`${part("settings", "In force", lines.filter(isSet))}${part(
    "unset",
    "Not set",
    lines.filter((line) => !isSet(line)),
  )}`;
}

const NEEDS_ACCOUNT = "Sign in with an account named in OPERATORS to look at what names somebody.";

export function peopleContent(may: May): Html {
  const email = field({
    name: "email",
    label: "Address of the account",
    type: "email",
    hint: "The whole address. Nobody can be searched for.",
  });
  const body = may.change
    ? look("person", "Look", email, "The person sees who looked and why.")
    : html`<p class="secondary">${NEEDS_ACCOUNT}</p>`;
  const decisions = may.change
    ? look("decisions", "Show them", "", "Each person concerned sees who looked and why.")
    : html`<p class="secondary">${NEEDS_ACCOUNT}</p>`;
  return html`<div class="pair"><section class="card"><h2>Look somebody up</h2>${body}</section><section class="card"><h2>Decisions that wait for you</h2><p class="secondary">What the rules against abuse asked or held, and what people say against it.</p>${decisions}</section></div>`;
}

const DECISIONS: Readonly<Record<string, string>> & Readonly<Record<DecisionKind, string>> = {
  sign_up: "About the sign-up",
  launch: "About launches",
  operator: "By an operator",
};
const ASKED: Readonly<Record<string, string>> & Readonly<Record<DecisionAction, string>> = {
  allow: "allowed",
  verify_first: "asked for a proof",
  hold: "held",
  suspend: "suspended",
};

export function personContent({ userId, email, name, createdAt, suspendedAt, facts, teams }: PersonFacts): Html {
  const { sessions, tokens, standing } = facts;
  const out = change(
    "Sign out everywhere",
    { action: "person.sign_out", target: userId, section: "people" },
    "Ends every session; open screens close within seconds. API tokens go on.",
    true,
  );
  const rows = [
    html`<li><strong>${email}</strong><span>${suspendedAt === null ? name : tag("suspended", "bad")}</span><span class="secondary">account since ${at(createdAt)} · ${many(sessions.length, "session")} · ${many(tokens.length, "API token")} · ${facts.hasCodesOfApp ? "codes of an app" : "no codes of an app"} · ${many(facts.passkeys.length, "passkey")}</span><div class="acts">${out}${suspend("person", userId, "the account", suspendedAt)}</div></li>`,
    ...standing.map(
      ({ kind, action, state, createdAt: since }) =>
        html`<li><strong>${DECISIONS[kind] ?? kind}</strong><span>${tag(ASKED[action] ?? action)}</span><span class="secondary">${state.replaceAll("_", " ")} · ${at(since)}</span></li>`,
    ),
  ];
  const team = teams.map((one) =>
    card(
      `team-${one.id}`,
      one.name,
      one.phones.map(
        ({ id, name: phone, driver, state }) =>
          html`<li><strong>${phone}</strong><span>${tag(state)}</span><span class="secondary">${driver}</span>${
            state === "parked" || state === "failed"
              ? ""
              : change(
                  "Stop",
                  { action: "phone.stop", target: id, section: "people" },
                  "Parks it with its state, wherever it runs.",
                  true,
                )
          }</li>`,
      ),
      "No phones.",
      html`<p class="secondary">Their team; they are ${one.role} here. ${one.suspendedAt === null ? "" : tag("suspended", "bad")}</p>${suspend("team", one.id, "the team", one.suspendedAt)}`,
    ),
  );
  return html`<div class="pair"><div>${card("person", "Account", rows, "")}</div><div>${team}</div></div>`;
}

function suspend(kind: "person" | "team", target: string, what: string, since: Date | null): Html {
  if (since !== null) {
    const about = { action: `${kind}.lift`, target, section: "people" } as const;
    return change(
      `Lift the suspension of ${what}`,
      about,
      `Suspended since ${new Date(since).toISOString().slice(0, 10)}. Phones and automations work again, and its people are told.`,
    );
  }
  return change(
    `Suspend ${what}`,
    { action: `${kind}.suspend`, target, section: "people" },
    "No phone and no automation runs until it is lifted. Nothing is deleted. Its people read your reason, and may say that it is wrong.",
    true,
  );
}

export function decisionsContent(open: readonly OpenDecision[]): Html {
  const items = open.map(({ id, email, kind, action, state, reasons, contest, at: since }) => {
    const about = { target: id, section: "people" } as const;
    return html`<li><strong>${email}</strong><span class="tags">${tag(DECISIONS[kind])} ${tag(ASKED[action], action === "verify_first" ? "" : "bad")}</span><span class="secondary">${at(new Date(since))} · ${state.replaceAll("_", " ")} · ${reasons.join(" ")}</span>${contest === undefined ? "" : html`<span class="secondary">They say: ${contest}</span>`}<div class="acts">${change("Lift it", { action: "decision.lift", ...about }, "Nothing is asked of them any more; they get your reason by mail.")}${change("Uphold it", { action: "decision.uphold", ...about }, "It stays; they get your reason by mail.", true)}</div></li>`;
  });
  return card("decisions", "Decisions that wait for you", items, "None.");
}

export function logContent(may: May): Html {
  return html`<div class="pair"><section class="card"><h2>What operators did</h2>${may.change ? look("log", "Read the log", "", "That you read it stands in it, too.") : html`<p class="secondary">${NEEDS_ACCOUNT}</p>`}</section></div>`;
}

const WHO = { operator: "An operator", server: "The server" } as const;

/** Who did what and why, in words; ids stay with the command. */
export function auditContent(lines: readonly AuditLine[]): Html {
  const items = lines.map(({ seq, at: when, actor, action, detail }) => {
    const { reason, by, role, ...rest } = detail ?? {};
    const who = typeof by === "string" ? by : actor === "operator" || actor === "server" ? WHO[actor] : "A person";
    const more = Object.entries(rest).flatMap(([name, value]) =>
      isId(value) ? [] : [`${name}: ${value === true ? "yes" : value === false ? "no" : value}`],
    );
    const words = [...(role === undefined ? [] : [`as ${role}`]), ...more].join(" · ");
    return html`<li><strong>${who} ${describeAction(action, detail).words}</strong><span class="secondary">${reason === undefined ? "" : html`<q>${reason}</q> · `}${when === null ? "forgotten" : at(when)} · entry ${seq}${words === "" ? "" : ` · ${words}`}</span></li>`;
  });
  const all = html`<p class="secondary">With ids, and made sure that nothing was changed: ${byCommand("audit read")}, ${byCommand("audit verify")}</p>`;
  return card("log", "The newest entries", items, "Nothing yet.", all);
}

const isId = (value: unknown) => typeof value === "string" && /^[a-z]{2,5}_[\w-]{22}$/.test(value);

export function billingContent(may: May & { bills: boolean }): Html {
  const body = !may.bills
    ? html`<p class="secondary">Nobody is billed here.</p>`
    : may.change
      ? look("findings", "Show the findings", "", "Owners of the teams concerned see that you looked.")
      : html`<p class="secondary">${NEEDS_ACCOUNT}</p>`;
  return html`<div class="pair"><section class="card"><h2>Differences in the books</h2><p class="secondary">Every night the books are compared with Stripe and with themselves.</p>${body}</section></div>`;
}

export function findingsContent(findings: readonly FindingRow[]): Html {
  const items = findings.map(
    ({ id, kind, words, createdAt }) =>
      html`<li><strong>${kind.replaceAll("_", " ")}</strong><span>${at(createdAt)}</span><span class="secondary">${words}</span>${change("It was put right", { action: "finding.resolve", target: id, section: "billing" }, "Takes it off the list.")}</li>`,
  );
  return card("findings", "Differences in the books", items, "Everything fits.");
}
