/** What all pages share: who is asking, how an answer is sent, and the guards every form passes. */
import type { Context, MiddlewareHandler } from "hono";
import type { z } from "zod";
import { announcementId } from "../../../shared/announcements.ts";
import type { ErrorCode } from "../../../shared/errors.ts";
import type { ProcessorView } from "../../../shared/privacy.ts";
import type { FormStamps } from "../../abuse/form-stamp.ts";
import type { Standing } from "../../abuse/standing.service.ts";
import type { Accounts } from "../../accounts/accounts.service.ts";
import type { Connect } from "../../accounts/connect.service.ts";
import type { EmailChange } from "../../accounts/email-change.service.ts";
import { type Factors, PASSKEYS_PATH } from "../../accounts/factors.service.ts";
import type { Recovery } from "../../accounts/recovery.service.ts";
import type { IssuedSession, Sessions } from "../../accounts/sessions.service.ts";
import type { Uninstall } from "../../accounts/uninstall.service.ts";
import type { Announcements } from "../../announcements/announcements.service.ts";
import { CARD_NUMBER_WORDS, holdsCardNumber } from "../../billing/card-numbers.ts";
import type { Clock } from "../../clock.ts";
import { HTTP_STATUS, INTERNAL_MESSAGE, PerchError } from "../../errors.ts";
import type { RateLimiter } from "../../limits/rate-limiter.ts";
import { errorFields, type Log } from "../../log.ts";
import type { Mail } from "../../mail/mail.service.ts";
import type { OperatorSeat } from "../../operator/seat.ts";
import type { OperatorDesk } from "../../privacy/desk/operator-desk.service.ts";
import type { Erasures } from "../../privacy/erasure/erasures.service.ts";
import type { ExportParts } from "../../privacy/export/compose.ts";
import { DATA_IMPORT_PATH, DATA_PATH } from "../../privacy/export/exports.service.ts";
import type { DataImports } from "../../privacy/export/import/import.service.ts";
import type { PolicyDesk } from "../../privacy/policy/policy.service.ts";
import type { PrivacyService } from "../../privacy/privacy.service.ts";
import type { Processor } from "../../privacy/processors/processors.ts";
import type { RequestParts } from "../../privacy/requests/compose.ts";
import type { Trust } from "../../privacy/trust/trust.service.ts";
import type { Support } from "../../support/support.service.ts";
import type { Invitations } from "../../teams/invitations.service.ts";
import type { Actor } from "../../teams/team-scope.ts";
import type { Teams } from "../../teams/teams.service.ts";
import { troubleInWords } from "../../trouble.ts";
import { isFetchedByScript } from "../at-the-machine.ts";
import { dropCookie, readCookie, writeCookie } from "../cookies.ts";
import type { Refusals } from "../refusals.ts";
import type { RequestInfo } from "../request-info.ts";
import { securityHeaders } from "../security-headers.ts";
import type { InvoicePage } from "./billing-pages.ts";
import { errorFrame, type Html, layout, type PageFrame } from "./layout.ts";

export type PagesEnv = { Variables: { request: RequestInfo } };
export type PageCall = Context<PagesEnv>;

/** Requests about one's data. */
export interface DataRequestServices extends Pick<RequestParts, "requests" | "intake" | "book" | "receipts"> {
  readonly held: PrivacyService["held"];
}

export interface PageServices {
  readonly accounts: Accounts;
  readonly sessions: Sessions;
  readonly uninstall: Uninstall;
  readonly connect: Connect;
  readonly standing: Standing;
  readonly formStamps: FormStamps;
  readonly emailChange: EmailChange;
  readonly recovery: Recovery;
  readonly invitations: Invitations;
  readonly teams: Pick<Teams, "list">;
  readonly factors: Factors;
  readonly mail: Mail;
  readonly erasures: Pick<Erasures, "findUndo" | "undoByLink" | "progress">;
  readonly support: Support;
  readonly trust: Trust;
  readonly register: readonly Processor[];
  readonly asked: DataRequestServices;
  readonly copies: ExportParts;
  readonly imports: DataImports;
  readonly limiter: RateLimiter;
  readonly policy: Pick<PolicyDesk, "current" | "announcedNext" | "published">;
  readonly processors: () => readonly ProcessorView[];
  readonly desk: OperatorDesk;
  readonly operator: OperatorSeat;
  readonly announcements: Pick<Announcements, "current">;
  /** Of an invoice a mail leads to; `undefined` for one that is not known. */
  readonly invoicePage: (id: string) => Promise<InvoicePage | undefined>;
  readonly clock: Clock;
  readonly log: Log;
  readonly refusals: Refusals;
  readonly publicUrl: URL;
  /** Shown beside the support form. */
  readonly supportEmail?: string | undefined;
}

