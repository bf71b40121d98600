import { expect, it } from "vitest";
import { isPlayPage } from "./play-page.ts";

it.each([
  ["https://play.google.com/store/apps/details?id=org.example.shop&hl=de", true],
  ["https://play.google.com/store/apps", false],
  ["https://play.google.com/store/apps/details", false],
  ["https://play.google.com.example/store/apps/details?id=a.b", false],
  ["http://play.google.com/store/apps/details?id=a.b", false],
  ["about:blank", false],
  [undefined, false],
])("%s is an app's page of the Play Store: %s", (address, expected) => {
  expect(isPlayPage(address)).toBe(expected);
});
