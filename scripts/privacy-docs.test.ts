import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DATA_COLLECTION } from "../extension/data-collection.ts";
import { dataCollection, dataCollectionModule } from "../server/privacy/map/browser-declarations.ts";
import { chromeWebStoreDocument, dataMapDocument } from "./privacy-docs.ts";

describe("what is made from the data map", () => {
  it.each([
    ["docs/privacy/data-map.md", dataMapDocument],
    ["docs/privacy/chrome-web-store.md", chromeWebStoreDocument],
    ["extension/data-collection.ts", dataCollectionModule],
  ])("%s is up to date", (file, make) => {
    expect(readFileSync(file, "utf8") === make(), "npm run docs:generate").toBe(true);
  });

  it("is what Firefox shows at install", () => {
    expect(DATA_COLLECTION).toEqual(dataCollection());
    expect(dataCollection()).toEqual({
      required: ["authenticationInfo", "personallyIdentifyingInfo"],
      optional: ["browsingActivity", "websiteContent"],
    });
  });
});
