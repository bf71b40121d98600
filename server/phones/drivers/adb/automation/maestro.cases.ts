/** Behaviours of the language on an Android: a flow, and what the simulated phone was seen to do. */
import type { Simulator } from "../simulator/simulator.ts";

export interface AndroidCase {
  readonly name: string;
  /** YAML of the steps. */
  readonly steps: string;
  /** The header; `appId: com.example.form` without it. */
  readonly header?: string;
  /** Of the phone after the run, as an object to be matched. */
  readonly shows?: (of: Pick<Simulator, "apps" | "phone">) => unknown;
  readonly expect?: unknown;
  /** Absent: passed. */
  readonly ends?: "warned" | "failed" | "refused";
  /** Part of the error, or of a step's remark. */
  readonly words?: RegExp;
}

const COUNTER = "appId: com.example.counter";
const SHOP = "appId: com.example.shop";
/** For what fails, so that it fails soon. */
const SOON = "\nlimits: {lookup: 1s, optional: 900ms}";
const form = ({ apps }: Pick<Simulator, "apps">) => apps.form.values;
const count = ({ apps }: Pick<Simulator, "apps">) => apps.counter.count;
const chosen = ({ apps }: Pick<Simulator, "apps">) => apps.shop.chosen;
const front = ({ phone }: Pick<Simulator, "phone">) => phone.foreground.package;
const to = (text: string) => `scrollUntilVisible: {element: ${text}}`;

export const APPS: readonly AndroidCase[] = [
  {
    name: "launchApp opens the header's app or another, stops it first or not, forgets what it stored when asked",
    header: COUNTER,
    steps:
      "- launchApp\n- tapOn: {id: count}\n- launchApp: com.example.shop\n- assertVisible: Nothing chosen\n- launchApp: {stopApp: false}\n- assertVisible: Count 1\n- launchApp: {clearState: true}\n- assertVisible: Count 0",
    shows: front,
    expect: "com.example.counter",
  },
  {
    name: "launchApp allows everything, as Maestro does, or what it is told; what is unset is asked for by Android",
    steps: `- launchApp\n- ${to("Location on")}\n- launchApp: {permissions: {all: unset}}\n- ${to("Use my location")}\n- tapOn: Use my location\n- tapOn: While using the app\n- ${to("Location on")}\n- setPermissions: {permissions: {location: deny}}\n- launchApp: {permissions: {}}\n- ${to("Location off")}`,
  },
  {
    name: "launchApp hands over arguments with their types, as they are",
    header: "appId: com.other.app",
    steps:
      "- launchApp: {arguments: {word: 'a b; $(c)', '-n': evil, yes: true, number: 3, many: 3000000000, part: 1.5, sum: '${1 + 1}'}}\n- assertVisible: 'word: a b; \\$\\(c\\)'\n- assertVisible: '-n: evil'\n- assertVisible: 'yes: true'\n- assertVisible: 'many: 3000000000'\n- assertVisible: 'sum: 2'",
  },
  {
    name: "launchApp says which app is not there",
    header: "appId: com.not.there",
    steps: "- clearState\n- launchApp",
    ends: "failed",
    words: /com\.not\.there is not installed on this phone/,
  },
  {
    name: "launchApp of no package says what one is",
    header: "appId: nonsense",
    steps: "- launchApp",
    ends: "failed",
    words: /an app is a package/,
  },
  {
    name: "launchApp with a url opens that",
    header: "url: https://a.test/page",
    steps: "- launchApp\n- assertVisible: https://a.test/page",
    shows: front,
    expect: "com.android.chrome",
  },
  {
    name: "stopApp, killApp and clearState",
    header: COUNTER,
    steps:
      "- launchApp\n- tapOn: {id: count}\n- stopApp\n- assertNotVisible: {id: count}\n- launchApp\n- pressKey: Home\n- killApp\n- clearState",
    shows: ({ apps, phone }) => [apps.counter.count, phone.tasks],
    expect: [0, ["com.android.launcher3"]],
  },
  {
    name: "openLink of the web, in a browser, of an app's scheme and of the store",
    steps:
      "- openLink: https://a.test/x?y=1&z='2'\n- assertVisible: https://a.test/x.*\n- openLink: {link: https://play.google.com/store/apps/details?id=a.b, browser: true}\n- assertVisible: https://play.*\n- openLink: shop://item/Hat\n- assertVisible: 'Chosen: Hat'\n- openLink: market://details?id=com.new.app\n- tapOn: Install\n- tapOn: Open\n- assertVisible: com.new.app",
    shows: ({ phone }) => [phone.foreground.package, phone.app("com.new.app") !== undefined],
    expect: ["com.new.app", true],
  },
  {
    name: "openLink of what reaches into the phone is refused, and of what nothing opens fails",
    steps: ["file:///sdcard/x", "content://media/x", "javascript:alert(1)", "intent://x#Intent;end", "nobody://x"]
      .map((link) => `- openLink: {link: '${link}', optional: true}`)
      .join("\n"),
    ends: "warned",
    words: /(?:links are not opened: they reach into the phone[\s\S]*){4}No app on this phone opens this link/,
    shows: ({ phone }) => phone.tasks,
    expect: [],
  },
];

