/** Writes the files that are made from the code: `.env.example` and `docs/authz.md`. A test holds them up to date. */
import { writeFileSync } from "node:fs";
import { authzDocument } from "../server/authz.ts";
import { envExample } from "../server/config.ts";

writeFileSync(".env.example", envExample());
writeFileSync("docs/authz.md", authzDocument());
