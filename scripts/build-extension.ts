/** Builds the extension for both browsers into `dist/extension/{chrome,firefox}-mv3`, then checks its size. */
import { run } from "./run.ts";

run("wxt", ["build", "--browser", "chrome"]);
run("wxt", ["build", "--browser", "firefox", "--mv3"]);
run("node", ["scripts/check-size.ts"]);
