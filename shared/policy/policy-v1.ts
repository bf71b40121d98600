/**
 * What Perch promises about personal data, version 1: one clause, one commitment, one id. Everything published is
 * kept; a change is a new file with a new version, never an edit (a test pins the text).
 */
export interface PolicyClause {
  /** `P<section>.<number>`, cited by the privacy tags of every stored column. */
  readonly id: string;
  readonly section: string;
  readonly text: string;
}

export interface Policy {
  readonly version: number;
  /** The calendar day the version took effect (ISO 8601 date); shown as "last updated". */
  readonly effectiveAt: string;
  readonly clauses: readonly PolicyClause[];
}

const SECTIONS = {
  P0: "About this policy",
  P1: "What we collect",
  P2: "What we use it for",
  P3: "Who works for us",
  P4: "How long we keep it",
  P5: "Your rights",
  P6: "Cookies",
  P7: "Security",
  P8: "Changes",
  P9: "Contact",
} as const;

function section(key: keyof typeof SECTIONS, texts: Readonly<Record<string, string>>): PolicyClause[] {
  return Object.entries(texts).map(([id, text]) => ({ id, section: SECTIONS[key], text }));
}

export const POLICY: Policy = {
  version: 1,
  effectiveAt: "2026-04-19",
  clauses: [
    ...section("P0", { "P0.1": "This policy was last updated on 19 April 2026." }),
    ...section("P1", {
      "P1.1": "We collect the least we need to run the service, and nothing besides what is listed here.",
      "P1.2": "Your account: your e-mail address, your full name if you give one, and your password as a hash.",
      "P1.3": "Billing: Stripe handles payments. We never store your card number.",
      "P1.4":
        "How you use the product: the cloud phones you create, how long they run, your automation tasks, and what happens in your team.",
      "P1.5":
        "For security audits: the IP address of your browser session, your browser's user agent, and your device's time zone.",
    }),
    ...section("P2", {
      "P2.0": "We use your data for the purposes below and for nothing else.",
      "P2.1": "To sign you in and keep your session secure.",
      "P2.2": "To provide, run and bill cloud phones and what you add to them.",
      "P2.3": "To send mail the service needs: invitations, receipts and security alerts.",
      "P2.4": "To find fraud and abuse of the platform.",
      "P2.5": "To make the product more reliable, with numbers that are added up and anonymised.",
      "P2.6": "We do not sell your data, rent it out, or share it with advertisers.",
    }),
    ...section("P3", {
      "P3.1": "A short list of infrastructure providers processes data for us, each under a data processing agreement.",
      "P3.2": "Supabase: sign-in, database and file storage.",
      "P3.3": "Stripe: payments and billing.",
      "P3.4": "Our cloud phone infrastructure partner: providing the devices.",
      "P3.5": "A provider of transactional e-mail: messages about your account.",
      "P3.6": "Every one of them is bound by contract to keep your data confidential.",
    }),
    ...section("P4", {
      "P4.1": "We keep the data of your account for as long as the account is active.",
      "P4.2": "When you delete your account, your personal data is purged within 30 days.",
      "P4.3": "The exception is what the law makes us keep: billing records, for up to 7 years.",
      "P4.4": "Activity logs are anonymised once they are older than 90 days.",
    }),
    ...section("P5", {
      "P5.1": "You can ask for access to the personal data we hold about you.",
      "P5.2": "You can have it corrected.",
      "P5.3": "You can have it deleted.",
      "P5.4": "You can have it exported.",
      "P5.5": "You can do so at any time, through the support channel linked on the home page.",
      "P5.6": "We answer within 30 days.",
    }),
    ...section("P6", {
      "P6.1": "We use the cookies that are essential to keep you signed in.",
      "P6.2": "We use essential cookies to remember how you set up the interface.",
      "P6.3": "We use no advertising cookies and no cookies that track you across sites.",
    }),
    ...section("P7", {
      "P7.1": "Your data is encrypted on its way, with TLS 1.3.",
      "P7.2": "Your data is encrypted where it is stored.",
      "P7.3": "Passwords are hashed with modern algorithms.",
      "P7.4": "Access to production databases is restricted.",
      "P7.5": "Access to production databases is audited.",
      "P7.6": "If a breach affects your personal data, we tell you within 72 hours.",
    }),
    ...section("P8", {
      "P8.1": "We may change this policy.",
      "P8.2":
        "We announce material changes by e-mail, by a notice in the dashboard, or both, at least 14 days before they take effect.",
    }),
    ...section("P9", { "P9.1": "For anything about privacy, reach us through the contact link on our home page." }),
  ],
};
