/** Writes the files that are made from the code: `.env.example`, `docs/authz.md`, `docs/recorder.md`, `docs/security/abuse.md`. A test holds them up to date. */
import { writeFileSync } from "node:fs";
import { authzDocument } from "../server/authz.ts";
import { envExample } from "../server/config.ts";
import { recorderDocument } from "../shared/recorder/testing/survival.ts";
import { abuseDocument } from "./abuse-cases.ts";

writeFileSync(".env.example", envExample());
writeFileSync("docs/authz.md", authzDocument());
writeFileSync("docs/recorder.md", recorderDocument());
writeFileSync("docs/security/abuse.md", abuseDocument());
