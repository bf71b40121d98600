/**
 * What a script finds around it, as JavaScript for QuickJS: `output`, `maestro`, `http`, `json`, `relativePoint`,
 * `faker`, `console`, the environment's variables, and `undefined` for every other name (Maestro's GraalJsEngine).
 *
 * The expression's value is a function of the host's functions, which gives `begin` and `finish` of an evaluation; jobs
 * of promises run between the two. A script can break all of this, and then only harms itself: whoever calls believes
 * nothing but the types and sizes of what comes back.
 */
export const PRELUDE = `
(function (platform, hostHttp, hostLog, hostFake) {
  const { parse, stringify } = JSON;
  const text = String;
  const call = Function.prototype.call;
  const then = call.bind(Promise.prototype.then);
  const httpErrors = new WeakSet();
  const fromHttp = call.bind(WeakSet.prototype.has, httpErrors);
  const markHttp = call.bind(WeakSet.prototype.add, httpErrors);

  let env = Object.create(null);
  let copiedText = "";

  const send = (method, url, params) => {
    const { headers = {}, body, multipartForm } = params ?? {};
    if (multipartForm !== undefined) throw new Error("multipartForm is not available here: send the body as text.");
    const lines = {};
    for (const name of Object.keys(headers ?? {})) lines[name] = text(headers[name]);
    const answer = parse(hostHttp(stringify({
      url: text(url),
      method: text(method),
      headers: lines,
      body: body === undefined || body === null || typeof body === "string" ? (body ?? undefined) : stringify(body),
    })));
    if (answer.ok) {
      const { status, body, headers } = answer.response;
      return { ok: status >= 200 && status < 300, status, body, headers };
    }
    const error = new Error(answer.message);
    error.name = "HttpError";
    markHttp(error);
    throw error;
  };

  const shown = (value) => {
    if (typeof value !== "object" || value === null) return text(value);
    if (value instanceof Error) return text(value);
    try {
      return stringify(value) ?? text(value);
    } catch {
      return "[object]";
    }
  };
  const log = (...values) => hostLog(values.map(shown).join(" "));

  const say = (kind) => (size, most) => hostFake(kind, size, most);
  const number = (kind) => (size, most) => Number(hostFake(kind, size, most));

  const globals = {
    output: {},
    maestro: {
      platform,
      get copiedText() {
        return copiedText;
      },
    },
    http: {
      get: (url, params) => send("GET", url, params),
      post: (url, params) => send("POST", url, params),
      put: (url, params) => send("PUT", url, params),
      delete: (url, params) => send("DELETE", url, params),
      request: (url, params) => send(params?.method ?? "GET", url, params),
    },
    json: (value) => parse(value),
    relativePoint: (x, y) => Math.ceil(x * 100) + "%," + Math.ceil(y * 100) + "%",
    console: { log, info: log, warn: log, error: log, debug: log },
    faker: {
      name: () => ({
        firstName: say("firstName"),
        lastName: say("lastName"),
        fullName: say("fullName"),
        name: say("fullName"),
      }),
      internet: () => ({ emailAddress: say("email"), safeEmailAddress: say("email") }),
      address: () => ({ city: say("city"), cityName: say("city"), country: say("country") }),
      color: () => ({ name: say("color") }),
      number: () => ({
        digit: () => hostFake("between", 0, 9),
        digits: say("number"),
        randomNumber: number("number"),
        numberBetween: (from, to) => Number(hostFake("between", from, to - 1)),
      }),
      lorem: () => ({ word: say("word"), sentence: say("sentence"), characters: say("text") }),
      text: () => ({ text: say("text") }),
    },
  };
  for (const name of Object.keys(globals)) {
    Object.defineProperty(globalThis, name, { value: globals[name], writable: true, configurable: true });
  }
  // The engine runs scripts by a direct eval, which is one only under this name.
  Object.defineProperty(globalThis, "eval", { writable: false, configurable: false });

  const known = Object.assign(Object.create(null), Object.getOwnPropertyDescriptors(globalThis));
  const names = new Proxy(Object.create(Object.prototype), {
    get: (target, name) => (typeof name === "string" && name in env ? env[name] : target[name]),
  });
  Object.setPrototypeOf(globalThis, names);

  // Made outside this function, so that a script sees nothing of it.
  const run = (0, eval)("(function () { return eval(arguments[0]); })");

  const described = (error) => {
    try {
      const object = typeof error === "object" && error !== null;
      const message = object && "message" in error ? text(error.message) : shown(error);
      return {
        kind: object && fromHttp(error) ? "http" : "error",
        text: message.slice(0, 2000),
        name: object ? text(error.name ?? "").slice(0, 100) : "",
        stack: object ? text(error.stack ?? "").slice(0, 2000) : "",
      };
    } catch {
      return { kind: "error", text: "something that cannot be read", name: "", stack: "" };
    }
  };
  const asText = (value) => {
    if (typeof value === "object" && value !== null) return stringify(value) ?? "undefined";
    return typeof value === "function" ? "[function]" : text(value);
  };

  let kept = "{}";
  let state = "value";
  let result;
  return {
    begin(source, envText, outputText, copied) {
      if (envText !== "") env = Object.assign(Object.create(null), parse(envText));
      if (outputText !== "") {
        globalThis.output = parse(outputText);
        kept = outputText;
      }
      copiedText = copied;
      for (const name in env) if (!(name in known)) delete globalThis[name];
      try {
        result = run(source);
        state = "value";
      } catch (error) {
        result = error;
        state = "error";
      }
      if (state !== "value") return;
      try {
        then(result, (value) => { state = "value"; result = value; }, (error) => { state = "error"; result = error; });
        state = "pending";
      } catch {
        // Not a promise.
      }
    },
    finish() {
      let answer;
      try {
        if (state === "pending") {
          throw new Error("it waits for a promise that nothing fulfils. There are no timers, and http answers at once");
        }
        if (state === "error") answer = described(result);
        else answer = { kind: result === undefined ? "undefined" : "value", text: asText(result), name: "", stack: "" };
      } catch (error) {
        answer = described(error);
      }
      result = undefined;
      try {
        kept = stringify(globalThis.output) ?? "{}";
      } catch (error) {
        globalThis.output = parse(kept);
        if (answer.kind === "value" || answer.kind === "undefined") {
          answer = described(new Error("output can hold only JSON, and stays as it was: " + described(error).text));
        }
      }
      return [answer.kind, answer.text, kept, answer.name, answer.stack];
    },
  };
})
`;
