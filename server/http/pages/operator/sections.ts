/** What each of the operator's pages shows. Nothing here names a person but the answers to a look with a reason. */
import { html } from "hono/html";
import { PRODUCT_VERSION } from "../../../../shared/version.ts";
import type { BackupStatus } from "../../../backup/backups.service.ts";
import type { FindingRow } from "../../../billing/desk/billing-desk.repo.ts";
import type { ConfigLine } from "../../../config/shown.ts";
import type { Readiness } from "../../../health/readiness.ts";
import type { AuditLine, InboxLine, JobLine } from "../../../operator/console.repo.ts";
import type { Overview, PersonFacts } from "../../../operator/console.service.ts";
import { field, type Html } from "../layout.ts";
import { at, card, change, look, tag } from "./parts.ts";

/** What may be done from the page; a link made on the machine shows it without. */
type May = { readonly change: boolean };

export function readinessCard({ ready, checks }: Readiness): Html {
  const words = { ok: "ok", warn: "look at it", fail: "fails" } as const;
  return card(
    "readiness",
    `Version ${PRODUCT_VERSION}`,
    [
      html`<li><strong>This process</strong><span>${ready ? tag("ready", "ok") : tag("not ready", "bad")}</span></li>`,
      ...checks.map(
        ({ name, state, says }) =>
          html`<li><strong>${name}</strong><span>${tag(words[state], state === "ok" ? "ok" : "bad")}</span><span class="secondary">${says}</span></li>`,
      ),
    ],
    "",
  );
}

export function backupsCard({ lastGood, latest, everyHours }: BackupStatus): Html {
  const items = latest.slice(0, 5).map(({ name, node, startedAt, rows, bytes, verifiedAt, failure }) => {
    const state =
      verifiedAt === null ? tag(failure === null ? "not verified" : "failed", "bad") : tag("verified", "ok");
    const size = bytes === null ? "" : ` · ${Math.ceil(bytes / 1024).toLocaleString("en")} kB, ${rows} rows`;
    return html`<li><strong>${failure === null ? name : "Not made"}</strong><span>${state}</span><span class="secondary">${at(startedAt)} · ${node}${size}${failure === null ? "" : ` · ${failure}`}</span></li>`;
  });
  const every =
    everyHours === 0 ? "The server makes none: BACKUP_HOURS is 0." : `One is due every ${everyHours} hours.`;
  const last =
    lastGood === undefined
      ? html`<p class="secondary">${every} There is no good one yet.</p>`
      : html`<p class="secondary">${every} The last good one is of ${at(lastGood.startedAt)}.</p>`;
  return card("backups", "Backups", items, "None was made yet.", last);
}

export function countsCard({ phones, unreachablePhones, jobs, diedToday, overdueMs, mail }: Overview): Html {
  const count = (name: string, n: number, words: string, bad = false) =>
    html`<li><strong>${name}</strong><span>${bad && n > 0 ? tag(String(n), "bad") : n.toLocaleString("en")}</span><span class="secondary">${words}</span></li>`;
  return card(
    "now",
    "Now",
    [
      ...phones.map(({ driver, state, count: n }) => count(`Phones, ${driver}`, n, state, state === "failed")),
      count("Phones that do not answer", unreachablePhones, "running, and not reached", true),
      count("Work that failed", diedToday, "for good, in the last 24 hours", true),
      count(
        "Work under way",
        jobs["running"] ?? 0,
        `${jobs["ready"] ?? 0} wait, overdue by ${Math.round(overdueMs / 1000)} s at most`,
      ),
      count("Mail that waits", mail.waiting, `${mail.failed} failed for good`),
    ],
    "",
  );
}

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
  return html`${card("nodes", "Nodes", node, "None is registered.")}${card("hosts", "Hosts of Android phones", host, "None is registered.")}`;
}

