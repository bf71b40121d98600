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

const FORM = "appId: com.example.form";
const COUNTER = "appId: com.example.counter";
const SHOP = "appId: com.example.shop";
const form = ({ apps }: Pick<Simulator, "apps">) => apps.form.values;
const count = ({ apps }: Pick<Simulator, "apps">) => apps.counter.count;
const chosen = ({ apps }: Pick<Simulator, "apps">) => apps.shop.chosen;
const front = ({ phone }: Pick<Simulator, "phone">) => phone.foreground.package;
const may = ({ phone }: Pick<Simulator, "phone">) =>
  phone.granted("com.example.form", "android.permission.ACCESS_FINE_LOCATION");

export const APPS: readonly AndroidCase[] = [
  {
    name: "launchApp opens the header's app",
    steps: "- launchApp\n- assertVisible: Sign up",
    shows: front,
    expect: "com.example.form",
  },
  {
    name: "launchApp opens another, and goes on where it was when it is not stopped",
    header: COUNTER,
    steps:
      "- launchApp\n- tapOn: {id: count}\n- launchApp: com.example.shop\n- assertVisible: Nothing chosen\n- launchApp: {stopApp: false}\n- assertVisible: Count 1",
  },
  {
    name: "launchApp forgets what the app stored when asked",
    header: COUNTER,
    steps:
      "- launchApp\n- tapOn: {id: count}\n- assertVisible: Count 1\n- launchApp: {clearState: true}\n- assertVisible: Count 0",
  },
  {
    name: "launchApp allows everything, as Maestro does",
    steps: "- launchApp\n- assertVisible: Location on",
    shows: may,
    expect: true,
  },
  {
    name: "launchApp answers permissions as it is told, and setPermissions changes them",
    steps:
      "- launchApp: {permissions: {all: deny, location: allow}}\n- assertVisible: Location on\n- setPermissions: {permissions: {location: deny}}\n- launchApp: {permissions: {}}\n- assertVisible: Location off",
  },
  {
    name: "a permission that is unset is asked for by Android itself",
    steps:
      "- launchApp: {permissions: {all: unset}}\n- scrollUntilVisible: {element: Use my location}\n- tapOn: Use my location\n- tapOn: While using the app\n- assertVisible: Location on",
  },
  {
    name: "launchApp hands over arguments with their types",
    header: "appId: com.other.app",
    steps:
      "- launchApp: {arguments: {word: 'a b; $(c)', yes: true, number: 3, many: 3000000000, part: 1.5, sum: '${1 + 1}'}}\n- assertVisible: 'word: a b; \\$\\(c\\)'\n- assertVisible: 'yes: true'\n- assertVisible: 'number: 3'\n- assertVisible: 'sum: 2'",
  },
  {
    name: "launchApp says which app is not there",
    header: `appId: com.not.there`,
    steps: "- launchApp",
    ends: "failed",
    words: /com\.not\.there is not installed on this phone/,
  },
  {
    name: "launchApp with a url opens that",
    header: "url: https://a.test/page",
    steps: "- launchApp\n- assertVisible: https://a.test/page",
    shows: front,
    expect: "com.android.chrome",
  },
  {
    name: "launchApp of no package says what one is",
    header: `appId: nonsense`,
    steps: "- launchApp",
    ends: "failed",
    words: /an app is a package/,
  },
  {
    name: "stopApp and killApp",
    header: COUNTER,
    steps: "- launchApp\n- stopApp\n- assertNotVisible: {id: count}\n- launchApp\n- pressKey: Home\n- killApp",
    shows: ({ phone }) => phone.tasks,
    expect: ["com.android.launcher3"],
  },
  {
    name: "clearState",
    header: COUNTER,
    steps: "- launchApp\n- tapOn: {id: count}\n- clearState",
    shows: count,
    expect: 0,
  },
  {
    name: "clearState of an app that is not there does nothing",
    header: "appId: com.not.there",
    steps: "- clearState",
  },
  {
    name: "openLink of the web",
    steps: "- openLink: https://a.test/x?y=1&z='2'\n- assertVisible: https://a.test/x.*",
    shows: ({ apps }) => apps.browser.url,
    expect: "https://a.test/x?y=1&z=%272%27",
  },
  {
    name: "openLink in a browser",
    steps: "- openLink: {link: https://play.google.com/store/apps/details?id=a.b, browser: true}",
    shows: front,
    expect: "com.android.chrome",
  },
  { name: "openLink of an app's scheme", steps: "- openLink: shop://item/Hat", shows: chosen, expect: "Hat" },
  {
    name: "openLink of the store",
    steps: "- openLink: market://details?id=com.new.app\n- tapOn: Install\n- tapOn: Open\n- assertVisible: com.new.app",
    shows: front,
    expect: "com.new.app",
  },
  ...["file:///sdcard/x", "content://media/x", "javascript:alert(1)", "data:text/html,x", "intent://x#Intent;end"].map(
    (link): AndroidCase => ({
      name: `openLink of ${link} is refused with the reason`,
      header: `${FORM}`,
      steps: `- openLink: '${link}'`,
      ends: "failed",
      words: /links are not opened: they reach into the phone/,
    }),
  ),
  {
    name: "openLink that nothing opens",
    header: `${FORM}`,
    steps: "- openLink: nobody://x",
    ends: "failed",
    words: /No app on this phone opens this link/,
  },
];

