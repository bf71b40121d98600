/** For HEALTHCHECK: exit status 0 when the server of this container answers as itself on its own port. */
import { request } from "node:http";
import { request as requestTls } from "node:https";

const LIMIT_MS = 4_000;
const port = process.env.PORT ?? "8787";
const isTls = (process.env.TLS_CERT_FILE ?? "") !== "";
// The certificate names the public address, and this is the machine itself.
const options = { host: "127.0.0.1", port, path: "/healthz", timeout: LIMIT_MS, rejectUnauthorized: false };

const call = (isTls ? requestTls : request)(options, async (answer) => {
  let text = "";
  for await (const chunk of answer) text += chunk;
  const isPerch = answer.statusCode === 200 && JSON.parse(text).product === "perch";
  process.exit(isPerch ? 0 : 1);
});
call.on("timeout", () => process.exit(1));
call.on("error", () => process.exit(1));
call.end();
