/** A step of a flow in words, as the step list shows it. Templates stand as written. */
import type { Command, Condition, Selector, Step, Steps } from "../../../../shared/flows/model.ts";

export function stepWords({ command, label }: Pick<Step, "command" | "label">): string {
  return label ?? commandWords(command);
}

function commandWords(command: Command): string {
  switch (command.name) {
    case "tapOn":
      return `Tap ${element(command.selector)}`;
    case "doubleTapOn":
      return `Double tap ${element(command.selector)}`;
    case "longPressOn":
      return `Press and hold ${element(command.selector)}`;
    case "assertVisible":
      return `Check that ${element(command.selector)} is there`;
    case "assertNotVisible":
      return `Check that ${element(command.selector)} is gone`;
    case "copyTextFrom":
      return `Copy the text of ${element(command.selector)}`;
    case "launchApp":
      return command.appId === undefined ? "Open the page" : `Open ${short(command.appId)}`;
    case "stopApp":
    case "killApp":
      return `Close ${command.appId === undefined ? "the page" : short(command.appId)}`;
    case "clearState":
      return `Forget the data of ${command.appId === undefined ? "the page" : short(command.appId)}`;
    case "openLink":
      return `Open ${short(command.link)}`;
    case "inputText":
      return `Type “${short(command.text)}”`;
    case "eraseText":
      return command.characters === undefined ? "Erase the text" : `Erase ${command.characters} characters`;
    case "pasteText":
      return "Paste";
    case "back":
      return "Go back";
    case "hideKeyboard":
      return "Hide the keyboard";
    case "scroll":
      return "Scroll down";
    case "clearKeychain":
      return "Clear the keychain";
    case "pressKey":
      return `Press ${command.key}`;
    case "swipe":
      if (command.direction === undefined) return `Swipe from ${command.start ?? "?"} to ${command.end ?? "?"}`;
      return `Swipe ${command.direction.toLowerCase()}${command.from === undefined ? "" : ` from ${element(command.from)}`}`;
    case "scrollUntilVisible":
      return `Scroll until ${element(command.element)} is visible`;
    case "assertTrue":
      return `Check ${short(command.condition)}`;
    case "extendedWaitUntil":
      return `Wait until ${conditionWords(command.condition)}`;
    case "waitForAnimationToEnd":
      return "Wait until the picture stands still";
    case "takeScreenshot":
      return `Take the picture “${short(command.path)}”`;
    case "assertScreenshot":
      return `Compare with the picture “${short(command.path)}”`;
    case "startRecording":
      return `Record “${short(command.path)}”`;
    case "stopRecording":
      return "Stop recording";
    case "runFlow":
      return `${inSteps(command.steps, "Do")}${command.when === undefined ? "" : ` if ${conditionWords(command.when)}`}`;
    case "repeat":
      if (command.while !== undefined) return `Repeat while ${conditionWords(command.while)}`;
      return command.times === undefined ? "Repeat" : `Repeat ${command.times} times`;
    case "retry":
      return `${inSteps(command.steps, "Try")}, again up to ${command.maxRetries} times`;
    case "evalScript":
      return `Evaluate ${short(command.script)}`;
    case "runScript":
      return `Run the script ${short(command.file)}${command.when === undefined ? "" : ` if ${conditionWords(command.when)}`}`;
    case "setLocation":
      return `Set the location to ${command.latitude}, ${command.longitude}`;
    case "travel":
      return `Travel through ${command.points.length} places`;
    case "setOrientation":
      return `Turn to ${command.orientation.toLowerCase().replaceAll("_", " ")}`;
    case "setPermissions":
      return `Set permissions: ${Object.entries(command.permissions)
        .map(([name, answer]) => `${name} ${answer}`)
        .join(", ")}`;
    case "setClipboard":
      return `Put “${short(command.text)}” on the clipboard`;
    case "inputRandomText":
      return "Type random letters";
    case "inputRandomNumber":
      return "Type random digits";
    case "inputRandomEmail":
      return "Type a random e-mail address";
    case "inputRandomPersonName":
      return "Type a random name";
    case "inputRandomCityName":
      return "Type a random city";
    case "inputRandomCountryName":
      return "Type a random country";
    case "inputRandomColorName":
      return "Type a random colour";
    case "setDarkMode":
      return `Set dark mode: ${command.value}`;
    case "toggleDarkMode":
      return "Turn dark mode the other way";
    case "assertDarkMode":
      return "Check that dark mode is on";
    case "assertLightMode":
      return "Check that dark mode is off";
    case "setAirplaneMode":
      return `Set airplane mode: ${command.value}`;
    case "toggleAirplaneMode":
      return "Turn airplane mode the other way";
    case "addMedia":
      return `Put ${command.files.map((file) => short(file)).join(", ")} on the phone`;
    case "unsupported":
      return command.command;
  }
}

function inSteps(steps: Steps, verb: string): string {
  return "file" in steps ? `${verb} the steps of ${short(steps.file)}` : `${verb} these steps`;
}

function conditionWords({ visible, notVisible, true: expression, platform }: Condition): string {
  const parts = [
    visible && `${element(visible)} is there`,
    notVisible && `${element(notVisible)} is gone`,
    expression !== undefined && `${short(expression)} is true`,
    platform && `this is ${platform}`,
  ].filter((part) => typeof part === "string");
  return parts.length === 0 ? "anything" : parts.join(" and ");
}

/** "“Save” below “Address”", "the element with id submit". */
function element(selector: Selector): string {
  const { text, id, css, point, index, below, above, leftOf, rightOf, childOf, containsChild } = selector;
  const parts: string[] = [];
  if (text !== undefined) parts.push(`“${short(text)}”`);
  if (id !== undefined) parts.push(text === undefined ? `the element ${short(id)}` : `(${short(id)})`);
  if (css !== undefined) parts.push(`the element ${short(css)}`);
  if (parts.length === 0) parts.push(point === undefined ? "an element" : `at ${point}`);
  else if (point !== undefined) parts.push(`at ${point}`);
  if (index !== undefined) parts.push(indexWords(index));
  for (const [words, other] of [
    ["below", below],
    ["above", above],
    ["left of", leftOf],
    ["right of", rightOf],
    ["in", childOf],
    ["with", containsChild],
  ] as const) {
    if (other !== undefined) parts.push(`${words} ${element(other)}`);
  }
  return parts.join(" ");
}

function indexWords(index: string): string {
  const number = Number(index);
  if (!Number.isInteger(number)) return `number ${index}`;
  if (number < 0) return number === -1 ? "(the last)" : `(number ${-number} from the end)`;
  return `(number ${number + 1})`;
}

const LONGEST = 80;

function short(text: string): string {
  const letters = Array.from(text.replaceAll(/\s+/g, " ").trim());
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : letters.join("");
}
