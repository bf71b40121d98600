/** Screens as a web phone lists them, for tests: a shop, a sign-in form and settings. */
import type { UiElement, UiTree } from "../../ui-tree.ts";

type Box = readonly [x: number, y: number, width: number, height: number];
export const WIDTH = 400;
export const HEIGHT = 800;

let made = 0;

/** An element at pixels of a 400 × 800 screen; its ref is new unless given. */
export function element(
  [x, y, width, height]: Box,
  more: Partial<UiElement> = {},
  children: readonly UiElement[] = [],
): UiElement {
  made += 1;
  return {
    ref: `e${made}`,
    role: "generic",
    text: "",
    hint: "",
    accessibilityText: "",
    id: "",
    bounds: { x: x / WIDTH, y: y / HEIGHT, width: width / WIDTH, height: height / HEIGHT },
    enabled: true,
    selected: false,
    checked: false,
    focused: false,
    clickable: false,
    password: false,
    ...more,
    children,
  };
}

export function screen(...children: readonly UiElement[]): UiTree {
  return { root: element([0, 0, WIDTH, HEIGHT], {}, children), width: WIDTH, height: HEIGHT };
}

const button = (box: Box, text: string, more: Partial<UiElement> = {}) =>
  element(box, { role: "button", text, clickable: true, ...more });

/** Products with a name, a price and the same button each. */
export function shop(): UiTree {
  const names = ["Blue chair", "Oak table", "Reading lamp", "Wool rug"];
  return screen(
    element([0, 0, 400, 50], { role: "banner" }, [
      element([10, 10, 120, 30], { role: "heading", text: "The shop" }),
      element([340, 10, 50, 30], { role: "link", accessibilityText: "Cart", clickable: true, id: "cart-link" }, [
        element([345, 12, 20, 20], { role: "image" }),
        element([368, 12, 16, 20], { role: "text", text: "3" }),
      ]),
    ]),
    element([10, 60, 300, 40], { role: "searchbox", hint: "Search the shop", clickable: true, id: "q" }),
    element(
      [0, 110, 400, 600],
      { role: "list", id: "products" },
      names.map((name, row) =>
        element([10, 110 + row * 140, 380, 130], { role: "listitem" }, [
          element([20, 120 + row * 140, 200, 24], { role: "heading", text: name }),
          element([20, 150 + row * 140, 80, 20], { role: "text", text: `$${row + 1}9.00` }),
          button([280, 190 + row * 140, 100, 40], "Add to cart"),
        ]),
      ),
    ),
    element([0, 750, 400, 50], { role: "contentinfo" }, [
      element([10, 760, 120, 30], { role: "link", text: "Terms and returns", clickable: true }),
      element([140, 760, 120, 30], { role: "link", text: "Contact", clickable: true, id: "link-4827193" }),
    ]),
  );
}

export function signIn(): UiTree {
  return screen(
    element([20, 40, 200, 30], { role: "heading", text: "Sign in" }),
    element([20, 100, 360, 150], { role: "form", id: "sign-in" }, [
      element([20, 100, 360, 40], { role: "textbox", accessibilityText: "E-mail", clickable: true, id: "email" }),
      element([20, 150, 360, 40], {
        role: "textbox",
        accessibilityText: "Password",
        clickable: true,
        password: true,
        id: "password",
      }),
      element([20, 210, 120, 40], { role: "button", clickable: true, accessibilityText: "Sign in now", id: ":r7:" }, [
        element([30, 220, 60, 20], { role: "text", text: "Sign in" }),
        element([95, 220, 35, 20], { role: "text", text: "now" }),
      ]),
    ]),
    element([20, 270, 200, 30], { role: "label", text: "Keep me signed in", clickable: true }),
    element([20, 320, 200, 30], { role: "link", text: "Forgot your password?", clickable: true }),
  );
}

export function settings(): UiTree {
  const rows = ["Sound", "Display", "Language", "Privacy", "About this phone"];
  return screen(
    element([20, 20, 200, 30], { role: "heading", text: "Settings" }),
    ...rows.map((name, row) =>
      element(
        [0, 70 + row * 60, 400, 60],
        { role: "row", clickable: true, id: `row-${name.split(" ")[0]?.toLowerCase()}` },
        [
          element([20, 85 + row * 60, 200, 24], { role: "text", text: name }),
          element([330, 85 + row * 60, 50, 30], { role: "switch", clickable: true, accessibilityText: `${name} on` }),
        ],
      ),
    ),
    element([20, 400, 200, 30], { role: "text", text: "Updated 12 May 2026" }),
    button([20, 440, 150, 40], "Reset", { id: "reset" }),
  );
}

export const SCREENS = { shop, signIn, settings } as const;