export const TOUCHING: readonly AndroidCase[] = [
  {
    name: "tapOn by text, pattern, index and relation",
    header: SHOP,
    steps:
      "- launchApp\n- tapOn: Offer 1\n- assertVisible: 'Chosen: Offer 1'\n- tapOn: {text: 'Offer \\d', index: 1}\n- assertVisible: 'Chosen: Offer 2'\n- tapOn: {text: 'Offer .*', below: Offer 2}",
    shows: chosen,
    expect: "Offer 3",
  },
  {
    name: "tapOn by an id, whole, short and as a pattern",
    steps:
      "- launchApp\n- tapOn: {id: 'com.example.form:id/agree'}\n- assertVisible: {id: agree, checked: true}\n- tapOn: {id: agree}\n- assertVisible: {id: agree, checked: false}\n- tapOn: {id: 'agr.*'}",
    shows: (of) => form(of).agreed,
    expect: true,
  },
  {
    name: "tapOn a point, in per cent and in pixels of the device; by what assistive technology says",
    header: COUNTER,
    steps: "- launchApp\n- tapOn: Count up\n- tapOn: {point: '50%,50%'}\n- tapOn: {point: '350,320'}",
    shows: ({ apps, phone }) => [apps.counter.count, phone.touches.at(-1)?.x, phone.touches.at(-1)?.y],
    expect: [3, 350, 320],
  },
  {
    name: "tapOn again and again, once more only when nothing changed; doubleTapOn",
    header: COUNTER,
    steps:
      "- launchApp\n- tapOn: {id: count, repeat: 2, delay: 20}\n- tapOn: {id: count, retryTapIfNoChange: true}\n- doubleTapOn: {id: count}",
    shows: count,
    expect: 5,
  },
  {
    name: "longPressOn",
    steps: `- launchApp\n- ${to("Hold me")}\n- longPressOn: Hold me`,
    shows: (of) => form(of).said,
    expect: "Held",
  },
  {
    name: "tapOn what is not there",
    header: `${SHOP}${SOON}`,
    steps: "- launchApp\n- tapOn: Nothing here",
    ends: "failed",
    words: /"Nothing here" did not appear/,
  },
  {
    name: "tapOn by CSS finds nothing where no page is, and says so of a page that cannot be asked",
    header: `appId: com.android.chrome\n${SOON}`,
    steps:
      "- launchApp\n- tapOn: {css: a, optional: true}\n- launchApp: com.example.form\n- assertNotVisible: {css: a}\n- tapOn: {css: a}",
    ends: "failed",
    words: /css "a" did not appear/,
  },
];