export function workContent(
  jobs: readonly JobLine[],
  inbox: readonly InboxLine[],
  overview: Overview,
  may: May & { bills: boolean },
): Html {
  const states = { dead: tag("failed", "bad"), running: tag("running", "ok"), ready: tag("waits"), done: tag("done") };
  const job = jobs.map(({ id, kind, state, attempt, maxAttempts, runAt, node, error }) => {
    const about = { action: "job.run", target: id, section: "work" } as const;
    const label = state === "dead" ? "Try again" : "Run now";
    const button =
      may.change && state !== "running" ? change(label, about, "It runs at once, on whichever node takes it.") : "";
    return html`<li><strong>${kind}</strong><span>${states[state]}</span><span class="secondary">${at(runAt)} · attempt ${attempt} of ${maxAttempts}${node === null ? "" : ` · ${node}`}${error === null ? "" : ` · ${error}`}</span>${button}</li>`;
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
  const mail = html`<li><strong>Outbox</strong><span>${overview.mail.waiting} waiting</span><span class="secondary">${overview.mail.failed} failed for good; whose: npm run admin -- mail failed</span></li>`;
  return html`${card("jobs", "Jobs", job, "Nothing waits, runs or failed.")}${card("mail", "Mail", [mail], "")}${card("inbox", "What Stripe told", event, "Nothing yet.", replay)}`;
}

export function settingsContent(lines: readonly ConfigLine[]): Html {
  const items = lines.map(
    ({ name, value, about, secret }) =>
      html`<li><strong>${name}</strong><span>${secret ? tag(value === "set" ? "secret, set" : "secret, not set") : html`<code>${value}</code>`}</span><span class="secondary">${about}</span></li>`,
  );
  return card("settings", "Settings in force", items, "");
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
  return html`<section class="card"><h2>Look somebody up</h2>${body}</section>`;
}

const many = (n: number, what: string) => `${n} ${what}${n === 1 ? "" : "s"}`;

export function personContent({ userId, email, name, createdAt, facts, teams }: PersonFacts): Html {
  const about = { target: userId, section: "people" } as const;
  const { sessions, tokens, standing } = facts;
  const rows = [
    html`<li><strong>${email}</strong><span>${name}</span><span class="secondary">account since ${at(createdAt)} · ${many(sessions.length, "session")} · ${many(tokens.length, "API token")} · ${facts.hasCodesOfApp ? "codes of an app" : "no codes of an app"} · ${many(facts.passkeys.length, "passkey")}</span>${change("Sign out everywhere", { action: "person.sign_out", ...about }, "Ends every session; open screens close within seconds. API tokens go on.", true)}</li>`,
    ...standing.map(
      ({ kind, action, state, createdAt: since }) =>
        html`<li><strong>Decision: ${kind.replaceAll("_", " ")}</strong><span>${tag(action.replaceAll("_", " "))}</span><span class="secondary">${state.replaceAll("_", " ")} · ${at(since)}</span></li>`,
    ),
  ];
  const team = teams.map(({ name: teamName, role, phones }) =>
    card(
      "team",
      teamName,
      phones.map(
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
      html`<p class="secondary">They are ${role} here.</p>`,
    ),
  );
  return html`${card("person", "Account", rows, "")}${team}`;
}

export function logContent(may: May): Html {
  return html`<section class="card"><h2>What operators did</h2>${may.change ? look("log", "Read the log", "", "That you read it stands in it, too.") : html`<p class="secondary">${NEEDS_ACCOUNT}</p>`}</section>`;
}

export function auditContent(lines: readonly AuditLine[]): Html {
  const items = lines.map(({ seq, at: when, actor, action, detail }) => {
    const words = Object.entries(detail ?? {}).map(([name, value]) => `${name}: ${value}`);
    return html`<li><strong>${action.replaceAll("_", " ").replaceAll(".", ": ")}</strong><span>${actor === "operator" ? "operator" : actor === "server" ? "server" : "a person"}</span><span class="secondary">${seq} · ${when === null ? "forgotten" : at(when)}${words.length > 0 ? ` · ${words.join(" · ")}` : ""}</span></li>`;
  });
  return card("log", "The newest entries", items, "Nothing yet.");
}

export function billingContent(may: May & { bills: boolean }): Html {
  const body = !may.bills
    ? html`<p class="secondary">Nobody is billed here.</p>`
    : may.change
      ? look("findings", "Show the findings", "", "Owners of the teams concerned see that you looked.")
      : html`<p class="secondary">${NEEDS_ACCOUNT}</p>`;
  return html`<section class="card"><h2>Differences in the books</h2>${body}</section>`;
}

export function findingsContent(findings: readonly FindingRow[]): Html {
  const items = findings.map(
    ({ id, kind, words, createdAt }) =>
      html`<li><strong>${kind.replaceAll("_", " ")}</strong><span>${at(createdAt)}</span><span class="secondary">${words}</span>${change("It was put right", { action: "finding.resolve", target: id, section: "billing" }, "Takes it off the list.")}</li>`,
  );
  return card("findings", "Differences in the books", items, "Everything fits.");
}