export const TOUCHING: readonly AndroidCase[] = [
  { name: "tapOn by text", header: SHOP, steps: "- launchApp\n- tapOn: Offer 2", shows: chosen, expect: "Offer 2" },
  ...["com.example.form:id/agree", "agree", "agr.*", ".*:id/agree"].map(
    (id): AndroidCase => ({
      name: `tapOn by the id ${id}`,
      steps: `- launchApp\n- tapOn: {id: '${id}'}`,
      shows: (of) => form(of).agreed,
      expect: true,
    }),
  ),
  {
    name: "tapOn by what assistive technology says",
    header: COUNTER,
    steps: "- launchApp\n- tapOn: Count up",
    shows: count,
    expect: 1,
  },
  {
    name: "tapOn by a pattern, an index, and relations",
    header: SHOP,
    steps:
      "- launchApp\n- tapOn: {text: 'Offer \\d', index: 1}\n- assertVisible: 'Chosen: Offer 2'\n- tapOn: {text: 'Offer .*', below: Offer 3}",
    shows: chosen,
    expect: "Offer 4",
  },
  {
    name: "tapOn a point, in per cent and in pixels",
    header: COUNTER,
    steps: "- launchApp\n- tapOn: {point: '50%,50%'}\n- tapOn: {point: '350,320'}",
    shows: ({ apps, phone }) => [apps.counter.count, phone.touches.at(-1)?.x, phone.touches.at(-1)?.y],
    expect: [2, 350, 320],
  },
  {
    name: "tapOn again and again",
    header: COUNTER,
    steps: "- launchApp\n- tapOn: {id: count, repeat: 3, delay: 20}",
    shows: count,
    expect: 3,
  },
  {
    name: "tapOn once more when nothing changed, and only then",
    header: COUNTER,
    steps: "- launchApp\n- tapOn: {id: count, retryTapIfNoChange: true}",
    shows: count,
    expect: 1,
  },
  { name: "doubleTapOn", header: COUNTER, steps: "- launchApp\n- doubleTapOn: {id: count}", shows: count, expect: 2 },
  {
    name: "longPressOn",
    steps: "- launchApp\n- scrollUntilVisible: {element: Hold me}\n- longPressOn: Hold me",
    shows: (of) => form(of).said,
    expect: "Held",
  },
  {
    name: "tapOn what is not there fails with what is",
    header: `${SHOP}`,
    steps: "- launchApp\n- tapOn: Nothing here",
    ends: "failed",
    words: /"Nothing here" did not appear/,
  },
  {
    name: "tapOn by CSS is refused before anything is done",
    steps: "- launchApp\n- tapOn: {css: a}",
    ends: "refused",
    words: /cannot find elements by `css`/,
  },
];

