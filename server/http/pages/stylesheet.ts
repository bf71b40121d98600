/** The one stylesheet and the mark of the server's own pages: the product's tokens, light and dark, no scripts, nothing from elsewhere. */
import { createHash } from "node:crypto";

export const STYLESHEET = `
:root {
  color-scheme: light dark;
  --surface: light-dark(oklch(0.968 0.004 225), oklch(0.17 0.011 230));
  --raised: light-dark(oklch(1 0 0), oklch(0.215 0.012 230));
  --text: light-dark(oklch(0.25 0.018 235), oklch(0.95 0.006 225));
  --text-2: light-dark(oklch(0.46 0.02 235), oklch(0.75 0.014 228));
  --line: light-dark(oklch(0.905 0.007 225), oklch(0.325 0.015 230));
  --line-control: light-dark(oklch(0.64 0.015 230), oklch(0.58 0.018 230));
  --accent: light-dark(oklch(0.52 0.1 220), oklch(0.78 0.105 218));
  --accent-hover: light-dark(oklch(0.47 0.095 220), oklch(0.83 0.095 218));
  --on-accent: light-dark(oklch(1 0 0), oklch(0.19 0.03 230));
  --accent-text: light-dark(oklch(0.48 0.1 222), oklch(0.82 0.095 215));
  --accent-soft: light-dark(oklch(0.955 0.02 215), oklch(0.29 0.035 222));
  --bad: light-dark(oklch(0.55 0.19 27), oklch(0.72 0.16 25));
  --bad-text: light-dark(oklch(0.49 0.18 27), oklch(0.79 0.12 22));
  --bad-soft: light-dark(oklch(0.965 0.02 22), oklch(0.29 0.05 25));
  --on-bad: light-dark(oklch(1 0 0), oklch(0.2 0.04 25));
  --ok: light-dark(oklch(0.56 0.14 152), oklch(0.78 0.16 152));
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
html { background: var(--surface); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; -webkit-text-size-adjust: 100%; }
body { margin: 0; min-height: 100vh; min-height: 100dvh; display: flex; flex-direction: column; overflow-wrap: anywhere; }
h1, h2, h3, p, ul, ol, dl, dd, pre { margin: 0; padding: 0; }
h1 { font-size: 24px; line-height: 1.25; font-weight: 620; letter-spacing: -0.01em; }
h2 { font-size: 17px; line-height: 1.3; font-weight: 600; }
h3 { font-size: 15px; font-weight: 600; }
a { color: var(--accent-text); text-underline-offset: 2px; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.bar, main, .foot { width: 100%; max-width: 760px; margin: 0 auto; padding: 0 16px; }
.bar { display: flex; flex-wrap: wrap; align-items: center; gap: 4px 20px; padding-block: 16px; }
.bar > a { display: inline-flex; align-items: center; min-height: 32px; }
.brand { gap: 10px; margin-right: auto; color: var(--text); font-weight: 620; font-size: 17px; text-decoration: none; }
.brand svg { width: 28px; height: 28px; }
.bar nav, .foot { color: var(--text-2); font-size: 14px; }
.bar nav { display: flex; flex-wrap: wrap; gap: 4px 16px; align-items: center; }
.bar nav a, .foot a { color: inherit; display: inline-flex; align-items: center; min-height: 32px; text-decoration: none; }
.bar nav a:hover, .foot a:hover, .bar nav a[aria-current] { color: var(--text); text-decoration: underline; }
main { flex: 1; padding-block: 16px 48px; display: grid; gap: 24px; align-content: start; }
main.narrow { max-width: 440px; }
.foot { display: flex; flex-wrap: wrap; gap: 4px 20px; padding-block: 16px 24px; border-top: 1px solid var(--line); }
.card { background: var(--raised); border: 1px solid var(--line); border-radius: 10px; padding: 24px; display: grid; gap: 16px; align-content: start; }
.lead { font-size: 17px; color: var(--text-2); max-width: 56ch; }
.secondary { color: var(--text-2); font-size: 14px; }
.stack { display: grid; gap: 8px; }
form { display: grid; gap: 16px; }
.field { display: grid; gap: 4px; }
form:not(:has(option[value="privacy"]:checked)) .of-privacy { display: none; }
.field label, legend { font-weight: 560; font-size: 14px; }
.hint { color: var(--text-2); font-size: 13px; }
.wrong { color: var(--bad-text); font-size: 13px; }
input, select, textarea { font: inherit; color: inherit; width: 100%; min-height: 44px; padding: 9px 12px; background: var(--raised); border: 1px solid var(--line-control); border-radius: 6px; }
textarea { min-height: 132px; resize: vertical; }
fieldset { border: 0; margin: 0; padding: 0; min-width: 0; display: grid; gap: 8px; }
legend { padding: 0 0 4px; }
.choice { display: flex; align-items: center; gap: 12px; min-height: 44px; padding: 8px 12px; border: 1px solid var(--line-control); border-radius: 6px; cursor: pointer; }
.choice > span:nth-child(2) { flex: 1; min-width: 0; }
.choice input { width: 18px; height: 18px; min-height: 0; margin: 0; flex: none; accent-color: var(--accent); }
.choice:has(:checked) { border-color: var(--accent); background: var(--accent-soft); }
[aria-invalid="true"] { border-color: var(--bad); }
.row { display: flex; flex-wrap: wrap; gap: 8px 16px; align-items: center; }
button, .button { font: inherit; font-weight: 560; min-height: 44px; padding: 9px 18px; border-radius: 6px; border: 1px solid transparent; cursor: pointer; display: inline-flex; align-items: center; justify-content: center; text-decoration: none; background: var(--accent); color: var(--on-accent); }
button:hover, .button:hover { background: var(--accent-hover); }
.quiet { background: none; border-color: var(--line-control); color: var(--text); }
.quiet:hover { background: var(--accent-soft); }
main .link { color: var(--accent-text); text-decoration: underline; text-underline-offset: 2px; }
.link { background: none; border: 0; padding: 0; min-height: 32px; color: inherit; font-weight: 400; }
.link:hover { background: none; color: var(--text); text-decoration: underline; }
.bar .link, .foot .link { font-size: 14px; }
.notice { border: 1px solid var(--line); border-left: 3px solid var(--accent); border-radius: 6px; padding: 12px 16px; background: var(--accent-soft); }
.notice.bad { border-left-color: var(--bad); background: var(--bad-soft); }
.told { width: 100%; max-width: 728px; margin: 0 auto; display: flex; gap: 4px 16px; align-items: center; justify-content: space-between; padding: 8px 16px; border: 1px solid var(--line); border-left: 3px solid var(--accent); border-radius: 6px; background: var(--accent-soft); font-size: 14px; }
.told.warning { border-left-color: var(--bad); background: var(--bad-soft); }
.told + .told { margin-top: 8px; }
.told form { flex: none; }
.told .link { font-size: 14px; white-space: nowrap; }
.or { display: flex; align-items: center; gap: 12px; color: var(--text-2); font-size: 13px; }
.or::before, .or::after { content: ""; flex: 1; border-top: 1px solid var(--line); }
.items { list-style: none; display: grid; gap: 12px; }
details > summary { cursor: pointer; min-height: 32px; align-content: center; color: var(--accent-text); }
details > form { padding-top: 8px; }
.danger { background: var(--bad); color: var(--on-bad); }
.danger:hover { background: var(--bad-text); }
ol.steps { list-style: none; counter-reset: step; display: grid; gap: 16px; }
ol.steps > li { counter-increment: step; display: grid; grid-template-columns: 28px 1fr; gap: 4px 12px; }
ol.steps > li::before { content: counter(step); width: 28px; height: 28px; border-radius: 50%; display: grid; place-items: center; font-size: 14px; font-weight: 600; background: var(--accent-soft); color: var(--accent-text); }
ol.steps > li > div { display: grid; gap: 4px; }
ul.plain { padding-left: 20px; display: grid; gap: 4px; }
dl.facts { display: grid; grid-template-columns: max-content 1fr; gap: 4px 16px; }
dl.facts dt { color: var(--text-2); }
code, pre { font: 13px/1.5 ui-monospace, "SF Mono", "Cascadia Mono", "DejaVu Sans Mono", monospace; }
code { background: var(--accent-soft); border-radius: 4px; padding: 1px 5px; }
pre { white-space: pre-wrap; }
pre.letter { font: inherit; }
.clauses { display: grid; gap: 12px; list-style: none; }
.clauses li { display: grid; grid-template-columns: 52px 1fr; gap: 12px; }
.clauses li:target { background: var(--accent-soft); outline: 6px solid var(--accent-soft); }
.clauses a { color: var(--text-2); font-size: 13px; text-decoration: none; font-variant-numeric: tabular-nums; padding-top: 2px; }
.clauses a:hover { text-decoration: underline; }
.promises { display: grid; gap: 20px; list-style: none; }
.promises > li { display: grid; gap: 6px; }
.promises > li + li { border-top: 1px solid var(--line); padding-top: 16px; }
.promises > li:target { background: var(--accent-soft); outline: 6px solid var(--accent-soft); }
.promises .row > a { color: var(--text-2); font-size: 13px; font-variant-numeric: tabular-nums; min-width: 40px; }
.found { font-size: 14px; }
.tally { display: flex; flex-wrap: wrap; gap: 8px 20px; list-style: none; font-variant-numeric: tabular-nums; }
.mark { display: inline-flex; align-items: center; gap: 6px; font-size: 13px; font-weight: 560; white-space: nowrap; }
.mark::before { content: ""; width: 9px; height: 9px; border-radius: 50%; background: var(--line-control); flex: none; }
.mark.kept::before { background: var(--ok); }
.mark.broken { color: var(--bad-text); }
.mark.broken::before { background: var(--bad); border-radius: 2px; }
.mark.attested::before { background: none; border: 2px solid var(--accent); }
.mark.unknown { color: var(--text-2); }
.rows { display: grid; gap: 0; list-style: none; }
.rows li { display: flex; flex-wrap: wrap; gap: 2px 16px; align-items: baseline; padding-block: 10px; border-top: 1px solid var(--line); }
.rows li:first-child { border-top: 0; padding-top: 0; }
.rows li > :first-child { flex: 1 1 180px; min-width: 0; }
.rows li > .secondary { flex-basis: 100%; }
.rows li > details { flex-basis: 100%; }
.wide .bar, .wide main, .wide .foot { max-width: 1152px; }
.wide .card { padding: 20px; gap: 12px; }
.board { columns: 2 420px; column-gap: 16px; }
.board > .card { break-inside: avoid; margin-bottom: 16px; }
.pair { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 480px), 1fr)); gap: 16px; align-items: start; }
.pair > div { display: grid; gap: 16px; }
.wide .rows li { padding-block: 8px; font-variant-numeric: tabular-nums; }
.wide .rows li:last-child { padding-bottom: 0; }
.wide .lead { max-width: none; font-size: 15px; }
.rows.two { display: block; columns: 2 420px; column-gap: 32px; }
.rows.two li { break-inside: avoid; }
.rows.two li:first-child, .rows.two li:last-child { padding-block: 8px; }
.needs { display: flex; flex-wrap: wrap; gap: 8px; list-style: none; }
.needs a { display: flex; flex-wrap: wrap; gap: 0 8px; min-height: 44px; align-items: center; padding: 8px 14px; border: 1px solid var(--bad); border-radius: 6px; background: var(--bad-soft); color: var(--text); text-decoration: none; }
.needs a:hover strong { text-decoration: underline; }
.rows li > .tags { display: flex; flex-wrap: wrap; gap: 4px 8px; justify-content: flex-end; }
.rows li > .acts { flex-basis: 100%; display: grid; }
textarea.short { min-height: 76px; }
.tabs { display: flex; flex-wrap: wrap; gap: 4px 16px; font-size: 14px; border-bottom: 1px solid var(--line); padding-bottom: 8px; }
.tabs a { display: inline-flex; align-items: center; min-height: 32px; color: var(--text-2); text-decoration: none; }
.tabs a:hover, .tabs a[aria-current] { color: var(--text); text-decoration: underline; }
.tabs a[aria-current] { font-weight: 560; }
.tabs .count { margin-left: 6px; }
.tag { display: inline-block; padding: 1px 8px; border: 1px solid var(--line-control); border-radius: 10px; font-size: 13px; }
.tag.bad { color: var(--bad-text); border-color: var(--bad); background: var(--bad-soft); }
.tag.ok { border-color: var(--ok); }
ins { background: var(--accent-soft); text-decoration: underline; text-underline-offset: 2px; }
del { color: var(--bad-text); background: var(--bad-soft); }
.hero { display: grid; grid-template-columns: 1fr auto; gap: 24px; align-items: center; padding-block: 8px; }
.hero > div { display: grid; gap: 16px; }
.hero svg { width: 148px; height: auto; }
@media (max-width: 760px) { .told { width: calc(100% - 32px); } }
@media (max-width: 560px) {
  .card { padding: 16px; }
  .hero { grid-template-columns: 1fr; }
  .hero svg { display: none; }
  form button:not(.link), form .button { width: 100%; }
  .clauses li { grid-template-columns: 40px 1fr; gap: 8px; }
}
@media (max-width: 340px) {
  dl.facts { grid-template-columns: 1fr; gap: 0; }
  dl.facts dd + dt { margin-top: 8px; }
}
@media (forced-colors: active) { button, .button, .card, .notice { border: 1px solid ButtonText; } }
`;

/** Changes with the content, so that browsers may keep the file for good. */
export const STYLESHEET_PATH = `/assets/pages-${createHash("sha256").update(STYLESHEET).digest("hex").slice(0, 12)}.css`;

export const MARK_PATH = "/assets/perch.svg";
export const MARK = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 128 128"><rect x="4" y="4" width="120" height="120" rx="28" fill="#0b7f9c"/><rect x="43" y="20" width="42" height="70" rx="10" fill="#fff"/><rect x="51" y="29" width="26" height="46" rx="3" fill="#0b7f9c"/><circle cx="64" cy="82" r="3.6" fill="#0b7f9c"/><rect x="18" y="96" width="92" height="10" rx="5" fill="#fff"/></svg>`;
