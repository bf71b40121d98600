/** The colours of a letter, light and dark. */

/** The tokens of `http/pages/stylesheet.ts` as mail programs know colours. */
export const LIGHT = {
  surface: "#f2f5f6",
  raised: "#ffffff",
  text: "#192329",
  quiet: "#4e5a62",
  line: "#dbe1e3",
  accent: "#007590",
  onAccent: "#ffffff",
  link: "#006986",
} as const;
const DARK: { readonly [Name in keyof typeof LIGHT]: string } = {
  surface: "#0b1013",
  raised: "#141b1e",
  text: "#eaeff1",
  quiet: "#a5b0b5",
  line: "#2c363a",
  accent: "#5ec8e4",
  onAccent: "#04161f",
  link: "#75d4eb",
};
export const FONT = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif';

const DARK_QUERY = "@media (prefers-color-scheme: dark)";
/** Light stands in the elements themselves; dark has to win over that. */
export const STYLES = `
.surface { background-color: ${LIGHT.surface}; }
${DARK_QUERY} {
  .surface { background-color: ${DARK.surface} !important; }
  .card { background-color: ${DARK.raised} !important; border-color: ${DARK.line} !important; }
  .text { color: ${DARK.text} !important; }
  .quiet { color: ${DARK.quiet} !important; }
  .line { border-color: ${DARK.line} !important; }
  .action { background-color: ${DARK.accent} !important; color: ${DARK.onAccent} !important; }
  .link { color: ${DARK.link} !important; }
}
@media (max-width: 480px) {
  .edge { padding: 16px 8px !important; }
  .card { padding: 20px 16px !important; }
  .action { display: block !important; text-align: center !important; }
}
`;

/** The letter as in a light or a dark mail program, whatever the browser that shows it is set to. */
export function inScheme(letter: string, scheme: "light" | "dark"): string {
  return letter
    .replace(DARK_QUERY, scheme === "dark" ? "@media all" : "@media not all")
    .replace('content="light dark"', `content="${scheme}"`);
}