export const TYPING: readonly AndroidCase[] = [
  {
    name: "inputText of any letters, into a password too; eraseText in one go",
    steps:
      "- launchApp\n- tapOn: {id: name}\n- inputText: Adam\n- eraseText: 1\n- assertVisible: Ada\n- inputText: ' 100%s $(x) 日本語 😀'\n- tapOn: {id: password}\n- inputText: hunter2\n- assertNotVisible: hunter2",
    shows: (of) => [form(of).name, form(of).password],
    expect: ["Ada 100%s $(x) 日本語 😀", "hunter2"],
  },
  {
    name: "inputText of what the field's hint says is typed once",
    steps: "- launchApp\n- tapOn: {id: name}\n- inputText: Your name",
    shows: (of) => form(of).name,
    expect: "Your name",
  },
  {
    name: "copyTextFrom, pasteText and setClipboard",
    steps:
      "- launchApp\n- copyTextFrom: {id: greeting}\n- assertTrue: ${maestro.copiedText.startsWith('日本語')}\n- setClipboard: 'pasted'\n- tapOn: {id: name}\n- pasteText",
    shows: (of) => form(of).name,
    expect: "pasted",
  },
  {
    name: "pressKey Enter, Backspace, Volume Up and Down, Power and Lock",
    steps:
      "- launchApp\n- tapOn: {id: search}\n- inputText: shoess\n- pressKey: Backspace\n- pressKey: Enter\n- pressKey: Volume Up\n- pressKey: volume up\n- pressKey: Volume Down\n- pressKey: Power\n- pressKey: Power\n- assertVisible: Sign up\n- pressKey: Lock",
    shows: ({ apps, phone }) => [apps.form.values.said, phone.awake],
    expect: ["Searched: shoes", false],
  },
  {
    name: "pressKey Home and Back, back, and hideKeyboard with and without one",
    steps:
      "- launchApp\n- tapOn: {id: name}\n- hideKeyboard\n- hideKeyboard\n- assertVisible: Sign up\n- pressKey: Home\n- assertNotVisible: Sign up\n- launchApp\n- back\n- assertNotVisible: Sign up\n- launchApp\n- action: back\n- assertNotVisible: Sign up",
  },
  {
    name: "inputRandomNumber and its kin",
    steps:
      "- launchApp\n- tapOn: {id: name}\n- inputRandomNumber: {length: 6}\n- assertVisible: '\\d{6}'\n- inputRandomPersonName\n- inputRandomText\n- inputRandomCityName\n- inputRandomCountryName\n- inputRandomColorName\n- inputRandomEmail\n- assertVisible: .*@mail.example",
  },
];

export const MOVING: readonly AndroidCase[] = [
  {
    name: "scroll, scrollUntilVisible down and up",
    header: SHOP,
    steps:
      "- launchApp\n- scroll\n- assertNotVisible: {id: chosen}\n- scrollUntilVisible: {element: Offer 12}\n- tapOn: Offer 12\n- scrollUntilVisible: {element: 'Chosen: Offer 12', direction: UP}",
  },
  {
    name: "swipe by direction, by places and from an element",
    header: SHOP,
    steps:
      "- launchApp\n- assertVisible: Shoes\n- swipe: {start: '90%,25%', end: '5%,25%', duration: 200}\n- assertNotVisible: Shoes\n- swipe: {direction: UP}\n- assertNotVisible: {id: chosen}\n- swipe: {from: {text: 'Offer .*'}, direction: DOWN}\n- assertVisible: {id: chosen}",
  },
  {
    name: "scrollUntilVisible gives up in time",
    header: SHOP,
    steps: "- launchApp\n- scrollUntilVisible: {element: No such offer, timeout: 500}",
    ends: "failed",
    words: /did not come into view in 0\.5 seconds/,
  },
];

