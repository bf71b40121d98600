/**
 * What each mail says. Plain text is the truth; the HTML says the same with a button. Nothing is loaded from anywhere,
 * nothing is tracked, links are whole, and there is no kind that advertises (policy clause P2.3).
 */
import type { MailKind } from "./mail.tables.ts";

/** The values a kind needs. A value that is missing makes rendering fail, which a test tries for every kind. */
export interface MailData {
  /** Nothing the one who signed up wrote: this mail goes to an address nobody has confirmed. */
  readonly confirm: { readonly link: string };
  readonly already_registered: { readonly signInLink: string; readonly resetLink: string };
  readonly reset: { readonly link: string };
  readonly new_sign_in: {
    readonly browser: string;
    readonly system: string;
    readonly at: string;
    readonly ip: string;
    readonly resetLink: string;
  };
  readonly password_changed: { readonly at: string; readonly supportLink: string };
  readonly support_received: { readonly dueAt: string };
}

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

interface Letter {
  readonly subject: string;
  /** Paragraphs before the button. */
  readonly before: readonly string[];
  readonly action?: { readonly label: string; readonly link: string };
  readonly after: readonly string[];
}

const LETTERS: { readonly [K in MailKind]: (data: MailData[K]) => Letter } = {
  confirm: ({ link }) => ({
    subject: "Confirm your Perch account",
    before: [
      "Hello,",
      "one step is left: confirm that this is your address. You will type the password you chose once more.",
    ],
    action: { label: "Confirm address", link },
    after: [
      "The link works once and for 24 hours.",
      "If you did not sign up, ignore this mail. Without the password nobody can finish, and the sign-up is gone after a day.",
    ],
  }),
  already_registered: ({ signInLink, resetLink }) => ({
    subject: "You already have a Perch account",
    before: [
      "Somebody, probably you, tried to sign up with this address. It has an account already, so nothing was changed.",
    ],
    action: { label: "Sign in", link: signInLink },
    after: [`If you forgot the password, set a new one: ${resetLink}`, "If it was not you, there is nothing to do."],
  }),
  reset: ({ link }) => ({
    subject: "Set a new Perch password",
    before: ["You asked for a new password. Setting it signs you out everywhere."],
    action: { label: "Set a new password", link },
    after: [
      "The link works once and for 30 minutes.",
      "If you did not ask for it, ignore this mail; your password stays as it is.",
    ],
  }),
  new_sign_in: ({ browser, system, at, ip, resetLink }) => ({
    subject: "New sign-in to Perch",
    before: [
      "Somebody signed in to your account from a browser we have not seen before.",
      `${browser} on ${system}, ${at}, from ${ip}.`,
      "If that was you, there is nothing to do.",
    ],
    action: { label: "It was not me: set a new password", link: resetLink },
    after: ["Setting a new password signs everybody out."],
  }),
  password_changed: ({ at, supportLink }) => ({
    subject: "Your Perch password was changed",
    before: [`The password of your account was changed (${at}), and every session was signed out.`],
    action: { label: "It was not me: write to us", link: supportLink },
    after: [],
  }),
  support_received: ({ dueAt }) => ({
    subject: "We have your message",
    before: ["Thank you for writing. A person reads your message.", `You have our answer by ${dueAt} at the latest.`],
    after: [],
  }),
};

/** Renders a mail. Throws when a value the template needs is missing. */
export function renderMail<K extends MailKind>(kind: K, data: MailData[K]): RenderedMail {
  const letter = LETTERS[kind](data);
  const paragraphs = [...letter.before, ...letter.after];
  if (
    [letter.subject, letter.action?.link ?? "", ...paragraphs].some(
      (text) => text === undefined || /\bundefined\b/.test(text),
    )
  ) {
    throw new Error(`A mail of kind ${kind} lacks a value.`);
  }
  const text = [
    ...letter.before,
    ...(letter.action ? [`${letter.action.label}:\n${letter.action.link}`] : []),
    ...letter.after,
    "Perch",
  ].join("\n\n");
  const paragraph = (content: string) => `<p style="margin:0 0 16px">${escapeHtml(content)}</p>`;
  const action = letter.action
    ? `<p style="margin:0 0 16px"><a href="${escapeHtml(letter.action.link)}" style="display:inline-block;padding:10px 16px;border-radius:6px;background:#0b7285;color:#ffffff;text-decoration:none">${escapeHtml(letter.action.label)}</a></p><p style="margin:0 0 16px;font-size:13px;word-break:break-all">${escapeHtml(letter.action.link)}</p>`
    : "";
  const html = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(letter.subject)}</title></head><body style="margin:0;padding:24px;font:15px/1.5 system-ui,sans-serif;color:#1c2526;background:#ffffff">${letter.before.map(paragraph).join("")}${action}${letter.after.map(paragraph).join("")}<p style="margin:0">Perch</p></body></html>`;
  return { subject: letter.subject, text, html };
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
