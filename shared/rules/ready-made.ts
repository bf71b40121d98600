/** Rules to start from, each with the flow it runs. What a person still has to say is in `asks`. */
import type { FlowId, PhoneId, RuleId } from "../id-values.ts";
import type { RuleInput } from "./model.ts";

export interface ReadyMade {
  readonly key: string;
  readonly title: string;
  /** One sentence: when it runs and what it does. */
  readonly about: string;
  /** `scope`: on which sites; `flow`: which flow, for there is none to bring along. */
  readonly asks: readonly ("scope" | "flow")[];
  /** The flow as Maestro YAML; its inputs are those of the rule's action. */
  readonly flow?: string;
  readonly rule: Omit<RuleInput, "id" | "name" | "action" | "scope">;
  readonly inputs: RuleInput["action"]["inputs"];
}

const OPEN = flow("openLink", "address");
const STORE = "https://play.google.com/store/apps/details?id=";
/** Pages of the store, and pages that name the app they belong to. */
const APP_PAGES = [
  { kind: "url", is: "https://play.google.com/store/apps/details*" },
  { kind: "meta", name: "al:android:package", op: "exists" },
  { kind: "meta", name: "google-play-app", op: "startsWith", value: "app-id=" },
] satisfies ConditionInput[];
const APP_OF_PAGE = {
  var: "package",
  from: [{ kind: "play" }, { kind: "app", part: "package" }],
} satisfies NonNullable<RuleInput["extract"]>[number];
/**
 * The app opens over its page in the store, which stays where it is not installed. It goes on as it is: a page may not
 * restart it, nor allow it anything.
 */
const OPEN_APP = `url: about:blank
inputs: [package]
---
- openLink: ${STORE}\${package}
- runFlow:
    when:
      platform: Android
    commands:
      - launchApp:
          appId: \${package}
          stopApp: false
          permissions: {}
          optional: true
`;

export const READY_MADE = [
  {
    key: "open-page",
    title: "Open this page on a phone",
    about: "By a click on any page: the phone opens the same page.",
    asks: [],
    flow: OPEN,
    rule: {
      when: { all: [] },
      extract: [{ var: "address", from: [{ kind: "url", part: "address" }] }],
      mode: "queued",
      confirm: "never",
      cooldownMs: 0,
    },
    inputs: { address: { var: "address" } },
  },
  {
    key: "install-app",
    title: "Install this app on a phone",
    about:
      "By a click on a Play page, or a page that names its Android app: the phone opens the app's page in the store.",
    asks: [],
    flow: flow("openLink", "package", STORE),
    rule: { when: { any: APP_PAGES }, extract: [APP_OF_PAGE], confirm: "always" },
    inputs: { package: { var: "package" } },
  },
  {
    key: "open-app",
    title: "Open this app on a phone",
    about:
      "By a click on a Play page, or a page that names its Android app: an Android phone opens the app, or its page in the store where it is not installed.",
    asks: [],
    flow: OPEN_APP,
    rule: { when: { any: APP_PAGES }, extract: [APP_OF_PAGE], confirm: "always", cooldownMs: 0 },
    inputs: { package: { var: "package" } },
  },
  {
    key: "send-link",
    title: "Open a link on a phone",
    about: "In a link's menu on any page: the phone opens the link.",
    asks: [],
    flow: OPEN,
    rule: {
      when: { all: [{ kind: "contextMenu", on: "link" }] },
      extract: [{ var: "address", from: [{ kind: "menu", part: "link" }] }],
      mode: "queued",
      confirm: "never",
      cooldownMs: 0,
    },
    inputs: { address: { var: "address" } },
  },
  {
    key: "send-image",
    title: "Open a picture on a phone",
    about: "In a picture's menu on any page: the phone opens the picture.",
    asks: [],
    flow: OPEN,
    rule: {
      when: { all: [{ kind: "contextMenu", on: "image" }] },
      extract: [{ var: "address", from: [{ kind: "menu", part: "media" }] }],
      mode: "queued",
      confirm: "never",
      cooldownMs: 0,
    },
    inputs: { address: { var: "address" } },
  },
  {
    key: "send-selection",
    title: "Copy a selection to a phone",
    about: "In the menu of selected text on any page: the text is on the phone's clipboard.",
    asks: [],
    flow: flow("setClipboard", "text"),
    rule: {
      when: { all: [{ kind: "contextMenu", on: "selection" }] },
      extract: [{ var: "text", from: [{ kind: "selection" }] }],
      mode: "queued",
      confirm: "never",
      cooldownMs: 0,
    },
    inputs: { text: { var: "text" } },
  },
  {
    key: "product-in-app",
    title: "Product page → open in the app",
    about: "On product pages of sites you choose: the phone opens the product, which Android hands to the shop's app.",
    asks: ["scope"],
    flow: OPEN,
    rule: {
      when: {
        any: [
          { kind: "jsonld", type: "Product", op: "exists" },
          { kind: "meta", name: "og:type", op: "equals", value: "product" },
        ],
      },
      extract: [{ var: "address", from: [{ kind: "url", part: "address" }] }],
      oncePer: "url/day",
      confirm: "first",
    },
    inputs: { address: { var: "address" } },
  },
  {
    key: "test-deep-link",
    title: "Test this page's deep link",
    about: "By a click on a page that names a link into its app: the phone opens that link.",
    asks: [],
    flow: OPEN,
    rule: {
      when: { all: [{ kind: "meta", name: "al:android:url", op: "exists" }] },
      extract: [{ var: "address", from: [{ kind: "app", part: "address" }] }],
      confirm: "always",
      cooldownMs: 0,
    },
    inputs: { address: { var: "address" } },
  },
  {
    key: "weekday-morning",
    title: "Every weekday at 9",
    about: "From Monday to Friday at 09:00 in your time zone: a flow you choose runs.",
    asks: ["flow"],
    rule: {
      when: { all: [{ kind: "schedule", cron: "0 9 * * 1-5", timeZone: "UTC" }] },
      confirm: "never",
    },
    inputs: {},
  },
] as const satisfies readonly ReadyMade[];

export type ReadyMadeKey = (typeof READY_MADE)[number]["key"];

/** A rule of one's own from a ready-made one. Schedules get the person's time zone. */
export function ruleFrom(
  readyMade: ReadyMade,
  own: {
    readonly id: RuleId;
    readonly flowId: FlowId;
    readonly phone: PhoneId | "ask" | "new";
    readonly scope: readonly string[];
    readonly timeZone: string;
  },
): RuleInput {
  const { when } = readyMade.rule;
  const zoned = (all: ConditionInput[]) =>
    all.map((one) => (one.kind === "schedule" ? { ...one, timeZone: own.timeZone } : one));
  return {
    ...readyMade.rule,
    id: own.id,
    name: readyMade.title,
    when: "all" in when ? { all: zoned(when.all) } : { any: zoned(when.any) },
    action: { flowId: own.flowId, phone: own.phone, inputs: readyMade.inputs },
    scope: readyMade.asks.includes("scope") ? [...own.scope] : [],
  };
}

type ConditionInput = Extract<RuleInput["when"], { all: unknown }>["all"][number];

/** A flow of one command that gets one input. */
function flow(command: string, input: string, before = ""): string {
  return `url: about:blank\ninputs: [${input}]\n---\n- ${command}: ${before}\${${input}}\n`;
}
