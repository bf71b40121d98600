// biome-ignore-all lint/suspicious/noTemplateCurlyInString: a template of a flow.
/** A program that needs the threads; bundled and run by `server-bundle.test.ts`. */
import { checkPicture } from "../server/automations/engine/picture-check.ts";
import { openScriptEngine } from "../server/automations/script/engine.ts";

const engine = openScriptEngine({ platform: "web", seed: "run", http: async () => ({ ok: false, message: "none" }) });
const script = await engine.renderTemplate("${[1, 2].map((n) => n * 21)[1]}");
await engine.dispose();
const question = { expected: undefined, actual: new Uint8Array(), bounds: undefined, threshold: 95 };
const picture = await checkPicture(question, new AbortController().signal);
console.log(JSON.stringify({ script, picture }));