/** Signed-in person of the cookie; only web sessions count, so a stolen extension token opens no page. */
export async function currentActor(c: PageCall, { sessions, publicUrl }: PageServices): Promise<Actor | undefined> {
  const token = readCookie(c, "session", publicUrl);
  if (token === undefined || (c.req.method === "GET" && isFetchedByScript(c.req))) return undefined;
  const actor = await sessions.find(token, c.get("request"));
  return actor !== undefined && actor !== "ended" && actor.credential.kind === "session" && actor.credential.web
    ? actor
    : undefined;
}

/** Sets the cookie of a new session and ends the one this browser had (no session outlives a sign-in in its place). */
export async function startWebSession(c: PageCall, services: PageServices, session: IssuedSession): Promise<void> {
  const earlier = await currentActor(c, services);
  if (earlier !== undefined) await services.sessions.signOut(earlier);
  setWebSession(c, services, session.token);
}

/** Sets the cookie alone: for a session that goes on under a new token. */
export function setWebSession(c: PageCall, services: PageServices, token: string): void {
  writeCookie(c, "session", services.publicUrl, token);
}

export function clearCookie(c: PageCall, { publicUrl }: PageServices): void {
  dropCookie(c, "session", publicUrl);
}

export async function show(
  c: PageCall,
  services: PageServices,
  frame: PageFrame,
  status: 200 | ErrorStatus = 200,
): Promise<Response> {
  const actor = await currentActor(c, services);
  const signedInAs = actor && (await services.connect.me(actor)).user.email;
  const closed = closedAnnouncements(c, services.publicUrl);
  const announcements = (await services.announcements.current()).filter(({ id }) => !closed.includes(id));
  return c.html(layout({ ...frame, path: c.req.path, signedInAs, announcements }), status);
}

/** Ids of those this browser closed. */
export function closedAnnouncements(c: PageCall, publicUrl: URL): readonly string[] {
  return (readCookie(c, "closed", publicUrl) ?? "").split(".").filter((id) => announcementId.safeParse(id).success);
}

type ErrorStatus = (typeof HTTP_STATUS)[keyof typeof HTTP_STATUS];

/** A form's fields, one text each. */
export type Fields = Readonly<Record<string, string>>;

export async function formFields(c: PageCall): Promise<Fields> {
  const body = await c.req.parseBody();
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}

/**
 * Parses fields by a schema; problems become a `PerchError` with a sentence per field, and so does a card number in any but
 * a password.
 */
export function parseFields<S extends z.ZodType>(schema: S, fields: Fields): z.output<S> {
  const cards = Object.entries(fields).filter(([name, text]) => !/password/i.test(name) && holdsCardNumber(text));
  if (cards.length > 0) {
    const marked = Object.fromEntries(cards.map(([name]) => [name, CARD_NUMBER_WORDS]));
    throw new PerchError("bad_input", "Please correct what is marked below.", { fields: marked });
  }
  const parsed = schema.safeParse(fields);
  if (parsed.success) return parsed.data;
  const problems = Object.fromEntries(parsed.error.issues.map((issue) => [issue.path.join("."), issue.message]));
  throw new PerchError("bad_input", "Please correct what is marked below.", { fields: problems });
}

export interface FormProblem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fields: Readonly<Record<string, string>>;
}

/**
 * Runs a form's work; a domain error shows the form again, with what was typed and what was wrong. In the extension's
 * sign-in window (`next` is the connect page) the answer is 200 all the same: Chrome closes that window on any status from 400 on,
 * and a mistyped password would end the sign-in.
 */
export async function submit(
  c: PageCall,
  services: PageServices,
  work: () => Promise<Response>,
  again: (problem: FormProblem) => { title: string; content: Html; wide?: boolean },
): Promise<Response> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof PerchError)) throw error;
    if (error.retryAfterMs !== undefined) c.header("Retry-After", String(Math.ceil(error.retryAfterMs / 1000)));
    const problem = { code: error.code, message: error.message, fields: error.fields ?? {} };
    const inSignInWindow = isConnect(safeNext((await formFields(c))["next"], services.publicUrl));
    return show(c, services, { ...again(problem), narrow: true }, inSignInWindow ? 200 : HTTP_STATUS[error.code]);
  }
}

export const STANDING_PATH = "/account/standing";