export const TYPING: readonly AndroidCase[] = [
  {
    name: "inputText",
    steps: "- launchApp\n- tapOn: {id: name}\n- inputText: Ada Lovelace 100%s $(x)",
    shows: (of) => form(of).name,
    expect: "Ada Lovelace 100%s $(x)",
  },
  {
    name: "inputText of what the field's hint says is typed once",
    steps: "- launchApp\n- tapOn: {id: name}\n- inputText: Your name",
    shows: (of) => form(of).name,
    expect: "Your name",
  },
  {
    name: "inputText into a password",
    steps: "- launchApp\n- tapOn: {id: password}\n- inputText: hunter2\n- assertNotVisible: hunter2",
    shows: (of) => form(of).password,
    expect: "hunter2",
  },
  {
    name: "eraseText, in one go",
    steps: "- launchApp\n- tapOn: {id: name}\n- inputText: Adam\n- eraseText: 1\n- assertVisible: Ada\n- eraseText",
    shows: (of) => form(of).name,
    expect: "",
  },
  {
    name: "copyTextFrom and pasteText",
    steps:
      "- launchApp\n- copyTextFrom: {id: greeting}\n- assertTrue: ${maestro.copiedText.startsWith('日本語')}\n- copyTextFrom: Send me news\n- tapOn: {id: name}\n- pasteText",
    shows: (of) => form(of).name,
    expect: "Send me news",
  },
  {
    name: "pressKey Enter, and the keyboard's own action",
    steps: "- launchApp\n- tapOn: {id: search}\n- inputText: shoes\n- pressKey: Enter",
    shows: (of) => form(of).said,
    expect: "Searched: shoes",
  },
  {
    name: "pressKey Backspace",
    steps: "- launchApp\n- tapOn: {id: name}\n- inputText: ab\n- pressKey: Backspace",
    shows: (of) => form(of).name,
    expect: "a",
  },
  {
    name: "pressKey Volume Up and Down",
    steps: "- pressKey: Volume Up\n- pressKey: volume up\n- pressKey: Volume Down",
    shows: ({ phone }) => phone.volume,
  },
  {
    name: "pressKey Power and Lock",
    steps: "- launchApp\n- pressKey: Power\n- pressKey: Power\n- assertVisible: Sign up\n- pressKey: Lock",
    shows: ({ phone }) => phone.awake,
    expect: false,
  },
  {
    name: "pressKey Home and Back, and back",
    steps:
      "- launchApp\n- pressKey: Home\n- assertNotVisible: Sign up\n- launchApp\n- back\n- assertNotVisible: Sign up\n- launchApp\n- action: back\n- assertNotVisible: Sign up",
  },
  {
    name: "hideKeyboard hides it, and does nothing without one",
    steps: "- launchApp\n- tapOn: {id: name}\n- hideKeyboard\n- hideKeyboard\n- assertVisible: Sign up",
    shows: ({ phone }) => phone.keyboard,
    expect: false,
  },
  {
    name: "inputRandomNumber and its kin",
    steps:
      "- launchApp\n- tapOn: {id: name}\n- inputRandomNumber: {length: 6}\n- assertVisible: '\\d{6}'\n- eraseText\n- inputRandomEmail\n- assertVisible: .*@mail.example\n- eraseText\n- inputRandomPersonName\n- eraseText\n- inputRandomText\n- eraseText\n- inputRandomCityName\n- eraseText\n- inputRandomCountryName\n- eraseText\n- inputRandomColorName",
  },
];

export const MOVING: readonly AndroidCase[] = [
  { name: "scroll", header: SHOP, steps: "- launchApp\n- scroll\n- assertNotVisible: {id: chosen}" },
  {
    name: "scrollUntilVisible, down and up",
    header: SHOP,
    steps:
      "- launchApp\n- scrollUntilVisible: {element: Offer 25}\n- tapOn: Offer 25\n- scrollUntilVisible: {element: 'Chosen: Offer 25', direction: UP}",
    shows: chosen,
    expect: "Offer 25",
  },
  {
    name: "swipe by direction, by places and from an element",
    header: SHOP,
    steps:
      "- launchApp\n- assertVisible: Shoes\n- swipe: {from: Shoes, direction: LEFT}\n- assertNotVisible: Shoes\n- swipe: {direction: UP}\n- assertNotVisible: {id: chosen}\n- swipe: {start: '50%,30%', end: '50%,90%', duration: 200}\n- assertVisible: {id: chosen}",
  },
  {
    name: "scrollUntilVisible gives up in time",
    header: SHOP,
    steps: "- launchApp\n- scrollUntilVisible: {element: No such offer, timeout: 1500}",
    ends: "failed",
    words: /did not come into view in 1\.5 seconds/,
  },
];

