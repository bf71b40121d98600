/**
 * A stand-in for a Supabase project's sign-in service, for tests: what Perch asks of GoTrue, answered as GoTrue 2.196 does.
 * From its `openapi.yaml` and what its handlers do (github.com/supabase/auth, `internal/api`); held to the real program by
 * `npm run test:counterparts`, which tells both the same contract. It sends no mail, and has no route that would.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import { Secret } from "otpauth";
import type { Clock } from "../../../clock.ts";
import { totpCodeAt } from "../../testing/app-code.ts";
import { bodyOf, type FakeFactor, type FakeUser, hashOf, isPassword, view } from "./fake-users.ts";

export type Fault = "hang" | "drop" | { readonly status: number; readonly code?: string; readonly html?: boolean };

interface Call {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: Readonly<Record<string, unknown>>;
  readonly bearer: string;
  readonly headers: IncomingMessage["headers"];
}
interface Session {
  readonly id: string;
  readonly userId: string;
  aal: "aal1" | "aal2";
}

export const SERVICE_KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoic2VydmljZV9yb2xlIn0.service";
export const ANON_KEY = "eyJhbGciOiJIUzI1NiJ9.eyJyb2xlIjoiYW5vbiJ9.anon";
const PREFIX = "/auth/v1";
const TOKEN_SECONDS = 3_600;
const CHALLENGE_MS = 300_000;
const STEP_MS = 30_000;
/** Of the secret as a QR code, a rectangle for each of its points: 361 KB of a short address. */
const PICTURE = `<svg>${"<rect x='12' y='12' width='3' height='3' style='fill:black;stroke:none'/>".repeat(4_900)}</svg>`;
/** bcrypt's. */
const LONGEST_PASSWORD = 72;
const SHORTEST_PASSWORD = 6;

class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  constructor(status: number, code: string, message = code) {
    super(message);
    this.status = status;
    this.code = code;
  }
}