export const CHECKING: readonly AndroidCase[] = [
  {
    name: "assertVisible, assertNotVisible, extendedWaitUntil, waitForAnimationToEnd, takeScreenshot",
    steps:
      "- launchApp\n- assertVisible: Sign up\n- assertVisible: .*😀.*\n- assertNotVisible: Hello .*\n- assertVisible: {id: agree, checked: false, enabled: true}\n- extendedWaitUntil: {visible: Sign up, timeout: 6000}\n- waitForAnimationToEnd: {timeout: 4000}\n- extendedWaitUntil: {notVisible: Nobody, timeout: 6000}\n- takeScreenshot: form\n- takeScreenshot: {path: part, cropOn: {id: agree}}",
  },
  {
    name: "assertVisible of what is not there, and assertNotVisible of what stays",
    header: `appId: com.example.form${SOON}`,
    steps: "- launchApp\n- assertVisible: {text: Goodbye, optional: true}\n- assertNotVisible: Sign up",
    ends: "failed",
    words: /"Sign up" was still visible[\s\S]*"Goodbye" did not appear/,
  },
  {
    name: "on a screen that never rests only places and pictures count, and nothing is taken for absent",
    header: `appId: com.example.busy${SOON}`,
    steps:
      "- launchApp\n- waitForAnimationToEnd: {timeout: 300}\n- tapOn: {point: '50%,50%'}\n- takeScreenshot: busy\n- assertNotVisible: Anything",
    ends: "failed",
    words: /cannot be told\. The screen never came to rest[\s\S]*still moved after 0\.3 seconds/,
    shows: ({ phone }) => phone.touches.length > 0,
    expect: true,
  },
  {
    name: "conditions, by platform too; assertTrue, evalScript, repeat, retry, hooks, optional steps",
    header: `${COUNTER}\nlimits: {lookup: 500, optional: 200}\nonFlowStart: [launchApp]\nonFlowComplete: [{tapOn: {id: count}}]`,
    steps:
      "- evalScript: ${output.n = 2}\n- assertTrue: ${output.n == 2 && maestro.platform == 'android'}\n- runFlow: {when: {platform: Android, visible: Count 0}, commands: [{tapOn: {id: count}}]}\n- runFlow: {when: {platform: web}, commands: [{tapOn: {id: count}}]}\n- tapOn: {text: Nobody, optional: true}\n- repeat: {while: {notVisible: Count 3}, times: 9, commands: [{tapOn: {id: count}}]}\n- retry: {maxRetries: 1, commands: [{tapOn: {id: count}}, {assertVisible: Count 5}]}",
    shows: count,
    expect: 6,
    ends: "warned",
  },
  {
    name: "a crash dialog is in the way until it is closed",
    header: COUNTER,
    steps:
      "- launchApp\n- tapOn: Crash\n- assertVisible: Counter keeps stopping\n- assertNotVisible: {id: count}\n- tapOn: Close app\n- assertNotVisible: Counter keeps stopping",
  },
];

export const SETTINGS: readonly AndroidCase[] = [
  {
    name: "setOrientation",
    steps:
      "- launchApp\n- setOrientation: LANDSCAPE_LEFT\n- assertVisible: Sign up\n- tapOn: {id: name}\n- inputText: lying\n- setOrientation: PORTRAIT\n- assertVisible: lying",
    shows: ({ apps, phone }) => [apps.form.values.name, phone.rotation % 2],
    expect: ["lying", 0],
  },
  {
    name: "setDarkMode and its kin, as the phone itself tells",
    steps: "- assertLightMode\n- setDarkMode: enabled\n- assertDarkMode\n- toggleDarkMode\n- assertLightMode",
  },
  {
    name: "setAirplaneMode is taken back after the run",
    header: "appId: com.android.settings",
    steps:
      "- setAirplaneMode: enabled\n- launchApp\n- tapOn: 'Network & internet'\n- assertVisible: {text: Airplane mode, checked: true}\n- toggleAirplaneMode\n- assertVisible: {text: Airplane mode, checked: false}\n- setAirplaneMode: enabled",
    shows: ({ phone }) => phone.airplane,
    expect: false,
  },
  {
    name: "setLocation and travel, for the time of the run",
    header: "appId: com.android.settings",
    steps: `- travel: {points: ['1.0,2.0', '1.0,2.0001'], speed: 20}\n- setLocation: {latitude: 52.52, longitude: '\${13 + 0.4}'}\n- launchApp\n- ${to("Location")}\n- assertVisible: 52.52, 13.4`,
    shows: ({ phone }) => phone.location,
    expect: undefined,
  },
  { name: "clearKeychain does nothing, and says so", steps: "- clearKeychain", words: /no keychain/ },
  {
    name: "what needs Maestro's cloud is refused",
    steps: "- launchApp\n- assertWithAI: {assertion: a, optional: false}",
    ends: "refused",
    words: /Maestro's own cloud/,
  },
];
