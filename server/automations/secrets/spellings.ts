/** How one value may be written by programs: its own variants, base64, and each character's escapes. */

/** One way to write a character. `hex`: it holds hexadecimal digits, so it is compared in lower case. */
export interface Encoding {
  readonly text: string;
  readonly hex: boolean;
}

export interface Spelling {
  readonly text: string;
  readonly base64: boolean;
}

const SHORTEST = 4;

/** The value, what fields and pages make of its white space, and what of its base64 does not depend on its neighbours. */
export function spellings(value: string): Spelling[] {
  const plain = new Set([
    value,
    value.normalize("NFC"),
    value.replaceAll("\r\n", "\n"),
    value.replace(/[\r\n]+/g, ""),
    value.replace(/\s+/g, " "),
  ]);
  for (const text of [...plain]) plain.add(text.trim());
  const long = [...plain].filter((text) => [...text].length >= SHORTEST);
  const texts = long.length === 0 ? [value] : long;
  const base64 = new Set(texts.flatMap((text) => bytesOf(text).flatMap(base64Parts)));
  return [...texts.map((text) => ({ text, base64: false })), ...[...base64].map((text) => ({ text, base64: true }))];
}

/** UTF-8, and one byte a character as `btoa` has it. */
function bytesOf(text: string): Buffer[] {
  const utf8 = Buffer.from(text);
  const narrow = /^[\0-\u00ff]*$/.test(text) && /[\u0080-\u00ff]/.test(text);
  return narrow ? [utf8, Buffer.from(text, "latin1")] : [utf8];
}

/** With 0, 1 and 2 bytes before it: the characters that these bytes alone decide. */
function base64Parts(bytes: Buffer): string[] {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]);
    const text = whole.toString("base64");
    return text.slice(Math.ceil((before * 8) / 6), Math.floor((whole.length * 8) / 6));
  });
}

const NAMED: Readonly<Record<string, readonly string[]>> = {
  "&": ["&amp;"],
  "<": ["&lt;"],
  ">": ["&gt;"],
  '"': ["&quot;"],
  "'": ["&apos;"],
  "\u00a0": ["&nbsp;"],
};
const BACKSLASHED: Readonly<Record<string, string>> = {
  '"': '"',
  "'": "'",
  "`": "`",
  "\\": "\\",
  "/": "/",
  "\b": "b",
  "\f": "f",
  "\n": "n",
  "\r": "r",
  "\t": "t",
};

/**
 * Every way one character (a code point) is written. In base64 the two alphabets' last characters stand for each other;
 * elsewhere a text in small or capital letters still tells the value.
 */
export function encodingsOf(char: string, base64: boolean): readonly Encoding[] {
  const others = base64 ? [{ "+": "-", "/": "_" }[char] ?? char] : [char.toLowerCase(), char.toUpperCase()];
  const single = [char, ...others].filter((one) => [...one].length === 1);
  return [...new Set(single)].flatMap(writtenAs);
}

function writtenAs(char: string): readonly Encoding[] {
  const code = char.codePointAt(0) ?? 0;
  const hex = (number: number, digits: number) => number.toString(16).padStart(digits, "0");
  const percent = (bytes: Iterable<number>) => [...bytes].map((byte) => `%${hex(byte, 2)}`).join("");
  const units = Array.from({ length: char.length }, (_, at) => char.charCodeAt(at));
  const escaped = [
    percent(Buffer.from(char)),
    code < 256 ? percent([code]) : units.map((unit) => `%u${hex(unit, 4)}`).join(""),
    units.map((unit) => `\\u${hex(unit, 4)}`).join(""),
    `\\u{${hex(code, 1)}}`,
    ...(code < 256 ? [`\\x${hex(code, 2)}`] : []),
    `&#x${hex(code, 1)};`,
  ];
  const backslashed = BACKSLASHED[char];
  const exact = [
    char,
    ...(char === " " ? ["+"] : []),
    ...(NAMED[char] ?? []),
    `&#${code};`,
    `&#0${code};`,
    ...(backslashed === undefined ? [] : [`\\${backslashed}`]),
  ];
  const all = new Map<string, boolean>();
  for (const text of exact) all.set(text, false);
  for (const text of escaped) all.set(text, true);
  for (const [text, folded] of [...all]) {
    for (const outer of AGAIN) {
      const again = outer(text);
      if (again !== text && !all.has(again)) all.set(again, folded || again.includes("%"));
    }
  }
  return [...all].map(([text, folded]) => ({ text: folded ? text.toLowerCase() : text, hex: folded }));
}

/** What is written inside something else is escaped a second time. */
const AGAIN: readonly ((text: string) => string)[] = [
  (text) => JSON.stringify(text).slice(1, -1),
  (text) =>
    text
      .replaceAll("&", "&amp;")
      .replaceAll("<", "&lt;")
      .replaceAll(">", "&gt;")
      .replaceAll('"', "&quot;")
      .replaceAll("'", "&#39;"),
  encodeURIComponent,
];
