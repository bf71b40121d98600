/** A letter as HTML, in an order that reads well also where a mail program strips all styles. */
import { Body } from "@react-email/body";
import { Button } from "@react-email/button";
import { Container } from "@react-email/container";
import { Head } from "@react-email/head";
import { Heading } from "@react-email/heading";
import { Hr } from "@react-email/hr";
import { Html } from "@react-email/html";
import { Link } from "@react-email/link";
import { Preview } from "@react-email/preview";
import { Section } from "@react-email/section";
import { Text } from "@react-email/text";
import { createElement as h, type ReactNode } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { FONT, LIGHT, STYLES } from "./mail.look.ts";
import { asText, type Letter, type Paragraph } from "./mail.templates.ts";

const PARAGRAPH = { margin: "0 0 16px", fontSize: "15px", lineHeight: "23px", color: LIGHT.text };
const SMALL = { margin: "0 0 16px", fontSize: "13px", lineHeight: "20px", color: LIGHT.quiet };
const WHOLE_LINK = { color: LIGHT.link, textDecoration: "underline", wordBreak: "break-all" as const };

/** The HTML document of a letter. */
export function letterHtml(letter: Letter): string {
  const document = h(
    Html,
    { lang: "en", dir: "ltr" },
    h(
      Head,
      null,
      h("meta", { name: "viewport", content: "width=device-width, initial-scale=1" }),
      h("meta", { name: "color-scheme", content: "light dark" }),
      h("meta", { name: "supported-color-schemes", content: "light dark" }),
      h("title", null, letter.subject),
      h("style", null, STYLES),
    ),
    h(
      Body,
      // No colour here: the component copies the style to a cell that no class reaches, so dark could not win there.
      { className: "surface", style: { margin: 0, padding: 0, fontFamily: FONT } },
      h(Preview, null, previewOf(letter)),
      h(Section, { className: "surface", style: { backgroundColor: LIGHT.surface } }, content(letter)),
    ),
  );
  return `<!doctype html>${renderToStaticMarkup(document)}`;
}

function content({ subject, before, action, after }: Letter): ReactNode {
  return h(
    Container,
    { className: "edge", style: { width: "100%", maxWidth: "560px", margin: "0 auto", padding: "32px 16px" } },
    h(
      Text,
      { className: "text", style: { ...PARAGRAPH, padding: "0 4px", fontSize: "17px", fontWeight: 620 } },
      "Perch",
    ),
    h(
      Section,
      {
        className: "card",
        style: {
          backgroundColor: LIGHT.raised,
          border: `1px solid ${LIGHT.line}`,
          borderRadius: "10px",
          padding: "28px",
        },
      },
      h(
        Heading,
        {
          as: "h1",
          className: "text",
          style: { margin: "0 0 16px", fontSize: "20px", lineHeight: "27px", fontWeight: 620, color: LIGHT.text },
        },
        subject,
      ),
      before.map(paragraph),
      action && [button(action), wholeLink(action.link)],
      after.map(paragraph),
      h(Hr, { className: "line", style: { margin: "8px 0 16px", borderColor: LIGHT.line } }),
      h(
        Text,
        { className: "quiet", style: { ...SMALL, margin: 0 } },
        "Sent by Perch. This mail loads nothing and tracks nothing.",
      ),
    ),
  );
}

/** What a list of mails shows after the subject. */
function previewOf({ before }: Letter): string {
  return (
    before
      .map(asText)
      .find((text) => text.length > 20)
      ?.slice(0, 140) ?? ""
  );
}

function paragraph(part: Paragraph, index: number): ReactNode {
  const content =
    typeof part === "string" ? part : [part.text, h("br", { key: "br" }), h(Link, linkProps(part.link), part.link)];
  return h(Text, { key: index, className: "text", style: PARAGRAPH }, content);
}

function button({ label, link }: NonNullable<Letter["action"]>): ReactNode {
  return h(
    Section,
    { key: "action", style: { margin: "8px 0 12px" } },
    h(
      Button,
      {
        href: link,
        className: "action",
        style: {
          backgroundColor: LIGHT.accent,
          color: LIGHT.onAccent,
          borderRadius: "6px",
          padding: "13px 20px",
          fontSize: "15px",
          fontWeight: 560,
        },
      },
      label,
    ),
  );
}

function wholeLink(link: string): ReactNode {
  return h(
    Text,
    { key: "link", className: "quiet", style: SMALL },
    "Or open this address:",
    h("br", { key: "br" }),
    h(Link, linkProps(link), link),
  );
}

function linkProps(link: string) {
  return { key: link, href: link, className: "link", style: WHOLE_LINK };
}
