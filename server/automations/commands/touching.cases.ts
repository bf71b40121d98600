/** tapOn, doubleTapOn, longPressOn, and which element a selector means. */
import type { Case } from "./case.ts";

const tap = (name: string, page: string, selector: string, says: string): Case => ({
  name,
  page,
  steps: `- tapOn: ${selector}`,
  says: [says],
});

export const TOUCHING: readonly Case[] = [
  tap("a text, with a finger", "/taps", "Alpha", "alpha touch"),
  ...["alpha", "a", "first", "Alpha button", "The first"].map((id) =>
    tap(`the id ${id}`, "/taps", `{id: ${id}}`, "alpha touch"),
  ),
  tap("what Flutter calls it", "/taps", "{id: login_button}", "flutter"),
  tap("a pattern, in any case", "/taps", "item [3-9]", "item 3"),
  tap("a text with signs of patterns", "/taps", "'C++ [new]'", "plus"),
  tap("the button rather than the heading of the same words", "/taps", "Save", "save"),
  tap("what can be seen rather than what cannot", "/taps", "Ghost", "ghost button"),
  tap("the second", "/taps", "{text: Item.*, index: 1}", "item 2"),
  tap("the last", "/taps", "{text: Item.*, index: -1}", "item 3"),
  tap("an index out of an expression", "/taps", "{text: Item.*, index: '${1 + 1}'}", "item 3"),
  tap("a point of an element in per cent", "/taps", "{id: pad, point: '25%,90%'}", "pad 50,90"),
  tap("a point of an element in pixels", "/taps", "{id: pad, point: '150,20'}", "pad 150,20"),
  tap("a point of the screen", "/taps", "{point: '50%,98%'}", "ground 180,784"),
  tap("a point of the screen in pixels", "/taps", "{point: '90,780'}", "ground 90,780"),
  tap("by CSS", "/taps", "{css: 'p > button:nth-child(2)'}", "item 2"),
  {
    name: "text only as a whole",
    page: "/taps",
    steps:
      "- assertNotVisible: Ite\n- assertVisible: .*tem 1\n- assertVisible: Two lines\n- assertVisible: Sign in now\n- assertVisible: 'Total \\(3\\): .*'",
  },
  {
    name: "again and again, with time between",
    page: "/taps",
    steps: "- tapOn: {id: count, repeat: 3, delay: 50}",
    says: ["count", "count", "count"],
  },
  { name: "once when repeated no times", page: "/taps", steps: "- tapOn: {id: count, repeat: 0}", says: ["count"] },
  {
    name: "once more when nothing changed",
    page: "/taps",
    steps: "- tapOn: {id: shy, retryTapIfNoChange: true}\n- assertVisible: Done",
    says: ["shy gave way"],
  },
  {
    name: "only once when something changed",
    page: "/taps",
    steps: "- tapOn: {id: unfold, retryTapIfNoChange: true, waitUntilVisible: true}\n- assertNotVisible: {id: unfold}",
    says: ["unfolded"],
  },
  {
    name: "without waiting to settle",
    page: "/taps",
    steps: "- tapOn: {id: count, waitToSettleTimeoutMs: 0}",
    says: ["count"],
  },
  { name: "what is off, to no effect", page: "/taps", steps: "- tapOn: Off\n- tapOn: Count", says: ["count"] },
  { name: "twice", page: "/taps", steps: "- doubleTapOn: Double", says: ["double"] },
  { name: "twice, slower", page: "/taps", steps: "- doubleTapOn: {id: count, delay: 400}", says: ["count", "count"] },
  { name: "and holds", page: "/taps", steps: "- longPressOn: {id: hold}", says: ["held 3"] },
  {
    name: "nothing that is not there",
    page: "/taps",
    header: "limits: {lookup: 500}",
    steps: "- tapOn: Nowhere",
    ends: "failed",
    words: /"Nowhere" did not appear in 0.5 seconds/,
  },

  tap("inside of another", "/list", "{text: Buy, childOf: {id: roots}}", "carrot"),
  tap("below another, the nearest", "/list", "{text: Buy, below: Pear}", "carrot"),
  tap("above another, the nearest", "/list", "{text: Buy, above: Carrot}", "pear"),
  tap("right of another", "/list", "{text: Gift, rightOf: Pear}", "pear gift"),
  tap("left of another", "/list", "{text: Buy, leftOf: Gift, index: 1}", "pear"),
  {
    name: "what holds another",
    page: "/list",
    steps: "- tapOn: {id: box, containsChild: Leaf}\n- tapOn: {containsDescendants: [Inside, {text: Leaf}], id: box}",
    says: ["box", "box"],
  },
  {
    name: "the row with the text, and in it",
    page: "/list",
    steps: "- tapOn: {text: Buy, childOf: {id: 'row-.*', containsDescendants: [Pear]}}",
    says: ["pear"],
  },

  tap("what is on", "/states", "{text: Send, enabled: true}", "on"),
  {
    name: "what is off, by that",
    page: "/states",
    steps: "- assertVisible: {text: Send, enabled: false}\n- assertNotVisible: {id: tick-a, checked: true}",
  },
  tap("what is ticked", "/states", "{id: 'tick-.*', checked: true}", "b false"),
  tap("what is not ticked", "/states", "{text: Terms, checked: false}", "a true"),
  tap("what is selected", "/states", "{text: Tab, selected: true}", "tab b"),
  tap("what has the focus", "/states", "{text: Same, focused: true}", "f2 down"),
  tap("a square", "/states", "{traits: square, below: {id: f1}}", "square"),
  tap("a long text", "/states", "{traits: long-text}", "long"),
  tap("a size", "/states", "{width: 228, height: 30, tolerance: 3}", "wide"),
  tap("a label for its box", "/states", "Agree", "agree true"),
];
