/**
 * Writes the files that are made from the code: `.env.example`, `docs/authz.md`, `docs/recorder.md`, `docs/security/abuse.md`,
 * `docs/privacy/` and `extension/data-collection.ts`. Tests hold them up to date.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { authzDocument } from "../server/authz.ts";
import { envExample } from "../server/config.ts";
import { dataCollectionModule } from "../server/privacy/map/browser-declarations.ts";
import { recorderDocument } from "../shared/recorder/testing/survival.ts";
import { abuseDocument } from "./abuse-cases.ts";
import { clausesDocument } from "./clauses.ts";
import { chromeWebStoreDocument, dataMapDocument } from "./privacy-docs.ts";

writeFileSync(".env.example", envExample());
writeFileSync("docs/authz.md", authzDocument());
writeFileSync("docs/recorder.md", recorderDocument());
writeFileSync("docs/security/abuse.md", abuseDocument());
mkdirSync("docs/privacy", { recursive: true });
writeFileSync("docs/privacy/clauses.md", clausesDocument());
writeFileSync("docs/privacy/data-map.md", dataMapDocument());
writeFileSync("docs/privacy/chrome-web-store.md", chromeWebStoreDocument());
writeFileSync("extension/data-collection.ts", dataCollectionModule());
