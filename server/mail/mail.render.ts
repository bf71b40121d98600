/**
 * A letter as text and as HTML that say the same. Nothing is loaded from anywhere, nothing is tracked, and every link
 * stands there whole, so that a person sees where it leads.
 */
import type { MailKind } from "./mail.tables.ts";
import { asText, type Letter, letterOf, type MailData } from "./mail.templates.ts";

export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

/** Throws when a value the letter needs is missing. */
export async function renderMail<K extends MailKind>(kind: K, data: MailData[K]): Promise<RenderedMail> {
  const letter = letterOf(kind, data);
  // The mail components and React are read when the first mail is made: a server starts without them.
  const { letterHtml } = await import("./mail.html.ts");
  return { subject: letter.subject, text: letterText(letter), html: letterHtml(letter) };
}

function letterText({ before, action, after }: Letter): string {
  return [
    ...before.map(asText),
    ...(action ? [`${action.label}:\n${action.link}`] : []),
    ...after.map(asText),
    "Perch",
  ].join("\n\n");
}
