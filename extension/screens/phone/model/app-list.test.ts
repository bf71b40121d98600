import { describe, expect, it } from "vitest";
import type { PhoneApp } from "../../../../shared/phones.ts";
import { appDetail, appsShown, readable } from "./app-list.ts";

const app = (id: string, label = id, system = false): PhoneApp => ({ id, label, system });
const APPS = [
  app("com.android.settings", "Settings", true),
  app("org.example.shop", "Shop"),
  app("org.example.bank", "bank"),
  app("com.android.shell", "Shell", true),
];
const ids = (apps: readonly PhoneApp[] | undefined) => apps?.map(({ id }) => id.split(".").at(-1));

describe("the list of apps", () => {
  it("has what was installed first, by name, and what came with the phone apart", () => {
    const { own, system, found } = appsShown(APPS, "  ");
    expect([ids(own), ids(system), found]).toEqual([["bank", "shop"], ["settings", "shell"], undefined]);
  });
  it("is searched by name and package, with every word, in all apps", () => {
    expect(ids(appsShown(APPS, "SH").found)).toEqual(["shell", "shop"]);
    expect(ids(appsShown(APPS, "example shop").found)).toEqual(["shop"]);
    expect(appsShown(APPS, "nothing").found).toEqual([]);
  });
  it("tells apps of one name apart", () => {
    expect(appDetail({ ...app("org.example.shop", "Shop"), version: "2.1" })).toBe(
      "org.example.shop · version\u00a02.1",
    );
    expect(appDetail(app("org.example.shop"))).toBe("org.example.shop");
  });
  it.each([
    ["com.android.vending", "Vending"],
    ["com.google.android.youtube", "Youtube"],
    ["org.mozilla.firefox", "Firefox"],
    ["com.shop_app.android", "Shop app"],
    ["com.android", "Android"],
  ])("says %s in a word where Android has no name for it", (id, word) => {
    expect(readable(app(id)).label).toBe(word);
    expect(readable(app(id, "Its name")).label).toBe("Its name");
  });
});