/** Pages that send people to sign in first and wait for their return. */
const RETURNS = ["/connect", "/invite"];

/** Where to go on after signing in: only a page of our own that waits for it, never an address from outside. */
export function safeNext(text: string | undefined, publicUrl: URL): string | undefined {
  if (text === PASSKEYS_PATH || text === STANDING_PATH || text === DATA_PATH) return text;
  if (text !== undefined && /^\/operator(\/[a-z]{1,20})?$/.test(text)) return text;
  if (text === undefined || !RETURNS.some((path) => text.startsWith(`${path}?`))) return undefined;
  if (!URL.canParse(text, publicUrl)) return undefined;
  const url = new URL(text, publicUrl);
  return url.origin === publicUrl.origin && RETURNS.includes(url.pathname) ? url.pathname + url.search : undefined;
}

/** Whether a person came from the extension and goes on to connect it. */
export function isConnect(next: string | undefined): boolean {
  return next?.startsWith("/connect?") === true;
}

/** Headers of every page. `Referrer-Policy` is not `no-referrer`: browsers would then send `Origin: null` with our own forms. */
export function pageHeaders(publicUrl: URL): MiddlewareHandler {
  const onEvery = securityHeaders(publicUrl.protocol === "https:");
  return async (c, next) => {
    for (const [name, value] of onEvery) c.header(name, value);
    c.header("Content-Security-Policy", contentSecurityPolicy());
    c.header("Referrer-Policy", "same-origin");
    await next();
  };
}

/** Chromium holds `form-action` against redirects after a form too, so the consent page names where it answers to. */
export function contentSecurityPolicy(formTargets: readonly string[] = [], { ownScripts = false } = {}): string {
  return [
    "default-src 'none'",
    ...(ownScripts ? ["script-src 'self'", "connect-src 'self'"] : []),
    "style-src 'self'",
    "img-src 'self' data:",
    ["form-action 'self'", ...formTargets].join(" "),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

/** A form counts only when it is a plain form sent from one of our own pages (`Origin`; `Sec-Fetch-Site` where sent). */
export function formGuard(publicUrl: URL): MiddlewareHandler {
  return async (c, next) => {
    if (c.req.method !== "POST") return next();
    const site = c.req.header("sec-fetch-site");
    if (!isOwnOrigin(c.req.header("origin"), publicUrl) || (site !== undefined && site !== "same-origin")) {
      throw new PerchError(
        "forbidden",
        "This form was not sent from a page of this server. Open the page again and send it from there.",
      );
    }
    const type = (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase();
    const wanted = c.req.path === DATA_IMPORT_PATH ? "multipart/form-data" : "application/x-www-form-urlencoded";
    if (type !== wanted) {
      throw new PerchError("unsupported_media_type", `Forms must be sent as ${wanted}.`);
    }
    return next();
  };
}

const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** The configured origin; on loopback also its other names, because people type either. */
function isOwnOrigin(origin: string | undefined, publicUrl: URL): boolean {
  if (origin === undefined || !URL.canParse(origin)) return false;
  if (origin === publicUrl.origin) return true;
  const from = new URL(origin);
  return (
    LOOPBACK.has(publicUrl.hostname) &&
    LOOPBACK.has(from.hostname) &&
    from.protocol === publicUrl.protocol &&
    from.port === publicUrl.port &&
    from.origin === origin
  );
}

/** An error as a page, in words and with the reference to quote. Unexpected errors show nothing of themselves. */
export function errorPage(
  c: PageCall,
  error: unknown,
  { log, refusals }: Pick<PageServices, "log" | "refusals">,
): Response | Promise<Response> {
  const { requestId } = c.get("request");
  const said = troubleInWords(error);
  const known = said instanceof PerchError ? said : undefined;
  if (known !== undefined) refusals.note({ requestId, code: known.code, cause: known.cause });
  else log.error("A page failed unexpectedly", { requestId, method: c.req.method, ...errorFields(error) });
  const status = known ? HTTP_STATUS[known.code] : HTTP_STATUS.internal;
  if (known?.retryAfterMs !== undefined) c.header("Retry-After", String(Math.ceil(known.retryAfterMs / 1000)));
  const title = ERROR_TITLES[status] ?? "That did not work";
  return c.html(layout(errorFrame(title, known?.message ?? INTERNAL_MESSAGE, requestId)), status);
}

const ERROR_TITLES: Partial<Record<number, string>> = {
  403: "Not allowed",
  404: "Not found",
  429: "Too often",
};