export class FakeGoTrue {
  readonly users = new Map<string, FakeUser>();
  readonly sessions = new Map<string, Session>();
  /** Every request, newest last, as "POST /token". */
  readonly calls: string[] = [];
  readonly forwardedFor: (string | undefined)[] = [];
  /** Asked before each request; what it gives is the answer. */
  fault: ((method: string, path: string) => Fault | undefined) | undefined;
  /** Changes of claims and of how a token is signed, for tests of what is believed. */
  forge: {
    readonly claims?: Readonly<Record<string, unknown>>;
    readonly key?: CryptoKey | Uint8Array;
    readonly alg?: string;
  } = {};
  /** Seconds its clock is ahead of the test's. */
  skewSeconds = 0;
  readonly #clock: Clock;
  readonly #challenges = new Map<string, { factorId: string; at: number; used: boolean }>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #key: { readonly kid: string; readonly privateKey: CryptoKey; readonly jwk: JWK } | undefined;
  #published: JWK[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  async start(): Promise<this> {
    await this.rotate();
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A new signing key; the one before is no longer published. */
  async rotate(): Promise<void> {
    const { privateKey, publicKey } = await generateKeyPair("ES256");
    const kid = randomUUID();
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: "ES256", use: "sig", key_ops: ["verify"] };
    this.#key = { kid, privateKey, jwk };
    this.#published = [jwk];
  }
  /** As a project that still signs with its legacy secret: it publishes none. */
  publishNothing(): void {
    this.#published = [];
  }
  byEmail(email: string): FakeUser | undefined {
    return [...this.users.values()].find((user) => user.email === email);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? "/", this.url);
    const path = pathname.startsWith(PREFIX) ? pathname.slice(PREFIX.length) : pathname;
    const method = request.method ?? "";
    this.calls.push(`${method} ${path.replaceAll(/[0-9a-f-]{36}/g, ":id")}`);
    const fault = this.fault?.(method, path);
    if (fault === "hang") return;
    if (fault === "drop") return void request.socket.destroy();
    try {
      if (fault !== undefined && fault.html === true) {
        response.writeHead(fault.status, { "content-type": "text/html" }).end("<html>Bad gateway</html>");
        return;
      }
      if (fault !== undefined) throw new Refusal(fault.status, fault.code ?? "unexpected_failure");
      const bytes = await bodyOf(request);
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1] ?? "";
      const { headers } = request;
      // The gateway before GoTrue lets nobody through without a key of the project.
      const isKnownKey = headers["apikey"] === SERVICE_KEY || headers["apikey"] === ANON_KEY;
      if (!isKnownKey && path !== "/.well-known/jwks.json") throw new Refusal(401, "no_api_key");
      const body = bytes.length === 0 ? {} : JSON.parse(bytes.toString());
      const result = await this.#handle({ method, path, query, body, bearer, headers });
      response.writeHead(result === undefined ? 204 : 200, { "content-type": "application/json" });
      response.end(result === undefined ? undefined : JSON.stringify(result));
    } catch (error) {
      const { status, code, message } =
        error instanceof Refusal ? error : new Refusal(500, "unexpected_failure", String(error));
      response.writeHead(status, { "content-type": "application/json", "x-supabase-api-version": "2024-01-01" });
      response.end(JSON.stringify({ code, message }));
    }
  }

  async #handle(call: Call): Promise<unknown> {
    const { method, path, query } = call;
    const route = `${method} ${path}`;
    if (route === "GET /.well-known/jwks.json") return { keys: this.#published };
    if (route === "GET /settings") return { external: { email: true }, disable_signup: false };
    if (route === "POST /token" && query.get("grant_type") === "password") return this.#signIn(call);
    if (route === "POST /verify") return this.#verifyLink(call);
    if (path.startsWith("/admin/")) return this.#admin(call);
    const { user, session } = this.#signedIn(call);
    if (route === "GET /user") return view(user);
    if (route === "POST /logout") {
      this.sessions.delete(session.id);
      return undefined;
    }
    const [, factorId, act] = /^\/factors(?:\/([0-9a-f-]{36})\/(challenge|verify))?$/.exec(path) ?? [
      undefined,
      undefined,
      "none",
    ];
    if (method === "POST" && act === undefined) return this.#enrol(call, user, session);
    const factor = user.factors.find(({ id }) => id === factorId);
    if (act !== "none" && factor === undefined) throw new Refusal(404, "mfa_factor_not_found");
    if (factor !== undefined && act === "challenge") return this.#challenge(factor);
    if (factor !== undefined && act === "verify") return this.#verifyCode(call, user, session, factor);
    throw new Refusal(404, "not_found", `The fake has no ${route}.`);
  }

  #now(): number {
    return this.#clock.now();
  }
  #moment(): string {
    return new Date(this.#now()).toISOString();
  }

  async #signIn({ body, headers }: Call): Promise<unknown> {
    this.forwardedFor.push(headers["sb-forwarded-for"]?.toString());
    const user = this.byEmail(String(body["email"]).toLowerCase());
    const wrong = () => new Refusal(400, "invalid_credentials", "Invalid login credentials");
    if (user === undefined) throw wrong();
    if (this.#isBanned(user)) throw new Refusal(400, "user_banned", "User is banned");
    if (!(await isPassword(user.passwordHash, String(body["password"])))) throw wrong();
    if (user.email_confirmed_at === undefined) throw new Refusal(400, "email_not_confirmed", "Email not confirmed");
    return this.#session(user, "password");
  }

  #isBanned({ banned_until: until }: FakeUser): boolean {
    return until !== undefined && new Date(until).getTime() > this.#now();
  }

  #verifyLink({ body }: Call): Promise<unknown> {
    const user = [...this.users.values()].find(({ recoveryToken }) => recoveryToken === body["token_hash"]);
    if (user === undefined) throw new Refusal(403, "otp_expired", "Email link is invalid or has expired");
    if (this.#isBanned(user)) throw new Refusal(403, "user_banned", "User is banned");
    user.recoveryToken = undefined;
    user.email_confirmed_at ??= this.#moment();
    return this.#session(user, "otp");
  }

  async #session(user: FakeUser, method: string, of?: Session): Promise<unknown> {
    const session = of ?? { id: randomUUID(), userId: user.id, aal: "aal1" as const };
    this.sessions.set(session.id, session);
    const at = Math.floor(this.#now() / 1000) + this.skewSeconds;
    const claims = {
      ...{ iss: `${this.url}${PREFIX}`, sub: user.id, aud: "authenticated", iat: at, exp: at + TOKEN_SECONDS },
      ...{ email: user.email, phone: "", app_metadata: { provider: "email", providers: ["email"] }, user_metadata: {} },
      ...{ role: "authenticated", aal: session.aal, amr: [{ method, timestamp: at }] },
      ...{ session_id: session.id, is_anonymous: false, ...this.forge.claims },
    };
    if (this.#key === undefined) throw new Error("The fake was not started.");
    const { kid, privateKey } = this.#key;
    const token = await new SignJWT(claims)
      .setProtectedHeader({ alg: this.forge.alg ?? "ES256", kid, typ: "JWT" })
      .sign(this.forge.key ?? privateKey);
    const times = { expires_in: TOKEN_SECONDS, expires_at: at + TOKEN_SECONDS };
    const refresh = randomBytes(9).toString("base64url");
    return { access_token: token, token_type: "bearer", ...times, refresh_token: refresh, user: view(user) };
  }

  #signedIn({ bearer }: Call): { user: FakeUser; session: Session } {
    const payload: unknown = JSON.parse(Buffer.from(bearer.split(".")[1] ?? "", "base64url").toString() || "{}");
    const id = (payload as { session_id?: string }).session_id ?? "";
    const session = this.sessions.get(id);
    const userId = (payload as { sub?: string }).sub ?? "";
    const user = this.users.get(userId);
    if (user === undefined) throw new Refusal(403, "user_not_found", "User from sub claim in JWT does not exist");
    if (session === undefined)
      throw new Refusal(403, "session_not_found", "Session from session_id claim in JWT does not exist");
    if (this.#isBanned(user)) throw new Refusal(403, "user_banned", "User is banned");
    return { user, session };
  }

  #enrol({ body }: Call, user: FakeUser, session: Session): unknown {
    const name = String(body["friendly_name"]);
    if (user.factors.some((one) => one.friendly_name === name)) throw new Refusal(422, "mfa_factor_name_conflict");
    const isGuarded = user.factors.some(({ status }) => status === "verified");
    if (isGuarded && session.aal !== "aal2")
      throw new Refusal(403, "insufficient_aal", "AAL2 required to enroll a new factor");
    const at = this.#moment();
    const secret = new Secret({ size: 20 }).base32;
    const factor: FakeFactor = {
      ...{ id: randomUUID(), factor_type: "totp", friendly_name: name, secret, status: "unverified" },
      ...{ created_at: at, updated_at: at },
    };
    user.factors.push(factor);
    const totp = { qr_code: PICTURE, secret, uri: `otpauth://totp/Perch:${user.email}?secret=${secret}` };
    return { id: factor.id, type: "totp", friendly_name: name, totp };
  }

  #challenge({ id: factorId }: FakeFactor): unknown {
    const id = randomUUID();
    this.#challenges.set(id, { factorId, at: this.#now(), used: false });
    return { id, type: "totp", expires_at: Math.floor((this.#now() + CHALLENGE_MS) / 1000) };
  }

  /** One step before and after counts, and a code as often as it is typed: GoTrue keeps no record of codes. */
  async #verifyCode({ body }: Call, user: FakeUser, session: Session, factor: FakeFactor): Promise<unknown> {
    const challenge = this.#challenges.get(String(body["challenge_id"]));
    if (challenge?.factorId !== factor.id) throw new Refusal(422, "mfa_factor_not_found");
    if (challenge.used) throw new Refusal(422, "mfa_ip_address_mismatch");
    if (this.#now() - challenge.at > CHALLENGE_MS) throw new Refusal(422, "mfa_challenge_expired");
    const codes = [-1, 0, 1].map((steps) => totpCodeAt(factor.secret, this.#now() + steps * STEP_MS));
    if (!codes.includes(String(body["code"])))
      throw new Refusal(422, "mfa_verification_failed", "Invalid TOTP code entered");
    await between();
    // Another one with both factors came between: its session refers to nothing, and that is all it says.
    if (!this.sessions.has(session.id)) throw new Refusal(500, "unexpected_failure");
    challenge.used = true;
    if (factor.status === "unverified") Object.assign(factor, { status: "verified", updated_at: this.#moment() });
    session.aal = "aal2";
    for (const other of this.sessions.values()) {
      if (other.userId === user.id && other.aal === "aal1") this.sessions.delete(other.id);
    }
    user.factors = user.factors.filter(({ status }) => status === "verified");
    return this.#session(user, "totp", session);
  }

  async #admin({ method, path, body, bearer }: Call): Promise<unknown> {
    if (bearer !== SERVICE_KEY) throw new Refusal(403, "not_admin", "User not allowed");
    if (method === "POST" && path === "/admin/users") return view(await this.#create(body));
    if (method === "POST" && path === "/admin/generate_link") return this.#link(body);
    const [, id = "", factorId] = /^\/admin\/users\/([0-9a-f-]{36})(?:\/factors\/([0-9a-f-]{36}))?$/.exec(path) ?? [];
    const user = this.users.get(id);
    if (user === undefined) throw new Refusal(404, "user_not_found", "User not found");
    if (factorId !== undefined) {
      const factor = user.factors.find((one) => one.id === factorId);
      if (factor === undefined) throw new Refusal(404, "mfa_factor_not_found", "Factor not found");
      user.factors = user.factors.filter((one) => one !== factor);
      for (const session of this.sessions.values()) if (session.userId === id) session.aal = "aal1";
      return { id: factorId };
    }
    if (method === "GET") return view(user);
    if (method === "DELETE") {
      this.users.delete(id);
      this.#endAll(id);
      return {};
    }
    return this.#update(user, body);
  }

  #endAll(userId: string): void {
    for (const session of this.sessions.values()) if (session.userId === userId) this.sessions.delete(session.id);
  }

  async #create(body: Call["body"]): Promise<FakeUser> {
    const email = String(body["email"]).toLowerCase();
    if (!/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(email)) {
      throw new Refusal(400, "validation_failed", "Unable to validate email address: invalid format");
    }
    if (this.byEmail(email) !== undefined)
      throw new Refusal(422, "email_exists", "A user with this email address has already been registered");
    const { password, password_hash: hash } = body;
    // As bcrypt says it; length and leaks are looked at only when a password is changed.
    if (typeof password === "string" && Buffer.byteLength(password) > LONGEST_PASSWORD) {
      throw new Refusal(400, "validation_failed", "bcrypt: password length exceeds 72 bytes");
    }
    const user: FakeUser = {
      ...{
        id: typeof body["id"] === "string" ? body["id"] : randomUUID(),
        email,
        created_at: this.#moment(),
        factors: [],
      },
      ...{ email_confirmed_at: body["email_confirm"] === true ? this.#moment() : undefined, banned_until: undefined },
      passwordHash: typeof hash === "string" ? hash : hashOf(String(password)),
      recoveryToken: undefined,
    };
    await between();
    if (this.byEmail(email) !== undefined)
      throw new Refusal(500, "unexpected_failure", "Database error creating new user");
    this.users.set(user.id, user);
    return user;
  }

  #update(user: FakeUser, { password, email, ban_duration: ban }: Call["body"]): unknown {
    const hours = /^(\d+)h$/.exec(String(ban))?.[1];
    if (hours !== undefined) user.banned_until = new Date(this.#now() + Number(hours) * 3_600_000).toISOString();
    if (typeof password === "string") {
      if (Buffer.byteLength(password) > LONGEST_PASSWORD) throw new Refusal(400, "validation_failed");
      if (password.length < SHORTEST_PASSWORD) throw new Refusal(422, "weak_password");
      user.passwordHash = hashOf(password);
      this.#endAll(user.id);
    }
    if (typeof email === "string") {
      const holder = this.byEmail(email.toLowerCase());
      if (holder !== undefined && holder !== user) throw new Refusal(500, "unexpected_failure", "Error updating user");
      user.email = email.toLowerCase();
      user.email_confirmed_at ??= this.#moment();
    }
    return view(user);
  }

  #link(body: Call["body"]): unknown {
    if (body["type"] !== "recovery")
      throw new Refusal(400, "validation_failed", "The fake makes recovery links alone.");
    const user = this.byEmail(String(body["email"]).toLowerCase());
    if (user === undefined) throw new Refusal(404, "user_not_found", "User with this email not found");
    user.recoveryToken = randomBytes(28).toString("hex");
    return {
      ...view(user),
      ...{ action_link: `${this.url}${PREFIX}/verify?token=${user.recoveryToken}&type=recovery`, email_otp: "123456" },
      ...{ hashed_token: user.recoveryToken, verification_type: "recovery", redirect_to: "http://localhost:3000" },
    };
  }
}

/** Others come between what it looks at and what it writes. */
async function between(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1));
}
