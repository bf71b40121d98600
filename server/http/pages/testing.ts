/** Pages on a real database, without a socket: for tests. A small browser with a cookie jar talks to them. */

import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Hono } from "hono";
import { CHROME_EXTENSION_ID } from "../../../shared/accounts.ts";
import { POLICY } from "../../../shared/policy/policy-v1.ts";
import type { PolicyVersion } from "../../../shared/policy/versions.ts";
import { createAccountServices } from "../../accounts/compose.ts";
import { createPasswords, type Passwords } from "../../accounts/passwords.ts";
import type { IssuedSession } from "../../accounts/sessions.service.ts";
import { createAnnouncementsRepo } from "../../announcements/announcements.repo.ts";
import { createAnnouncements } from "../../announcements/announcements.service.ts";
import { createAudit } from "../../audit/audit.repo.ts";
import { ManualClock } from "../../clock.ts";
import type { Config } from "../../config.ts";
import type { Database } from "../../db/database.ts";
import { folderBlobs } from "../../files/testing/folder-blobs.ts";
import { createJobsRepo } from "../../jobs/jobs.repo.ts";
import { createJobs } from "../../jobs/jobs.service.ts";
import { createLimitsRepo } from "../../limits/limits.repo.ts";
import { createRateLimiter } from "../../limits/rate-limiter.ts";
import { silentLog } from "../../log.ts";
import { createPrivacyServices } from "../../privacy/compose.ts";
import { createErasureRows } from "../../privacy/erasure/erasure-rows.repo.ts";
import { createErasuresRepo } from "../../privacy/erasure/erasures.repo.ts";
import { createErasures } from "../../privacy/erasure/erasures.service.ts";
import { createExportParts, createImportParts } from "../../privacy/export/compose.ts";
import { createRequestParts } from "../../privacy/requests/compose.ts";
import { createTrust } from "../../privacy/trust/trust.service.ts";
import { createRefusals } from "../refusals.ts";
import type { RequestInfo } from "../request-info.ts";
import type { PageServices, PagesEnv } from "./page-context.ts";
import { createPages } from "./pages.ts";

export const CHROME_ON_LINUX =
  "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
export const FIREFOX_ON_WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:153.0) Gecko/20100101 Firefox/153.0";

/** The same keys for every server of a test file: they share a database. */
const NO_PROCESSORS = {
  DATABASE_URL: undefined,
  SMTP_URL: undefined,
  SUPPORT_EMAIL: undefined,
  PROCESSORS_FILE: undefined,
};
const MAIL_KEY = randomBytes(32);
export const AUDIT_KEY = randomBytes(32);
const FACTORS_KEY = randomBytes(32);
const RECEIPTS_KEY = randomBytes(32);

/** Argon2id at the least it takes: for tests that are not about hashing. */
export const QUICK_PASSWORDS = createPasswords({ memoryCost: 8, timeCost: 1, parallelism: 1 });

export function requestInfo(about: Partial<RequestInfo> = {}): RequestInfo {
  return { requestId: "11111111-2222-4333-8444-555555555555", ip: "127.0.0.1", userAgent: CHROME_ON_LINUX, ...about };
}

/** The operator's pages work on a whole server; see `operator-pages.test.ts`. */
const NOBODY_OPERATES: PageServices["operator"] = {
  isOperator: () => false,
  as: () => {
    throw new Error("Nobody operates here.");
  },
  backups: async () => ({ everyHours: 0, lastGood: undefined, latest: [], finding: ["ok", ""] }),
  readiness: async () => ({ ready: true, checks: [] }),
};

