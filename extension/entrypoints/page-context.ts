/**
 * The script in pages of sites with a rule that may act by itself; nowhere else (`rules/known-rules.ts`). No content
 * script of the framework's: those talk to the page by `window.postMessage`.
 */
import { defineUnlistedScript } from "wxt/utils/define-unlisted-script";
import { announcePage } from "../rules/announce-page.ts";

export default defineUnlistedScript(announcePage);
