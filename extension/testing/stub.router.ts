/**
 * A small stand-in for the server, faithful to its contract, for tests and pictures of the extension.
 * Phones are rows in memory: they start after `startMs` and never show anything.
 */
import { initTRPC, TRPCError, tracked } from "@trpc/server";
import { z } from "zod";
import { type Exchanged, exchangeInput, type Me, type SessionView } from "../../shared/accounts.ts";
import type { BurnView, StartPreview } from "../../shared/billing/billing.ts";
import type { ErrorBody, ErrorCode } from "../../shared/errors.ts";
import { newId, type PhoneId, phoneId, sessionId } from "../../shared/ids.ts";
import { WEB_PHONE } from "../../shared/phone-model.ts";
import {
  DEFAULT_PROFILE,
  deviceProfile,
  installWebAppInput,
  launchInput,
  openUrlInput,
  type Phone,
  type PhoneEvent,
  type PhoneFile,
  phoneRef,
  removeInput,
  renameInput,
  type Screenshot,
  settingsInput,
  startInput,
  type WipeReceipt,
} from "../../shared/phones.ts";
import type { PrivacyOverview } from "../../shared/privacy.ts";

export interface StubState {
  readonly phones: Map<PhoneId, Phone>;
  readonly tokens: Set<string>;
  readonly calls: string[];
  readonly launches: Map<string, Phone>;
  readonly opened: { phoneId: PhoneId; url: string }[];
  readonly events: { id: number; event: PhoneEvent }[];
  readonly listeners: Set<() => void>;
  startMs: number;
  /** Every change fails with this. */
  refuse: { code: ErrorCode; message: string } | undefined;
  limitPhones: number;
  /** What the overview says beside an e-mail address. */
  privacy: Partial<PrivacyOverview>;
  /** What runs costs; undefined where that part is out of order. */
  burn: BurnView | undefined;
  preview: StartPreview;
  /** Lists are read at once and answered when this settles. */
  holdLists: Promise<void> | undefined;
}

export function stubState(): StubState {
  return {
    phones: new Map(),
    tokens: new Set(),
    calls: [],
    launches: new Map(),
    opened: [],
    events: [],
    listeners: new Set(),
    startMs: 0,
    refuse: undefined,
    limitPhones: 10,
    privacy: {},
    burn: undefined,
    preview: { mode: "off", words: "Costs nothing", covered: true },
    holdLists: undefined,
  };
}

export interface StubContext {
  readonly state: StubState;
  readonly token: string | undefined;
}

class Refusal extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

const t = initTRPC.context<StubContext>().create({
  errorFormatter({ shape, error }) {
    const code: ErrorCode = error.cause instanceof Refusal ? error.cause.code : "bad_input";
    const perch: ErrorBody = { code, message: error.message, requestId: "req_stub" };
    return { message: error.message, code: shape.code, data: { httpStatus: shape.data.httpStatus, perch } };
  },
  sse: { ping: { enabled: true, intervalMs: 15_000 }, client: { reconnectAfterInactivityMs: 40_000 } },
});

function refusal(code: ErrorCode, message: string): TRPCError {
  const status = code === "unauthenticated" || code === "session_ended" ? "UNAUTHORIZED" : "CONFLICT";
  return new TRPCError({ code: status, message, cause: new Refusal(code, message) });
}

const open = t.procedure.use(({ ctx, path, next }) => {
  ctx.state.calls.push(path);
  return next();
});
const signedIn = open.use(({ ctx, type, next }) => {
  if (ctx.token === undefined) throw refusal("unauthenticated", "Sign in first.");
  if (!ctx.state.tokens.has(ctx.token)) throw refusal("session_ended", "You were signed out. Sign in again.");
  const { refuse } = ctx.state;
  if (refuse !== undefined && type === "mutation") throw refusal(refuse.code, refuse.message);
  return next();
});

export function publish(state: StubState, event: PhoneEvent): void {
  state.events.push({ id: state.events.length + 1, event });
  for (const listener of state.listeners) listener();
}

function save(state: StubState, phone: Phone): Phone {
  state.phones.set(phone.id, phone);
  publish(state, { type: "phone", phone });
  return phone;
}

function one(state: StubState, id: PhoneId): Phone {
  const phone = state.phones.get(id);
  if (phone === undefined) throw refusal("not_found", "There is no such phone.");
  return phone;
}

