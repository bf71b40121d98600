// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a template of a flow.
/** A program that needs the script thread; bundled and run by `server-bundle.test.ts`. */
import { openScriptEngine } from "../server/automations/script/engine.ts";

const engine = openScriptEngine({ platform: "web", seed: "run", http: async () => ({ ok: false, message: "none" }) });
console.log(JSON.stringify(await engine.renderTemplate("${[1, 2].map((n) => n * 21)[1]}")));
await engine.dispose();
