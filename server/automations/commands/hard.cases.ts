/** Pages that make it hard: roots and frames inside, things that move, cover, shrink, turn and swallow touches. */
import type { Case } from "./case.ts";

export const HARD: readonly Case[] = [
  {
    name: "shadow roots within shadow roots, and what is slotted",
    page: "/shadows",
    steps:
      "- tapOn: Deep\n- tapOn: {id: deep}\n- tapOn: {css: .deep}\n- tapOn: Slotted\n- tapOn: Deep field\n- inputText: 深い\n- pressKey: Enter",
    says: ["deep", "deep", "deep", "slotted", "deep field 深い"],
  },
  {
    name: "frames of the same site, scrolled, scaled and within each other",
    page: "/frames",
    steps:
      "- assertVisible: Around\n- tapOn: {text: In the frame, index: 0}\n- tapOn: {text: Innermost, index: 0}\n- tapOn: {text: Framed field, index: 0}\n- inputText: wörd\n- pressKey: Enter",
    says: ["own pressed", "innermost", "own field wörd"],
  },
  {
    name: "frames of another site",
    page: "/frames",
    steps: "- extendedWaitUntil: {visible: other, timeout: 5000}\n- tapOn: {css: '#in', below: other}",
    says: ["other pressed"],
  },
  { name: "what never stops moving", page: "/restless", steps: "- tapOn: Slider", says: ["caught"] },
  { name: "what is on its way", page: "/restless", steps: "- tapOn: Arriving", says: ["arrived"] },
  { name: "what is made anew all the time", page: "/restless", steps: "- tapOn: Fresh", says: ["fresh"] },
  {
    name: "what a layer covers for a while, beside what never settles",
    page: "/restless",
    steps: "- tapOn: Under",
    says: ["under"],
  },
  {
    name: "what a layer covers for good, told by its words",
    page: "/shapes",
    header: "limits: {lookup: 1500}",
    steps: "- tapOn: Modal\n- tapOn: Touchy",
    ends: "failed",
    words: /"Touchy" is there, but .*Okay.* lies over it/,
  },
  { name: "what is turned and small", page: "/shapes", steps: "- tapOn: Turned", says: ["turned"] },
  { name: "what has no size but what flows out of it", page: "/shapes", steps: "- tapOn: Zero", says: ["zero"] },
  { name: "what is three pixels wide", page: "/shapes", steps: "- tapOn: Tiny", says: ["tiny"] },
  {
    name: "what lies under a layer that takes no touches",
    page: "/shapes",
    steps: "- tapOn: Through",
    says: ["through"],
  },
  {
    name: "what shows a corner in boxes within boxes",
    page: "/shapes",
    steps: "- tapOn: {css: '[data-say=nested]'}",
    says: ["nested"],
  },
  { name: "what is folded away", page: "/shapes", steps: "- tapOn: More about it\n- tapOn: Within", says: ["details"] },
  { name: "what swallows touches", page: "/shapes", steps: "- tapOn: Touchy", says: ["touched"] },
  { name: "what is fixed in something moved", page: "/shapes", steps: "- tapOn: Fixed inside", says: ["fixed"] },
  {
    name: "a modal layer",
    page: "/shapes",
    steps: "- tapOn: Modal\n- tapOn: Okay\n- tapOn: Menu",
    says: ["modal", "menu"],
  },
  {
    name: "what is off the screen only after scrolling, below a bar that stays",
    page: "/shapes",
    steps:
      "- assertNotVisible: Deep down\n- scrollUntilVisible: {element: Deep down}\n- tapOn: Deep down\n- tapOn: Menu",
    says: ["deep down", "menu"],
  },
  {
    name: "words of any script",
    page: "/words",
    steps:
      "- tapOn: 📱 起動\n- tapOn: 👩‍👩‍👧\n- assertVisible: مرحبا.*\n- assertVisible: STRASSE.*|straße.*\n- assertVisible: a b\n- assertVisible: QUIET",
    says: ["emoji", "family"],
  },
  {
    name: "a link, and what follows at once",
    page: "/leave",
    steps: "- tapOn: Plain link\n- tapOn: Shut",
    says: ["arrived"],
  },
  { name: "a link to a slow page", page: "/leave", steps: "- tapOn: Slow link\n- assertVisible: Slow page" },
  {
    name: "a page that leaves a little later",
    page: "/leave",
    steps: "- tapOn: Later\n- tapOn: Shut",
    says: ["arrived"],
  },
  {
    name: "a page that changes in place, and back",
    page: "/leave",
    steps: "- tapOn: In place\n- assertVisible: Second view\n- back\n- assertVisible: First view",
  },
  {
    name: "a new window, and back",
    page: "/leave",
    steps: "- tapOn: New window\n- assertVisible: Arrived\n- back\n- assertVisible: Leave",
  },
  {
    name: "a window opened by script, and closed by it",
    page: "/leave",
    steps: "- tapOn: Pop\n- tapOn: Shut\n- assertVisible: Leave",
    says: ["arrived"],
  },
  {
    name: "an alert",
    page: "/leave",
    steps: "- tapOn: Alert\n- assertVisible: Hello there\n- tapOn: OK\n- assertVisible: Leave",
    says: ["alert closed"],
  },
  {
    name: "a question, both ways",
    page: "/leave",
    steps: "- tapOn: Confirm\n- tapOn: Cancel\n- tapOn: Confirm\n- tapOn: OK",
    says: ["confirm false", "confirm true"],
  },
  {
    name: "a question for text",
    page: "/leave",
    steps: "- tapOn: Prompt\n- eraseText\n- inputText: Änne 🙂\n- tapOn: OK",
    says: ["prompt Änne 🙂"],
  },
];
