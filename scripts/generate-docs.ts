/** Writes the files that are made from the code: `.env.example`, `docs/authz.md`, `docs/recorder.md`, `docs/security/abuse.md`, `docs/privacy/clauses.md`. A test holds them up to date. */
import { mkdirSync, writeFileSync } from "node:fs";
import { authzDocument } from "../server/authz.ts";
import { envExample } from "../server/config.ts";
import { recorderDocument } from "../shared/recorder/testing/survival.ts";
import { abuseDocument } from "./abuse-cases.ts";
import { clausesDocument } from "./clauses.ts";

writeFileSync(".env.example", envExample());
writeFileSync("docs/authz.md", authzDocument());
writeFileSync("docs/recorder.md", recorderDocument());
writeFileSync("docs/security/abuse.md", abuseDocument());
mkdirSync("docs/privacy", { recursive: true });
writeFileSync("docs/privacy/clauses.md", clausesDocument());