function start(state: StubState, phone: Phone): Phone {
  const running = (): Phone => ({
    ...one(state, phone.id),
    state: "running",
    startedAt: new Date().toISOString(),
    lastUsedAt: new Date().toISOString(),
  });
  if (state.startMs === 0) return save(state, { ...phone, ...running() });
  setTimeout(() => save(state, running()), state.startMs);
  return save(state, { ...phone, state: "starting" });
}

/** A phone as the server shows it, for fixtures. */
export function stubPhone(over: Partial<Phone> = {}): Phone {
  const profileId = over.profile ?? DEFAULT_PROFILE;
  const profile = deviceProfile(profileId);
  return {
    id: newId("phone"),
    name: `Phone, ${profile.label.toLowerCase()}`,
    driver: "web",
    profile: profileId,
    state: "parked",
    width: profile.width,
    height: profile.height,
    rotated: false,
    settings: {},
    tags: [],
    createdAt: new Date().toISOString(),
    capabilities: WEB_PHONE,
    ...over,
  };
}

export function stubMe(): Me {
  return {
    user: { id: newId("user"), email: "ada@example.org", name: "Ada Okafor" },
    team: { id: newId("team"), name: "Ada Okafor", role: "owner" },
    session: {
      id: newId("session"),
      scopes: ["phones:view", "phones:control", "account", "team", "privacy"],
      expiresAt: new Date(Date.now() + 14 * 86_400_000).toISOString(),
      provenUntil: new Date(Date.now() + 600_000).toISOString(),
    },
    limits: { phones: 10, running: 4 },
  };
}

