/** Settings of what people meet: mail, bills, support, what happens to their data. */
import { z } from "zod";
import { address, origin } from "./kinds.ts";

/** As what an operator looks at or changes what is somebody's. */
export const OPERATOR_ROLES = ["operator", "support", "privacy", "security", "owner"] as const;

export const PEOPLE_VARIABLES = {
  SUPABASE_URL: {
    schema: origin.optional(),
    about: "Sign-in through a Supabase project: its address, https://….supabase.co. See docs/supabase.md.",
  },
  SUPABASE_SERVICE_ROLE_KEY: {
    secret: true,
    schema: z
      .string()
      .regex(
        /^(sb_secret_\w{8,}|[\w-]+\.[\w-]+\.[\w-]+)$/,
        "Write the project's secret key, sb_secret_…, or its service_role key.",
      )
      .optional(),
    about: "Secret key of the project of SUPABASE_URL: sb_secret_…, or the older service_role key.",
  },
  SUPABASE_ANON_KEY: {
    secret: true,
    schema: z
      .string()
      .regex(
        /^(sb_publishable_\w{8,}|[\w-]+\.[\w-]+\.[\w-]+)$/,
        "Write the project's publishable key, sb_publishable_…, or its anon key.",
      )
      .optional(),
    about: "Publishable key of the project of SUPABASE_URL: sb_publishable_…, or the older anon key.",
  },
  SMTP_URL: {
    secret: true,
    schema: address(/^smtps?$/, "smtps://user:password@host").optional(),
    about: "Mail server, smtps://user:password@host. Without it mail is shown at /mail on this machine.",
  },
  MAIL_FROM: { schema: z.string().default("Perch <no-reply@localhost>"), about: "Sender of mail." },
  BILLING: {
    schema: z.enum(["auto", "sandbox", "off"], { error: "Write auto, sandbox or off." }).default("auto"),
    about:
      "auto: Stripe where STRIPE_SECRET_KEY is set, else a sandbox without money on this machine and off in public. Or sandbox, off.",
  },
  STRIPE_SECRET_KEY: {
    secret: true,
    schema: z
      .string()
      .regex(
        /^(sk|rk)_(test|live)_\w{8,}$/,
        "Write a secret or restricted key of Stripe: sk_test_…, sk_live_…, rk_test_… or rk_live_….",
      )
      .optional(),
    about: "Stripe's secret key, better a restricted one: sk_… or rk_….",
  },
  STRIPE_WEBHOOK_SECRET: {
    secret: true,
    schema: z
      .string()
      .default("")
      .transform((list) => list.split(",").map((one) => one.trim()))
      .transform((list) => list.filter(Boolean))
      .refine((list) => list.every((one) => /^whsec_\S{8,}$/.test(one)), "Write whsec_…, several with commas between."),
    about: "Signing secret of the webhook at PUBLIC_URL/webhooks/stripe; while it is changed, both, with a comma.",
  },
  STRIPE_API_BASE: {
    schema: origin.optional(),
    about: "Another address for Stripe's API, as for tests. Default: https://api.stripe.com.",
  },
  STRIPE_TAX: {
    schema: z.enum(["on", "off"], { error: "Write on or off." }).default("off"),
    about: "on: Stripe Tax works out taxes and asks for tax ids. Needs registrations in Stripe.",
  },
  STRIPE_METER: {
    schema: z
      .string()
      .regex(/^[\w.-]{1,100}$/, "Write the event name of a meter: letters, digits, dots, hyphens.")
      .optional(),
    about: "Event name of a Stripe meter that gets each team's minutes by the hour, for reports alone.",
  },
  REGION: {
    schema: z
      .string()
      .regex(/^[\w-]{1,20}$/, "Use up to 20 letters, digits and hyphens.")
      .default("local"),
    about: "Where this server stands, as anonymised counts name it: eu-central, say.",
  },
  INACTIVE_MONTHS: {
    schema: z.coerce.number().int().min(0).max(120).default(24),
    about: "An account nobody signs in to for this long is deleted, after three notices. 0: never.",
  },
  SUPPORT_EMAIL: {
    schema: z.email({ error: "Write an e-mail address." }).optional(),
    about: "Support address shown beside the support form; alarms about incidents go there too.",
  },
  OPERATOR_ROLE: {
    schema: z
      .enum(OPERATOR_ROLES, {
        error: "Write operator, support, privacy, security or owner.",
      })
      .default("operator"),
    about: "As what admin commands are run, shown to whose data they read; --role says it for one command.",
  },
  OPERATORS: {
    schema: z
      .string()
      .default("")
      .transform((list) =>
        list
          .split(",")
          .map((one) => one.trim().toLowerCase())
          .filter(Boolean),
      )
      .refine((list) => list.every((one) => /^[^\s@]+@[^\s@]+$/.test(one)), "Write addresses with commas between."),
    about: "Addresses of accounts that may use /operator, with a second factor: ada@example.org,ben@example.org.",
  },
  PROCESSORS_FILE: {
    schema: z.string().min(1).optional(),
    about: "JSON with region, agreement and retention of who processes data for you; see docs/privacy/processors.md.",
  },
} as const;
