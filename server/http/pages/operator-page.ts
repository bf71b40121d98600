/**
 * The operator's pages. Whoever is named in OPERATORS and has a second factor reads and, freshly proven, changes here; a link
 * that an admin command makes shows the same without names and without changing anything.
 */
import { Hono } from "hono";
import { html } from "hono/html";
import { PerchError } from "../../errors.ts";
import type { Actor } from "../../teams/team-scope.ts";
import { isFetchedByScript } from "../at-the-machine.ts";
import { readCookie, writeCookie } from "../cookies.ts";
import { deadLink, type Html, hidden, problem } from "./layout.ts";
import { ACTIONS, changes, LEADS, LOOKS, looked, looks, sectionContent } from "./operator/actions.ts";
import { announceCard, announceForm } from "./operator/announcements-part.ts";
import { overviewContent } from "./operator/overview.ts";
import { head, isSection, pathOf, SECTIONS, type Section } from "./operator/parts.ts";
import { peopleContent } from "./operator/sections.ts";
import {
  currentActor,
  formFields,
  type PageCall,
  type PageServices,
  type PagesEnv,
  parseFields,
  show,
  submit,
} from "./page-context.ts";
import { isProven, provePath } from "./prove-page.ts";

const title = "Operator";
const wide = true;
const titleOf = (section: Section) => `${SECTIONS[section]} · ${title}`;
const PROVEN_MS = 10 * 60_000;

/** Who looks: an operator by their account, or whoever opened the link that was made on the machine. */
type Visitor = { readonly by: string; readonly actor: Actor } | { readonly by: undefined };

export function operatorPage(services: PageServices): Hono<PagesEnv> {
  const pages = new Hono<PagesEnv>();
  const { desk, publicUrl, operator } = services;

  async function visitorOf(c: PageCall): Promise<Visitor> {
    const actor = await currentActor(c, services);
    if (actor !== undefined) {
      const { email } = (await services.connect.me(actor)).user;
      if (operator.isOperator(email)) {
        const { totp, passkeys } = await services.factors.overviewParts(actor.userId);
        if (totp === null && passkeys.length === 0) {
          throw new PerchError("forbidden", "Operators need a second factor. Add a passkey or codes of an app first.");
        }
        return { by: email.split("@")[0] ?? "", actor };
      }
    }
    if (isFetchedByScript(c.req) || !desk.isOpen(readCookie(c, "desk", publicUrl))) {
      throw new PerchError(
        "forbidden",
        "This page is the operator's. Sign in with an account named in OPERATORS, or make a link on the machine: npm run admin -- desk open --reason “why”.",
      );
    }
    return { by: undefined };
  }

  /** An operator who proved within ten minutes that it is them; otherwise where to do that. */
  async function provenOperator(c: PageCall, section: Section): Promise<string | Response> {
    const visitor = await visitorOf(c);
    if (visitor.by === undefined) {
      throw new PerchError("forbidden", "The link only shows. Sign in with an account named in OPERATORS to do this.");
    }
    if (await isProven(services, visitor.actor, PROVEN_MS)) return visitor.by;
    return c.redirect(provePath(pathOf(section)), 303);
  }

  pages.get("/operator", async (c) => {
    const token = c.req.query("token");
    if (token !== undefined) return show(c, services, { title, narrow: true, content: openContent(token) });
    const { by = "link" } = await visitorOf(c);
    const { console } = operator.as(by);
    const [overview, faults, figures, backups, readiness] = await Promise.all([
      ...([console.overview(), console.faults(), desk.figures()] as const),
      ...([operator.backups(), operator.readiness()] as const),
    ]);
    const lead = "What is, what waits, and until when. Names are shown only with a reason.";
    const content = html`${head("", lead)}${overviewContent({ overview, faults, figures, backups, readiness })}`;
    return show(c, services, { title, wide, content });
  });

  pages.get("/operator/:section", async (c) => {
    const { section } = c.req.param();
    if (!isSection(section) || section === "") throw new PerchError("not_found", "There is no such page.");
    const visitor = await visitorOf(c);
    const content = await sectionContent(
      operator.as(visitor.by ?? "link"),
      section,
      visitor.by !== undefined,
      new Date(services.clock.now()),
    );
    const done = c.req.query("done") !== undefined;
    return show(c, services, {
      title: titleOf(section),
      wide,
      content: html`${head(section, LEADS[section], done)}${content}`,
    });
  });

  pages.post("/operator/look", async (c) => {
    const fields = await formFields(c);
    const wanted = parseFields(looks, fields);
    const section = LOOKS[wanted.look];
    const by = await provenOperator(c, section);
    if (typeof by !== "string") return by;
    const again = ({ message }: { message: string }) => ({
      title: titleOf(section),
      wide,
      content: html`${head(section, LEADS[section])}${problem(message)}${section === "people" ? peopleContent({ change: true }) : ""}`,
    });
    return submit(
      c,
      services,
      async () => {
        const content = await looked(operator.as(by), wanted);
        return show(c, services, {
          title: titleOf(section),
          wide,
          content: html`${head(section, LEADS[section])}${content}`,
        });
      },
      again,
    );
  });

  pages.post("/operator/do", async (c) => {
    const { action, target, reason, section } = parseFields(changes, await formFields(c));
    const by = await provenOperator(c, section);
    if (typeof by !== "string") return by;
    await ACTIONS[action](operator.as(by), target, reason);
    return c.redirect(`${pathOf(section)}?done=1`, 303);
  });

  pages.post("/operator/announce", async (c) => {
    const fields = await formFields(c);
    const by = await provenOperator(c, "announcements");
    if (typeof by !== "string") return by;
    const { announcements } = operator.as(by);
    return submit(
      c,
      services,
      async () => {
        const { text, level, from, until, reason } = parseFields(announceForm, fields);
        await announcements.announce({ text, level, from: from ?? new Date(services.clock.now()), until }, reason);
        return c.redirect(`${pathOf("announcements")}?done=1`, 303);
      },
      (wrong) => ({
        title: titleOf("announcements"),
        wide,
        content: html`${head("announcements", LEADS.announcements)}<div class="pair">${announceCard(fields, wrong)}</div>`,
      }),
    );
  });

  pages.post("/operator", async (c) => {
    const { token = "" } = await formFields(c);
    try {
      writeCookie(c, "desk", publicUrl, await desk.open(token));
    } catch (error) {
      if (!(error instanceof PerchError)) throw error;
      return show(c, services, { title, narrow: true, content: deadLink(error.message, "/", "Go to the start") }, 404);
    }
    return c.redirect("/operator", 303);
  });
  return pages;
}

function openContent(token: string): Html {
  return html`<section class="card"><h1>Operator</h1><p>The page stays open in this browser for 30 minutes. That it was opened is kept in the audit log.</p>
<form method="post" action="/operator">${hidden({ token })}<button>Open the operator page</button></form></section>`;
}