export const stubRouter = t.router({
  account: t.router({
    exchange: open.input(exchangeInput).mutation(({ ctx }): Exchanged => {
      const token = `cp_stub_${crypto.randomUUID()}`;
      ctx.state.tokens.add(token);
      return { token, expiresAt: new Date(Date.now() + 14 * 86_400_000).toISOString(), me: stubMe() };
    }),
    me: signedIn.query(() => stubMe()),
    signOut: signedIn.mutation(({ ctx }) => {
      if (ctx.token !== undefined) ctx.state.tokens.delete(ctx.token);
      return {};
    }),
  }),
  sessions: t.router({
    list: signedIn.query((): SessionView[] => [
      {
        id: newId("session"),
        kind: "extension",
        method: "password",
        current: true,
        browser: "Chromium 156",
        system: "Linux",
        createdAt: new Date().toISOString(),
        lastSeenAt: new Date().toISOString(),
        expiresAt: new Date(Date.now() + 14 * 86_400_000).toISOString(),
      },
    ]),
    revoke: signedIn.input(z.strictObject({ sessionId })).mutation(() => ({})),
    uninstallLink: signedIn.query(() => ({ url: "http://stub/uninstalled?token=stub" })),
    revokeOthers: signedIn.mutation(() => ({ revoked: 1 })),
  }),
  teams: t.router({
    list: signedIn.query(() => {
      const { team } = stubMe();
      return [team];
    }),
  }),
  phones: t.router({
    list: signedIn.query(async ({ ctx }): Promise<Phone[]> => {
      const phones = [...ctx.state.phones.values()];
      await ctx.state.holdLists;
      return phones;
    }),
    get: signedIn.input(phoneRef).query(({ ctx, input }) => one(ctx.state, input.phoneId)),
    launch: signedIn.input(launchInput).mutation(({ ctx, input }): Phone => {
      const before = ctx.state.launches.get(input.idempotencyKey);
      if (before !== undefined) return before;
      if (ctx.state.phones.size >= ctx.state.limitPhones) {
        throw refusal("limit_reached", `Your team has ${ctx.state.limitPhones} phones, its limit. Remove one first.`);
      }
      const { profile, name } = input;
      const phone = stubPhone({ ...(profile !== undefined && { profile }), ...(name !== undefined && { name }) });
      if (input.url !== undefined) ctx.state.opened.push({ phoneId: phone.id, url: input.url });
      const launched = start(ctx.state, save(ctx.state, phone));
      ctx.state.launches.set(input.idempotencyKey, launched);
      return launched;
    }),
    start: signedIn.input(startInput).mutation(({ ctx, input }) => start(ctx.state, one(ctx.state, input.phoneId))),
    park: signedIn.input(phoneRef).mutation(({ ctx, input }): Phone => {
      const { startedAt: _, ...phone } = one(ctx.state, input.phoneId);
      return save(ctx.state, { ...phone, state: "parked", reason: "asked" });
    }),
    remove: signedIn.input(removeInput).mutation(({ ctx, input }): { receipt: WipeReceipt } => {
      ctx.state.phones.delete(input.phoneId);
      publish(ctx.state, { type: "removed", phoneId: input.phoneId });
      const wipedAt = new Date().toISOString();
      return { receipt: { phoneId: input.phoneId, files: 12, bytes: 4096, verifiedAbsent: true, wipedAt } };
    }),
    openUrl: signedIn.input(openUrlInput).mutation(({ ctx, input }) => {
      const phone = one(ctx.state, input.phoneId);
      ctx.state.opened.push({ phoneId: input.phoneId, url: input.url });
      return phone.state === "running" ? phone : start(ctx.state, phone);
    }),
    rename: signedIn
      .input(renameInput)
      .mutation(({ ctx, input }) => save(ctx.state, { ...one(ctx.state, input.phoneId), name: input.name })),
    configure: signedIn
      .input(settingsInput)
      .mutation(({ ctx, input }) => save(ctx.state, { ...one(ctx.state, input.phoneId), settings: input.settings })),
    rotate: signedIn.input(phoneRef).mutation(({ ctx, input }) => {
      const phone = one(ctx.state, input.phoneId);
      return save(ctx.state, { ...phone, rotated: !phone.rotated, width: phone.height, height: phone.width });
    }),
    keepAwake: signedIn.input(phoneRef).mutation(({ ctx, input }) => one(ctx.state, input.phoneId)),
    screenshot: signedIn.input(phoneRef).mutation(
      (): Screenshot => ({
        mimeType: "image/png",
        base64: "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
        width: 1,
        height: 1,
      }),
    ),
    installWebApp: signedIn.input(installWebAppInput).mutation(() => ({ name: "Stub app" })),
    files: signedIn
      .input(phoneRef)
      .query((): PhoneFile[] => [{ name: "receipt.pdf", bytes: 48_213, savedAt: new Date().toISOString() }]),
    removeFile: signedIn.input(z.strictObject({ phoneId, name: z.string() })).mutation(() => ({})),
    events: signedIn
      .input(z.strictObject({ lastEventId: z.string().optional() }).optional())
      .subscription(async function* ({ ctx, input, signal }) {
        let seen = Number(input?.lastEventId ?? ctx.state.events.length);
        while (signal?.aborted !== true) {
          const next = ctx.state.events.find(({ id }) => id > seen);
          if (next !== undefined) {
            seen = next.id;
            yield tracked(String(next.id), next.event);
            continue;
          }
          await new Promise<void>((resolve) => {
            const wake = () => {
              ctx.state.listeners.delete(wake);
              resolve();
            };
            ctx.state.listeners.add(wake);
            signal?.addEventListener("abort", wake, { once: true });
          });
        }
      }),
  }),
  screen: t.router({
    ticket: signedIn.input(z.strictObject({ phoneId, mode: z.enum(["control", "view"]) })).mutation(() => ({
      url: "ws://localhost:1/screen",
      protocol: "perch.screen.v1",
      ticket: "stub",
      expiresAt: new Date(Date.now() + 30_000).toISOString(),
    })),
  }),
  billing: t.router({
    burn: signedIn.query(({ ctx }) => {
      if (ctx.state.burn === undefined) throw refusal("internal", "Something went wrong.");
      return ctx.state.burn;
    }),
    previewStart: signedIn.query(({ ctx }) => ctx.state.preview),
  }),
  privacy: t.router({
    overview: signedIn.query(
      ({ ctx }): PrivacyOverview => ({
        categories: [
          {
            category: "user.contact.email",
            label: "E-mail address",
            purpose: "To sign you in and to write to you about your account.",
            items: 1,
            oldestAt: new Date().toISOString(),
            leaves: "When you delete your account.",
            place: "On this server.",
            clauses: ["P1.2"],
            rectify: "support",
          },
        ],
        processors: [],
        policy: { version: 1, effectiveAt: "2026-01-01", url: "/privacy" },
        preferences: { restricted: false, metrics: true },
        incidents: [],
        staffLooks: 0,
        openRequests: 0,
        supportUrl: "/support",
        trustUrl: "/trust",
        ...ctx.state.privacy,
      }),
    ),
  }),
});

export type StubRouter = typeof stubRouter;
