/**
 * Shown by Firefox at install. Made from the data map by `npm run docs:generate`; what the extension sends is listed in
 * `server/privacy/map/extension-stores.ts`.
 */
export const DATA_COLLECTION = {
  required: ["authenticationInfo", "personallyIdentifyingInfo"],
  optional: ["browsingActivity", "websiteContent"],
};
