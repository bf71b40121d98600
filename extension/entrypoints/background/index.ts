/**
 * The background worker: only registrations. The browser stops it whenever it likes, so it holds no truth, and every
 * listener is registered in its first turn, or the event that woke it would be lost.
 */
import { defineBackground } from "wxt/utils/define-background";
import { keepStorageFromPages } from "../../platform/storage-access.ts";
import { type EvaluateRule, evaluator } from "../../rules/evaluate-rule.ts";
import { evaluateOffscreen } from "../../rules/expression-messages.ts";
import { evaluateHere } from "../../rules/expressions-here.ts";
import { indexedDbRecords } from "../../rules/rule-records.ts";
import { createLightApp } from "../../state/light-app.ts";
import { registerBadge } from "./alarms.ts";
import { registerCommands } from "./commands.ts";
import { registerInstall } from "./install.ts";
import { registerMenus } from "./menus.ts";
import { registerOmnibox } from "./omnibox.ts";
import { registerPrivacy } from "./privacy.ts";
import { registerRules } from "./rules.ts";

/** Firefox's worker is a page, which can load the engine when it is needed. */
const withExpressions: EvaluateRule = import.meta.env.FIREFOX ? evaluateHere : evaluateOffscreen;

export default defineBackground({
  type: "module",
  main() {
    void keepStorageFromPages();
    const app = createLightApp();
    registerInstall();
    const evaluate = evaluator(withExpressions);
    const parts = { app, records: indexedDbRecords(), evaluate, now: Date.now };
    registerMenus(app, parts);
    registerRules(parts);
    registerCommands(app);
    registerOmnibox(app);
    registerBadge(app);
    registerPrivacy(app);
  },
});
