/** Days of sign-ups whose makers are known: farms to be found, and people who look like farms and are not. */
import type { SignUp } from "./testing.ts";

export const CHROME =
  "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
const FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0";
const SAFARI =
  "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15";
const IPHONE =
  "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1";
/** Tor Browser says this on every system. */
const TOR = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0";
const SCRIPT = "python-requests/2.32";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

export interface Story {
  readonly name: string;
  readonly isFarm: boolean;
  /** Each `everyMs` after the one before. */
  readonly signUps: readonly SignUp[];
  readonly everyMs: number;
}

const times = (count: number, make: (n: number) => SignUp): SignUp[] =>
  Array.from({ length: count }, (_, n) => make(n));
const oneOf = <T>(choices: readonly [T, ...T[]], n: number): T => choices[n % choices.length] ?? choices[0];
const browsers = [CHROME, FIREFOX, SAFARI] as const;

export const STORIES: readonly Story[] = [
  {
    name: "a script with throw-away addresses and tags on one /64",
    isFarm: true,
    everyMs: MINUTE_MS,
    signUps: times(100, (n) => ({
      email: `farm${n % 25}+${n}@mailinator.com`,
      ip: `2001:db8:f00:1::${n.toString(16)}`,
      userAgent: SCRIPT,
      form: ["form_skipped", "language_missing"],
    })),
  },
  {
    name: "a browser under control with tags and dots of one mailbox",
    isFarm: true,
    everyMs: 10 * MINUTE_MS,
    signUps: times(60, (n) => ({
      email: `${oneOf(["farm.er", "f.armer", "fa.rmer"], n)}+${n}@gmail.com`,
      ip: "198.51.100.7",
      userAgent: CHROME,
    })),
  },
  {
    name: "a script that opens the form, over many addresses of one /24",
    isFarm: true,
    everyMs: 2 * MINUTE_MS,
    signUps: times(60, (n) => ({
      email: `x${n % 10}+${n}@yopmail.com`,
      ip: `203.0.113.${n % 250}`,
      userAgent: CHROME,
      form: ["form_too_fast", "language_missing"],
    })),
  },
  {
    name: "thirty people of an office in one day",
    isFarm: false,
    everyMs: 15 * MINUTE_MS,
    signUps: times(30, (n) => ({ email: `person${n}@office.example`, ip: "192.0.2.10", userAgent: CHROME })),
  },
  {
    name: "a class of thirty in one hour, with the same browser",
    isFarm: false,
    everyMs: 2 * MINUTE_MS,
    signUps: times(30, (n) => ({ email: `pupil${n}@school.example`, ip: "2001:db8:5c:1::1", userAgent: CHROME })),
  },
  {
    name: "a VPN's exit",
    isFarm: false,
    everyMs: 20 * MINUTE_MS,
    signUps: times(60, (n) => ({
      email: `vpn${n}@mail.example`,
      ip: "192.0.2.77",
      userAgent: oneOf(browsers, n),
      ...(n % 10 === 0 && { form: ["form_too_fast"] as const }),
    })),
  },
  {
    name: "a Tor exit, some with throw-away addresses",
    isFarm: false,
    everyMs: 10 * MINUTE_MS,
    signUps: times(80, (n) => ({
      email: n % 8 === 0 ? `tor${n}@mailinator.com` : `tor${n}@mail.example`,
      ip: "192.0.2.99",
      userAgent: TOR,
    })),
  },
  {
    name: "a mobile carrier's shared addresses",
    isFarm: false,
    everyMs: 5 * MINUTE_MS,
    signUps: times(90, (n) => ({ email: `mobile${n}@mail.example`, ip: `198.51.101.${n % 4}`, userAgent: IPHONE })),
  },
  {
    name: "the night clocks change",
    isFarm: false,
    everyMs: HOUR_MS,
    signUps: times(12, (n) => ({
      email: `night${n}@mail.example`,
      ip: "2001:db8:d5::1",
      userAgent: oneOf(browsers, n),
    })),
  },
  {
    name: "a family with one mailbox",
    isFarm: false,
    everyMs: 30 * MINUTE_MS,
    signUps: times(4, (n) => ({ email: `the.family+${n}@gmail.com`, ip: "192.0.2.40", userAgent: oneOf(browsers, n) })),
  },
  {
    name: "testers of a company with tags",
    isFarm: false,
    everyMs: 40 * MINUTE_MS,
    signUps: times(20, (n) => ({ email: `qa+${n}@firm.example`, ip: "192.0.2.50", userAgent: CHROME })),
  },
  {
    name: "people who care for privacy, each at home",
    isFarm: false,
    everyMs: 30 * MINUTE_MS,
    signUps: times(20, (n) => ({
      email: `quiet${n}@yopmail.com`,
      ip: `2001:db8:${(n + 256).toString(16)}:1::1`,
      userAgent: FIREFOX,
      ...(n % 5 === 0 && { form: ["language_missing"] as const }),
    })),
  },
];
