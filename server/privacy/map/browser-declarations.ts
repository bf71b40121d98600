/** What the browsers' stores are told the extension collects, derived from what it sends (`extension-stores.ts`). */
import type { ExtensionFlow, SentData } from "./extension-stores.ts";
import { EXTENSION_FLOWS } from "./extension-stores.ts";

/** Firefox's data types (`data_collection_permissions`, Firefox 140). */
const FIREFOX_TYPES = [
  "authenticationInfo",
  "bookmarksInfo",
  "browsingActivity",
  "financialAndPaymentInfo",
  "healthInfo",
  "locationInfo",
  "personalCommunications",
  "personallyIdentifyingInfo",
  "searchTerms",
  "technicalAndInteraction",
  "websiteActivity",
  "websiteContent",
] as const;
export type FirefoxType = (typeof FIREFOX_TYPES)[number];

/** The categories of the Chrome Web Store's privacy form, in its order. */
export const CHROME_TYPES = {
  identity: "Personally identifiable information",
  health: "Health information",
  financial: "Financial and payment information",
  authentication: "Authentication information",
  communications: "Personal communications",
  location: "Location",
  history: "Web history",
  activity: "User activity",
  content: "Website content",
} as const;
export type ChromeType = keyof typeof CHROME_TYPES;

/** Each kind of data in the words of both browsers; `undefined` for what may not leave the browser through the extension. */
const DECLARED = {
  "user.name": { firefox: "personallyIdentifyingInfo", chrome: "identity" },
  "user.contact.email": { firefox: "personallyIdentifyingInfo", chrome: "identity" },
  "user.authorization.password": { firefox: "authenticationInfo", chrome: "authentication" },
  "user.authorization.credentials": { firefox: "authenticationInfo", chrome: "authentication" },
  "user.unique_id": { firefox: "personallyIdentifyingInfo", chrome: "identity" },
  "user.unique_id.pseudonymous": undefined,
  "user.device.ip_address": undefined,
  "user.device.device_id": { firefox: "technicalAndInteraction", chrome: "identity" },
  "user.location.imprecise": { firefox: "locationInfo", chrome: "location" },
  "user.behavior": { firefox: "technicalAndInteraction", chrome: "activity" },
  "user.content.private": { firefox: "websiteContent", chrome: "content" },
  "user.account.settings": { firefox: "technicalAndInteraction", chrome: "activity" },
  "user.privacy_preferences": { firefox: "technicalAndInteraction", chrome: "activity" },
  "user.payment": { firefox: "financialAndPaymentInfo", chrome: "financial" },
  "system.operations": undefined,
  "page.address": { firefox: "browsingActivity", chrome: "history" },
  "page.content": { firefox: "websiteContent", chrome: "content" },
} as const satisfies Record<SentData, { firefox: FirefoxType; chrome: ChromeType } | undefined>;

/** @throws Error for data that may not leave the browser through the extension. */
function declared(data: SentData): { firefox: FirefoxType; chrome: ChromeType } {
  const found = DECLARED[data];
  if (found === undefined) throw new Error(`The extension may not send ${data}.`);
  return found;
}

export interface DataCollection {
  readonly required: readonly FirefoxType[];
  readonly optional: readonly FirefoxType[];
}

/** Firefox's `data_collection_permissions`: required is what nothing works without. */
export function dataCollection(flows: readonly ExtensionFlow[] = EXTENSION_FLOWS): DataCollection {
  const typesOf = (when: ExtensionFlow["when"]) => {
    const sent = flows
      .filter((flow) => flow.when === when)
      .flatMap(({ data }) => data.map((one) => declared(one).firefox));
    return FIREFOX_TYPES.filter((type) => sent.includes(type));
  };
  const required = typesOf("always");
  return { required, optional: typesOf("asked").filter((type) => !required.includes(type)) };
}

/** Which of Chrome's categories are collected, with what is sent of each. */
export function chromeAnswers(
  flows: readonly ExtensionFlow[] = EXTENSION_FLOWS,
): readonly { readonly type: ChromeType; readonly flows: readonly ExtensionFlow[] }[] {
  return (Object.keys(CHROME_TYPES) as ChromeType[]).map((type) => ({
    type,
    flows: flows.filter(({ data }) => data.some((one) => declared(one).chrome === type)),
  }));
}

/** The module `extension/data-collection.ts`, which the manifest reads. */
export function dataCollectionModule(): string {
  const list = (types: readonly FirefoxType[]) => `[${types.map((type) => `"${type}"`).join(", ")}]`;
  const { required, optional } = dataCollection();
  return `/**
 * Shown by Firefox at install. Made from the data map by \`npm run docs:generate\`; what the extension sends is listed in
 * \`server/privacy/map/extension-stores.ts\`.
 */
export const DATA_COLLECTION = {
  required: ${list(required)},
  optional: ${list(optional)},
};
`;
}