export function startPages(
  db: Database,
  options: {
    publicUrl?: string;
    smtpUrl?: string;
    passwords?: Passwords;
    supportEmail?: string;
    versions?: readonly PolicyVersion[];
    invoicePage?: PageServices["invoicePage"];
    clock?: ManualClock;
    /** People sign in through a Supabase project, which answers wrong passwords at once. */
    project?: Config["supabase"];
  } = {},
) {
  const { clock = new ManualClock() } = options;
  const audit = createAudit(db, clock, AUDIT_KEY);
  const publicUrl = new URL(options.publicUrl ?? "http://localhost:8787");
  const limiter = createRateLimiter({ clock, repo: createLimitsRepo(db), key: randomBytes(32) });
  const jobs = createJobs({
    db,
    repo: createJobsRepo(db, clock),
    clock,
    log: silentLog,
    node: "test",
    singleNode: true,
  });
  const services = createAccountServices({
    db,
    audit,
    limiter,
    jobs,
    clock,
    config: {
      SMTP_URL: options.smtpUrl,
      MAIL_FROM: "Perch <perch@perch.example>",
      EXTENSION_IDS: [CHROME_EXTENSION_ID],
      PHONES_PER_TEAM: 10,
      RUNNING_PER_TEAM: 4,
      supabase: options.project,
    },
    supabase: { wrongAnswerMs: 0 },
    publicUrl,
    key: MAIL_KEY,
    abuseKey: randomBytes(32),
    factorsKey: FACTORS_KEY,
    uninstallKey: randomBytes(32),
    ...(options.passwords !== undefined && { passwords: options.passwords }),
  });
  const trust = createTrust({ policy: async () => POLICY, live: async () => [], results: undefined });
  const asked = createRequestParts({
    ...{ db, accounts: services, audit, jobs, limiter, clock, log: silentLog, publicUrl },
    ...{ receiptsKey: RECEIPTS_KEY, linksKey: RECEIPTS_KEY, supportEmail: options.supportEmail },
  });
  const erasures = createErasures({
    ...{ db, repo: createErasuresRepo(db), rows: createErasureRows(db), jobs, audit, clock, publicUrl },
    ...{ sessions: services.sessions, mail: services.mail, requests: undefined },
  });
  const copies = createExportParts({
    ...{ db, clock, audit, jobs, mail: services.mail, publicUrl, key: RECEIPTS_KEY, processors: [], policy: POLICY },
    ...{ place: "here", shelf: folderBlobs(join(tmpdir(), `perch-pages-${randomBytes(6).toString("hex")}`)).exports },
    sources: {
      readArtifact: async () => new Uint8Array(),
      phoneFiles: () => undefined,
    },
    requests: asked.requests,
  });
  const imports = createImportParts({
    ...{ db, clock, audit, phonesPerTeam: 10 },
    lifecycle: { publish: async () => {} },
    events: { publish: async () => {}, wake() {} },
  });
  const desks = createPrivacyServices({
    ...{ db, publicUrl, asked, erasures, audit, jobs, clock, log: silentLog, deskKey: randomBytes(32) },
    ...{ mail: services.mail, exports: copies, inactivity: { deletionAt: async () => undefined } },
    config: { ...NO_PROCESSORS, SMTP_URL: options.smtpUrl, billingMode: "off" },
    ...(options.versions !== undefined && { versions: options.versions }),
  });
  const { privacy, policy, desk, processorViews: processors } = desks;
  let about = requestInfo();
  const app = new Hono<PagesEnv>();
  app.use(async (c, next) => {
    c.set("request", about);
    await next();
  });
  const pageServices: PageServices = {
    ...services,
    ...{ trust, erasures, register: [] },
    asked: { ...asked, held: privacy.held },
    ...{ copies, imports },
    ...{ clock, log: silentLog, limiter, refusals: createRefusals({ log: silentLog, clock }), publicUrl },
    ...{ policy, desk, processors },
    operator: NOBODY_OPERATES,
    announcements: createAnnouncements({ db, repo: createAnnouncementsRepo(db), audit, clock }),
    invoicePage: options.invoicePage ?? (async () => undefined),
  };
  app.route("/", createPages(pageServices));

  /** A browser: keeps cookies, sends `Origin` with forms, does not follow redirects. */
  function browser(from: Partial<RequestInfo> = {}) {
    const cookies = new Map<string, string>();
    const send = async (path: string, init: RequestInit & { headers?: Record<string, string> }) => {
      about = requestInfo(from);
      const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await app.request(new URL(path, publicUrl).href, {
        ...init,
        headers: { ...(cookie !== "" && { cookie }), ...init.headers },
      });
      for (const header of response.headers.getSetCookie()) {
        const [name = "", value = ""] = (header.split(";")[0] ?? "").split("=");
        if (value === "") cookies.delete(name);
        else cookies.set(name, value);
      }
      return response;
    };
    return {
      cookies,
      get: (path: string, headers: Record<string, string> = {}) => send(path, { headers }),
      post: (path: string, fields: Record<string, string>, headers: Record<string, string> = {}) =>
        send(path, {
          method: "POST",
          body: new URLSearchParams(fields).toString(),
          headers: {
            origin: publicUrl.origin,
            "sec-fetch-site": "same-origin",
            "content-type": "application/x-www-form-urlencoded",
            ...headers,
          },
        }),
    };
  }

  /** The links of the newest mail to an address. */
  async function linksTo(recipient: string): Promise<string[]> {
    const mail = (await services.mail.preview()).find((one) => one.recipient === recipient);
    return [...(mail?.text ?? "").matchAll(/https?:\/\/\S+/g)].map(([link]) => link);
  }

  /** A session of a person whose password is enough. */
  async function signedIn(email: string, password: string, from: Partial<RequestInfo> = {}): Promise<IssuedSession> {
    const outcome = await services.accounts.signIn({ email, password }, requestInfo(from));
    if ("continuation" in outcome) throw new Error("A second factor is asked for.");
    return outcome;
  }

  const parts = {
    services,
    pageServices,
    asked,
    desks,
    signedIn,
    app,
    audit,
    clock,
    jobs,
    limiter,
    publicUrl,
    browser,
    linksTo,
  };
  return { ...services, ...parts };
}
export type TestPages = ReturnType<typeof startPages>;