export const CHECKING: readonly AndroidCase[] = [
  {
    name: "assertVisible and assertNotVisible",
    steps:
      "- launchApp\n- assertVisible: Sign up\n- assertVisible: .*😀.*\n- assertNotVisible: Hello .*\n- assertVisible: {id: submit, enabled: false}\n- assertVisible: {id: agree, checked: false}",
  },
  {
    name: "assertVisible of what is not there",
    header: `${FORM}`,
    steps: "- launchApp\n- assertVisible: Goodbye",
    ends: "failed",
    words: /"Goodbye" did not appear/,
  },
  {
    name: "assertNotVisible of what stays",
    header: `${FORM}`,
    steps: "- launchApp\n- assertNotVisible: Sign up",
    ends: "failed",
    words: /was still visible/,
  },
  {
    name: "assertNotVisible on a screen that cannot be read tells so instead of passing",
    header: `appId: com.example.busy`,
    steps: "- launchApp\n- assertNotVisible: Anything",
    ends: "failed",
    words: /cannot be told.*never came to rest/,
  },
  {
    name: "assertTrue and scripts know the platform",
    steps: "- evalScript: ${output.n = 2}\n- assertTrue: ${output.n == 2 && maestro.platform == 'android'}",
  },
  {
    name: "extendedWaitUntil and waitForAnimationToEnd",
    steps:
      "- launchApp\n- extendedWaitUntil: {visible: Sign up, timeout: 2000}\n- waitForAnimationToEnd: {timeout: 4000}\n- extendedWaitUntil: {notVisible: Nobody, timeout: 2000}",
  },
  {
    name: "waitForAnimationToEnd on what never ends goes on, and says so",
    header: "appId: com.example.busy",
    steps: "- launchApp\n- waitForAnimationToEnd: {timeout: 400}",
    words: /still moved after 0\.4 seconds/,
  },
  {
    name: "a never resting screen is touched by place",
    header: "appId: com.example.busy",
    steps: "- launchApp\n- tapOn: {point: '50%,50%'}\n- takeScreenshot: busy",
    shows: ({ phone }) => phone.touches.length > 0,
    expect: true,
  },
  {
    name: "takeScreenshot, whole and of one element",
    steps: "- launchApp\n- takeScreenshot: form\n- takeScreenshot: {path: part, cropOn: {id: submit}}",
  },
  {
    name: "runFlow under conditions, by platform too",
    header: COUNTER,
    steps:
      "- launchApp\n- runFlow: {when: {platform: Android, visible: Count 0}, commands: [{tapOn: {id: count}}]}\n- runFlow: {when: {platform: web}, commands: [{tapOn: {id: count}}]}\n- runFlow: {when: {notVisible: Count 1}, commands: [{tapOn: {id: count}}]}",
    shows: count,
    expect: 1,
  },
  {
    name: "repeat and retry",
    header: `${COUNTER}\nlimits: {lookup: 300}`,
    steps:
      "- launchApp\n- repeat: {times: 2, commands: [{tapOn: {id: count}}]}\n- repeat: {while: {notVisible: Count 4}, times: 9, commands: [{tapOn: {id: count}}]}\n- retry: {maxRetries: 1, commands: [{tapOn: {id: count}}, {assertVisible: Count 6}]}",
    shows: count,
    expect: 6,
  },
  {
    name: "hooks",
    header: `${COUNTER}\nonFlowStart: [launchApp, {tapOn: {id: count}}]\nonFlowComplete: [{tapOn: {id: count}}]`,
    steps: "- tapOn: {id: count}",
    shows: count,
    expect: 3,
  },
  {
    name: "optional steps warn",
    header: `${COUNTER}`,
    steps: "- launchApp\n- tapOn: {text: Nobody, optional: true}\n- tapOn: {id: count}",
    shows: count,
    expect: 1,
    ends: "warned",
  },
  {
    name: "a crash dialog is in the way until it is closed",
    header: COUNTER,
    steps:
      "- launchApp\n- tapOn: Crash\n- assertVisible: Counter keeps stopping\n- tapOn: Close app\n- assertNotVisible: Counter keeps stopping",
  },
];

export const SETTINGS: readonly AndroidCase[] = [
  {
    name: "setOrientation",
    steps:
      "- launchApp\n- setOrientation: LANDSCAPE_LEFT\n- assertVisible: Sign up\n- tapOn: {id: agree}\n- setOrientation: PORTRAIT\n- assertVisible: Sign up",
    shows: ({ apps, phone }) => [apps.form.values.agreed, phone.rotation % 2],
    expect: [true, 0],
  },
  {
    name: "setDarkMode and its kin, as the phone itself tells",
    steps:
      "- assertLightMode\n- setDarkMode: enabled\n- assertDarkMode\n- toggleDarkMode\n- assertLightMode\n- toggleDarkMode\n- assertDarkMode",
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
    name: "setLocation",
    header: "appId: com.android.settings",
    steps:
      "- setLocation: {latitude: 52.52, longitude: '${13 + 0.4}'}\n- openLink: https://a.test/\n- launchApp\n- scrollUntilVisible: {element: Location}\n- assertVisible: 52.52, 13.4",
  },
  { name: "travel", steps: "- travel: {points: ['1.0,2.0', '1.0,2.0001'], speed: 20}" },
  { name: "clearKeychain does nothing, and says so", steps: "- clearKeychain", words: /no keychain/ },
  {
    name: "startRecording is refused before anything is done",
    steps: "- startRecording: film\n- stopRecording",
    ends: "refused",
    words: /cannot be recorded|cannot be recorded|be recorded/,
  },
  {
    name: "what needs Maestro's cloud is refused",
    steps: "- assertWithAI: {assertion: a, optional: false}",
    ends: "refused",
    words: /Maestro's own cloud/,
  },
];
