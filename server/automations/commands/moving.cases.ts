/** scroll, swipe, scrollUntilVisible, and what only looks or waits. */
import type { Case } from "./case.ts";

const swipe = (how: string, says: RegExp): Case => ({
  name: `swipe ${how}`,
  page: "/gestures",
  steps: `- swipe: ${how}`,
  says: [says],
});

export const MOVING: readonly Case[] = [
  swipe("{direction: LEFT}", /^left( on the card)? 90,50,10,50$/),
  swipe("{direction: RIGHT}", /^right 10,50,90,50$/),
  swipe("{direction: UP}", /^up( on the card)? 50,50,50,10$/),
  swipe("DOWN", /^down( on the card)? 50,20,50,90$/),
  swipe("{start: '10%,70%', end: '80%,75%'}", /^right 10,70,80,75$/),
  swipe("{start: '36,80', end: '36,720', duration: 1000}", /^down 10,10,10,90 slowly$/),
  swipe("{from: Card, direction: LEFT}", /^left on the card 50,33,\d,33$/),
  swipe(
    "{from: {id: card, point: '10%,10%'}, direction: UP, waitToSettleTimeoutMs: 50}",
    /^up on the card 28,27,28,\d$/,
  ),
  { name: "scroll", page: "/tall?tell", steps: "- scroll\n- assertNotVisible: Top", says: ["scrolled true"] },
  {
    name: "scrolls down to what is far below, and up again",
    page: "/tall",
    steps:
      "- scrollUntilVisible: {element: At the bottom, speed: 100}\n- tapOn: {id: low}\n- scrollUntilVisible: {element: {text: At the top}, direction: UP, speed: 100}\n- tapOn: At the top",
    says: ["low", "top"],
  },
  {
    name: "scrolls to the middle",
    page: "/tall",
    steps: "- scrollUntilVisible: {element: {id: low}, centerElement: true, speed: 80}\n- tapOn: Where",
    says: ["low at the middle"],
  },
  {
    name: "scrolls to the right and left",
    page: "/wide",
    steps:
      "- scrollUntilVisible: {element: Page 4 ends, direction: RIGHT}\n- scrollUntilVisible: {element: Page 1 ends, direction: LEFT, visibilityPercentage: 50}\n- assertVisible: Page 1 ends",
  },
  {
    name: "scrolls through what loads meanwhile",
    page: "/lazy",
    steps: "- scrollUntilVisible: {element: Row 40, speed: 100, waitToSettleTimeoutMs: 200}\n- tapOn: Row 40",
    says: ["Row 40"],
  },
  {
    name: "says what did not come into view",
    page: "/tall",
    steps: "- scrollUntilVisible: {element: Never, timeout: 1500}",
    ends: "failed",
    words: /"Never" did not come into view in 1.5 seconds/,
  },
  { name: "assertVisible waits", page: "/restless", steps: "- assertVisible: Came late\n- assertNotVisible: Never" },
  {
    name: "assertNotVisible waits",
    page: "/restless",
    steps: "- assertVisible: Went late\n- assertNotVisible: Went late",
  },
  {
    name: "assertNotVisible is true of what is off the screen or hidden",
    page: "/tall",
    steps: "- assertNotVisible: At the bottom\n- assertVisible: Top",
  },
  {
    name: "extendedWaitUntil waits for both",
    page: "/restless",
    steps:
      "- extendedWaitUntil: {visible: Came late, timeout: 5_000}\n- extendedWaitUntil: {notVisible: {id: veil}, timeout: '${2000 + 3000}'}",
  },
  {
    name: "extendedWaitUntil says how long it waited",
    page: "/tall",
    steps: "- extendedWaitUntil: {visible: Never, timeout: 300}",
    ends: "failed",
    words: /"Never" did not appear in 0.3 seconds/,
  },
  {
    name: "waitForAnimationToEnd",
    page: "/taps",
    steps: "- waitForAnimationToEnd\n- waitForAnimationToEnd: {timeout: 1000}",
  },
  {
    name: "waitForAnimationToEnd goes on after its time",
    page: "/restless",
    steps: "- waitForAnimationToEnd: {timeout: 500}",
    words: /still moved after 0.5 seconds/,
  },
  {
    name: "an assertion that is not met",
    page: "/taps",
    header: "limits: {lookup: 400}",
    steps: "- assertNotVisible: Alpha",
    ends: "failed",
    words: /"Alpha" was still visible after 0.4 seconds/,
  },
];
