/** What a person probably meant by a name that is none. */

/** The nearest of `known`, if one is near enough to be a slip of the finger or memory. */
export function nearest(wrong: string, known: readonly string[]): string | undefined {
  const name = wrong.slice(0, 48).toLowerCase();
  const allowed = name.length <= 3 ? 1 : name.length <= 6 ? 2 : 3;
  let best: { name: string; distance: number } | undefined;
  for (const candidate of known) {
    const distance = editDistance(name, candidate.toLowerCase());
    if (distance <= allowed && (best === undefined || distance < best.distance)) best = { name: candidate, distance };
  }
  if (best !== undefined) return best.name;
  if (name.length < 4) return undefined;
  return known.find(
    (candidate) => candidate.toLowerCase().startsWith(name) || name.startsWith(candidate.toLowerCase()),
  );
}

/** " Did you mean `x`?", or nothing. */
export function didYouMean(wrong: string, known: readonly string[]): string {
  const name = nearest(wrong, known);
  return name === undefined ? "" : ` Did you mean \`${name}\`?`;
}

/** Insertions, deletions, replacements and swapped neighbours. */
function editDistance(a: string, b: string): number {
  let before: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let cost = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        cost = Math.min(cost, (before[j - 2] ?? 0) + 1);
      row.push(cost);
    }
    before = last;
    last = row;
  }
  return last[b.length] ?? 0;
}

const WAIT =
  "Use `extendedWaitUntil` with `visible:` and `timeout:` to wait for something, or `waitForAnimationToEnd`; a bare pause is not part of the language.";
const ERASE = "Use `eraseText`: it removes 50 characters of the focused field, or as many as it says.";

/** Commands people write that Maestro does not have, each with what to write instead. */
export const COMMAND_MISTAKES: Readonly<Record<string, string>> = {
  wait: WAIT,
  sleep: WAIT,
  delay: WAIT,
  pause: WAIT,
  waitFor: WAIT,
  waitForElement: WAIT,
  waitUntil: WAIT,
  waitUntilVisible: WAIT,
  waitForVisible: WAIT,
  clearText: ERASE,
  clearInput: ERASE,
  clear: ERASE,
  deleteText: ERASE,
  click: "Did you mean `tapOn`?",
  tap: "Did you mean `tapOn`?",
  press: "Did you mean `tapOn`, or `pressKey` for a key?",
  longPress: "Did you mean `longPressOn`?",
  doubleTap: "Did you mean `doubleTapOn`?",
  type: "Did you mean `inputText`?",
  typeText: "Did you mean `inputText`?",
  enterText: "Did you mean `inputText`?",
  fill: "Tap the field with `tapOn`, then use `inputText`.",
  open: "Did you mean `openLink`?",
  openUrl: "Did you mean `openLink`?",
  openBrowser: "Did you mean `openLink`?",
  navigate: "Did you mean `openLink`?",
  goto: "Did you mean `openLink`?",
  goBack: "Did you mean `back`?",
  pressBack: "Did you mean `back`?",
  screenshot: "Did you mean `takeScreenshot`?",
  openApp: "Did you mean `launchApp`?",
  startApp: "Did you mean `launchApp`?",
  closeApp: "Did you mean `stopApp`?",
  assert: "Did you mean `assertVisible` or `assertTrue`?",
  assertText: "Did you mean `assertVisible`?",
  see: "Did you mean `assertVisible`?",
  scrollTo: "Did you mean `scrollUntilVisible`?",
  scrollDown: "Use `scroll`, or `swipe` with `direction: UP`.",
  scrollUp: "Use `swipe` with `direction: DOWN`.",
  if: "Use `runFlow` with `when:` and `commands:`.",
  when: "Use `runFlow` with `when:` and `commands:`.",
  loop: "Use `repeat` with `times:` or `while:` and `commands:`.",
  for: "Use `repeat` with `times:` or `while:` and `commands:`.",
  while: "Use `repeat` with `while:` and `commands:`.",
  js: "Did you mean `evalScript`?",
  script: "Did you mean `evalScript` or `runScript`?",
  log: "Use `evalScript: ${console.log('…')}`.",
  print: "Use `evalScript: ${console.log('…')}`.",
  drag: "Use `swipe` with `start:` and `end:`.",
};

/** A sentence for a command that is none. `swipe LEFT` and the like are read as a command and its value. */
export function unknownCommand(name: string, known: readonly string[]): string {
  const shown = name.slice(0, 60);
  const head = `\`${shown}\` is not a command.`;
  const mistake = Object.hasOwn(COMMAND_MISTAKES, name) ? COMMAND_MISTAKES[name] : undefined;
  if (mistake !== undefined) return `${head} ${mistake}`;
  const [first = "", ...rest] = shown.split(/\s+/);
  const value = rest.join(" ");
  if (value !== "" && first === "swipe")
    return `${head} Write \`swipe:\` and below it, indented, \`direction: ${value}\`.`;
  if (value !== "" && known.includes(first)) return `${head} Write \`${first}: ${value}\`, with a colon.`;
  return `${head}${didYouMean(shown, known)}`;
}
