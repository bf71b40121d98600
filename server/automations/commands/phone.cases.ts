/** Opening and closing, permissions, place, colours, network, and what holds other steps. */
import type { Case } from "./case.ts";

const where = "- tapOn: Where am I\n- assertVisible: at .*";

export const PHONE: readonly Case[] = [
  {
    name: "opens, keeps what the site stored, and forgets it when asked",
    page: "/place",
    steps:
      "- launchApp: {clearState: true}\n- assertVisible: visit 1\n- launchApp\n- assertVisible: visit 2\n- clearState\n- launchApp: {stopApp: false}\n- assertVisible: visit 1",
  },
  {
    name: "closes",
    page: "/taps",
    steps:
      "- stopApp\n- assertNotVisible: Alpha\n- launchApp\n- assertVisible: Alpha\n- killApp\n- assertNotVisible: Alpha\n- clearKeychain",
  },
  {
    name: "opens a link",
    page: "/taps",
    steps:
      "- openLink: SITE/arrived\n- assertVisible: Arrived\n- openLink: {link: '${\"SITE\"}/words', browser: true}\n- assertVisible: 言葉",
  },
  {
    name: "opens nothing else",
    page: "/taps",
    steps: "- openLink: file:///etc/passwd",
    ends: "failed",
    words: /not an address a phone can open/,
  },
  {
    name: "gives and refuses permissions",
    page: "/place",
    steps:
      "- launchApp: {permissions: {all: deny, camera: allow}}\n- assertVisible: .*camera granted.*\n- setPermissions: {permissions: {camera: deny}}\n- launchApp: {stopApp: false}\n- assertVisible: .*camera denied.*",
  },
  {
    name: "is somewhere",
    page: "/place",
    steps: `- setPermissions: {permissions: {location: allow}}\n- setLocation: {latitude: 52.52, longitude: '\${10 + 3.4}'}\n${where}`,
    says: ["at 52.520,13.400"],
  },
  {
    name: "travels",
    page: "/place",
    steps: `- setPermissions: {permissions: {location: allow}}\n- travel: {points: ['1.0,2.0', '1.0,2.0001'], speed: 10}\n${where}`,
    says: ["at 1.000,2.000"],
  },
  {
    name: "turns",
    page: "/place",
    steps:
      "- setOrientation: LANDSCAPE_LEFT\n- assertVisible: lies\n- setOrientation: PORTRAIT\n- assertVisible: stands",
    says: ["lies", "stands"],
  },
  {
    name: "is dark and light",
    page: "/place",
    steps:
      "- assertLightMode\n- setDarkMode: enabled\n- assertDarkMode\n- assertVisible: dark\n- toggleDarkMode\n- assertLightMode\n- assertVisible: light",
    says: ["dark", "light"],
  },
  {
    name: "is in airplane mode",
    page: "/place",
    steps: "- setAirplaneMode: enabled\n- assertVisible: offline\n- toggleAirplaneMode\n- assertVisible: online",
    // What it says without a network never arrives; the page shows it.
    says: ["online"],
  },
  {
    name: "takes a picture",
    page: "/taps",
    steps: "- takeScreenshot: taps\n- takeScreenshot: {path: 'folder/${1 + 1}'}",
  },
  {
    name: "goes back",
    page: "/leave",
    steps: "- tapOn: Plain link\n- assertVisible: Arrived\n- action: back\n- assertVisible: Leave",
  },

  {
    name: "steps under conditions",
    page: "/taps",
    steps:
      "- runFlow: {when: {visible: Alpha, platform: web, true: '${1 < 2}'}, commands: [{tapOn: Count}]}\n- runFlow: {when: {platform: Android}, commands: [{tapOn: Alpha}]}\n- runFlow: {when: {notVisible: Nowhere}, commands: [{tapOn: Item 1}]}\n- runFlow: {when: {true: '${0}'}, commands: [{tapOn: Alpha}]}",
    says: ["count", "item 1"],
  },
  {
    name: "names of a scope end with it",
    page: "/taps",
    header: "env: {WHO: Item 1}",
    steps:
      "- runFlow: {env: {WHO: Item 2}, commands: [{tapOn: '${WHO}'}]}\n- tapOn: ${WHO}\n- tapOn: ${NONE || 'Item 3'}",
    says: ["item 2", "item 1", "item 3"],
  },
  {
    name: "again, a number of times and while something holds",
    page: "/taps",
    steps:
      "- repeat: {times: 2, commands: [{tapOn: Count}]}\n- evalScript: ${output.n = 1}\n- repeat: {while: {true: '${output.n < 4}'}, commands: [{tapOn: 'Item ${output.n}'}, {evalScript: '${output.n = output.n + 1}'}]}\n- repeat: {times: 3, while: {visible: Unfold}, commands: [{tapOn: Unfold}]}",
    says: ["count", "count", "item 1", "item 2", "item 3", "unfolded"],
  },
  {
    name: "once more after a failure",
    page: "/taps",
    header: "limits: {lookup: 300}",
    steps: "- retry: {maxRetries: 2, commands: [{tapOn: Shy}, {assertVisible: Done}]}",
    says: ["shy gave way"],
  },
  {
    name: "what may fail",
    page: "/taps",
    header: "limits: {optional: 300}",
    steps: "- tapOn: {text: Nowhere, optional: true, label: Perhaps}\n- tapOn: Count",
    says: ["count"],
    ends: "warned",
    words: /"Nowhere" did not appear in 0.3/,
  },
  {
    name: "scripts and what they find",
    page: "/taps",
    steps:
      "- evalScript: ${output.sum = [1, 2, 3].reduce((a, b) => a + b)}\n- assertTrue: ${output.sum == 6}\n- assertTrue: {condition: '${maestro.platform == \"web\"}'}",
  },
  {
    name: "what is not true",
    page: "/taps",
    steps: "- assertTrue: ${1 > 2}",
    ends: "failed",
    words: /was "false", not true/,
  },
  {
    name: "hooks",
    page: "/taps",
    header: "onFlowStart: [launchApp, {tapOn: Item 1}]\nonFlowComplete: [{tapOn: Item 3}]",
    steps: "- tapOn: Item 2",
    says: ["item 1", "item 2", "item 3"],
  },
  {
    name: "hooks after a failure",
    page: "/taps",
    header: "onFlowFailure: [{tapOn: Item 1}]\nonFlowComplete: [{tapOn: Item 3}]",
    steps: "- assertTrue: false\n- tapOn: Item 2",
    says: ["item 1", "item 3"],
    ends: "failed",
  },
];
