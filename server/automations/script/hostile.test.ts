// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of flows are what is tested.
/** Scripts that want out, or want everything. Each ends with a typed error or a harmless value, and the next one works. */
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { PROVE_TIMES } from "../../../shared/testing/prove.ts";
import { engines, open, said } from "./engine.fixture.ts";

afterAll(() => engines.run());

/** Names that only the server's side has. */
const HOST_NAMES = ["process", "require", "Buffer", "fetch", "setTimeout", "WebAssembly", "global", "module", "Deno"];

describe("the way out", () => {
  const engine = open();

  it.each(HOST_NAMES)("ABUSE-33 has no %s", async (name) => {
    for (const holder of [
      "globalThis",
      "this",
      "this.constructor.constructor('return this')()",
      "(0, eval)('this')",
      "new Function('return this')()",
      "http.get.constructor('return this')()",
      "console.log.constructor('return this')()",
      "faker.name().firstName.constructor('return this')()",
      "output.constructor.constructor('return this')()",
      "(async () => {}).constructor('return this')() && globalThis",
      "(function* () {}).constructor('return globalThis')().next().value",
      "Reflect.construct(Function, ['return this'], http.get.constructor)()",
      "[].constructor.from.constructor('return this')()",
      "arguments.callee.constructor('return this')()",
      "Object.getPrototypeOf(globalThis).constructor.constructor('return this')()",
    ]) {
      expect(await said(engine, `typeof (${holder})[${JSON.stringify(name)}]`), holder).toBe("undefined");
    }
  });

  it.each([
    "import('node:fs')",
    "import('./worker.ts')",
    "import('file:///etc/passwd')",
    "import.meta.url",
    "new Worker('x')",
    "new WebAssembly.Module(new Uint8Array())",
    "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)",
    "arguments.callee.caller.caller",
    "arguments.callee.caller.arguments",
    "await import('fs')",
    "with (globalThis) process.exit(1)",
    "eval('require(\"fs\")')",
    "(() => { throw { get message() { return process.env } } })()",
    "(() => { throw new Proxy({}, { get() { throw new Proxy(Error, {}) } }) })()",
    "(() => { throw Object.create(null) })()",
    "(() => { throw Symbol('x') })()",
    "({ toJSON() { throw globalThis } })",
    "({ get a() { throw 1 } })",
    "new Proxy([], { get() { throw 1 } })",
    "Object.defineProperty(globalThis, 'output', { get() { throw 'no output' } }); 1",
    "Error.prepareStackTrace = (e, frames) => frames; new Error().stack.x.y",
  ])("ABUSE-33 %s is a typed error", async (source) => {
    const own = open();
    const outcome = await own.evaluate(source);
    expect(outcome).toMatchObject({ ok: false, error: { kind: expect.stringMatching(/^(threw|syntax)$/) } });
  });

  it("is not told by stacks and messages", async () => {
    const sources = [
      "new Error().stack",
      "try { http.get() } catch (e) { e.stack + e.message }",
      "try { null.x } catch (e) { e.stack }",
      "try { import('x') } catch (e) { e.stack }",
      "try { (function f() { f() })() } catch (e) { e.stack.slice(-500) }",
      "http.get.toString() + console.log.toString() + arguments.callee.toString()",
      "try { json(1, 2)(3) } catch (e) { e.stack }",
    ];
    for (const source of sources)
      expect(await said(engine, source)).not.toMatch(/node:|file:|\.ts|node_modules|\/work|wasm/);
  });

  it("is not opened by breaking what scripts are run with", async () => {
    const broken = open();
    await broken.evaluate(`
      for (const holder of [Object, Array, Function, String, JSON, Reflect, Promise, WeakSet, Proxy, Symbol])
        for (const target of [holder, holder.prototype])
          for (const name of target ? Reflect.ownKeys(target) : [])
            try { target[name] = () => { throw "broken" } } catch {}
      Object.prototype.toJSON = () => ({ kind: "value", text: { a: 1 } });
      Array.prototype.toJSON = () => 5;
      Object.defineProperty(Array.prototype, 0, { set() { throw 1 } });`);
    const outcome = await broken.evaluate("({ a: 1 })");
    expect(["string", "undefined"]).toContain(outcome.ok ? typeof outcome.value : typeof outcome.error.message);
    expect(() => JSON.parse(broken.serialise())).not.toThrow();
  });

  it("ABUSE-33 does not reach the prototypes of the server's objects", async () => {
    await engine.runScript(
      'Object.prototype.hacked = 1; JSON.parse(\'{"__proto__": {"hacked": 1}}\'); output = JSON.parse(\'{"__proto__": {"hacked": 1}}\')',
      {},
    );
    engine.restore(engine.serialise());
    expect(await said(engine, "typeof output")).toBe("object");
    expect(({} as { hacked?: unknown }).hacked).toBeUndefined();
  });
});

describe("too much", () => {
  it.each([
    ["a loop", "for (;;);", "timeout"],
    ["a caught loop", "for (;;) try { for (;;); } catch {}", "timeout"],
    ["a regular expression", "/^(a+)+$/.test('a'.repeat(40) + 'b')", "timeout"],
    ["a replacement", "'a'.repeat(40).replace(/(a|a)*b/g, 'x')", "timeout"],
    ["an endless generator", "[...(function* () { for (;;) yield 1 })()].length", "timeout|memory"],
    ["endless promises", "(async () => { for (;;) await null })(); 1", "timeout"],
    ["jobs that make jobs", "const again = () => Promise.resolve().then(again); again()", "timeout"],
    ["a loop while its error is read", "throw { get message() { for (;;); } }", "timeout"],
    ["a loop while its result is read", "({ toJSON() { for (;;); } })", "timeout"],
    ["a loop while output is read", "output.x = { toJSON() { for (;;); } }; 1", "timeout"],
    ["a loop in a proxy", "new Proxy({}, { ownKeys() { for (;;); } })", "timeout"],
    [
      "one long sort",
      "const a = new Float64Array(1.5e6).map((_, i) => (i * 7919) % 1e6); for (;;) a.sort()",
      "timeout|memory",
    ],
    ["one long search", "'a'.repeat(4e6).indexOf('a'.repeat(1e5) + 'b')", "timeout"],
    ["large numbers", "let n = 3n; for (;;) n = n * n", "timeout|threw|memory"],
    ["endless requests", "for (;;) try { http.get('http://a.example') } catch {}", "timeout"],
    ["endless logging", "for (;;) console.log('x'.repeat(1e5))", "timeout"],
    ["a string", "'a'.repeat(2 ** 29)", "memory|threw"],
    ["a growing string", "let s = 'a'; for (;;) s += s", "memory|threw"],
    ["arrays of arrays", "const a = []; for (;;) a.push(new Array(1000).fill(1))", "timeout|memory"],
    ["objects", "let a = {}; for (;;) a = { a, b: [a] }", "timeout|memory"],
    ["objects, with time to use up the memory", "let a = {}; for (;;) a = { a, b: [a] }", "memory"],
    ["a typed array", "new Uint8Array(2 ** 30)", "memory|threw"],
    [
      "caught memory",
      "const a = []; for (;;) try { for (;;) a.push('x'.repeat(1e6) + a.length) } catch {}",
      "timeout|memory",
    ],
    ["recursion", "const f = () => f(); f()", "memory"],
    ["caught recursion", "const f = () => { try { f() } finally { f() } }; f()", "timeout|memory"],
    ["deep source", "[".repeat(100_000), "memory|syntax"],
    ["deep arithmetic", `${"(".repeat(50_000)}1${")".repeat(50_000)}`, "memory|syntax"],
    ["a deep result", "let a = []; for (let i = 0; i < 1e5; i += 1) a = [a]; a", "timeout|memory"],
    ["deep JSON", "JSON.parse('['.repeat(1e5) + ']'.repeat(1e5))", "memory|threw"],
    ["a deep regular expression", "new RegExp('(?:'.repeat(1e5) + ')'.repeat(1e5)).test('')", "memory|threw"],
    ["a large result", "'a'.repeat(1024 * 1024 + 1)", "memory"],
    ["a large result of few characters", "'價'.repeat(400 * 1024)", "memory"],
    ["large output", "output.text = 'a'.repeat(1024 * 1024); 1", "memory"],
    ["a large error", "throw new Error('a'.repeat(2e6))", "threw"],
    ["a large stack", "const e = new Error('x'); e.stack = 'a'.repeat(2e6); throw e", "threw"],
    ["a large name", "const e = new Error('x'); e.name = 'a'.repeat(2e6); throw e", "threw"],
    ["a large source", `1;${" ".repeat(20 * 1024 * 1024)}`, "memory"],
  ])("%s is stopped", async (_what, source, kinds) => {
    const expressionMs = kinds.startsWith("timeout") ? 250 : 5_000;
    const engine = open({ limits: { expressionMs } });
    await engine.evaluate("output.before = 1");
    const started = performance.now();
    const outcome = await engine.evaluate(source);
    expect(performance.now() - started).toBeLessThan(expressionMs + 3_000);
    expect(outcome).toMatchObject({ ok: false, error: { kind: expect.stringMatching(new RegExp(`^(${kinds})$`)) } });
    if (!outcome.ok) expect(outcome.error.message.length).toBeLessThan(3_000);
    expect(await said(engine, "output.before + 1")).toBe("2");
  });

  it("is undone when it was stopped half way", async () => {
    const engine = open({ limits: { expressionMs: 200 } });
    const name = await said(engine, "output.list = [1]; faker.name().fullName()");
    const state = engine.serialise();
    await engine.evaluate("output.list.push(2); faker.name().fullName(); globalThis.left = 1; for (;;);");
    expect(engine.serialise()).toBe(state);
    expect(await said(engine, "[output.list, typeof left]")).toBe('[[1],"undefined"]');
    expect(await said(engine, "faker.name().fullName()")).not.toBe(name);
  });

  it("has the longer deadline in a script", async () => {
    const engine = open({ limits: { expressionMs: 50, scriptMs: 2_000 } });
    const work = "const end = Date.now() + 300; while (Date.now() < end); 'done'";
    expect(await engine.evaluate(work)).toMatchObject({ ok: false, error: { kind: "timeout" } });
    expect(await engine.runScript(work, {})).toEqual({ ok: true, value: "done" });
  });
});

describe("a cancelled run", () => {
  it.each(["for (;;);", "/^(a+)+$/.test('a'.repeat(60) + 'b')", "http.get('http://never.example')"])(
    "stops %s within a second",
    async (source) => {
      const cancel = new AbortController();
      let running: () => void = () => {};
      const started = new Promise<void>((resolve) => {
        running = resolve;
      });
      let requestEnded = source.includes("http") ? "no" : "none";
      const engine = open({
        onLog: (line) => line === "on" && running(),
        http: (_request, { signal }) =>
          new Promise((resolve) => {
            running();
            signal.addEventListener("abort", () => {
              requestEnded = "yes";
              resolve({ ok: false, message: "" });
            });
          }),
      });
      const outcome = engine.runScript(
        source.includes("http") ? source : `console.log('on'); ${source}`,
        {},
        { signal: cancel.signal },
      );
      await started;
      const cancelled = performance.now();
      cancel.abort();
      expect(await outcome).toMatchObject({ ok: false, error: { kind: "cancelled" } });
      expect(performance.now() - cancelled).toBeLessThan(1_000);
      expect(requestEnded).not.toBe("no");
      expect(await said(engine, "1 + 1")).toBe("2");
    },
  );

  it("starts nothing any more", async () => {
    const engine = open();
    expect(await engine.evaluate("1", { signal: AbortSignal.abort() })).toMatchObject({ error: { kind: "cancelled" } });
    await engine.dispose();
    expect(await engine.evaluate("1")).toMatchObject({ error: { kind: "cancelled" } });
  });

  it("ends with its engine", async () => {
    const engine = open();
    const outcomes = [engine.runScript("for (;;);", {}), engine.evaluate("1"), engine.renderTemplate("a ${1}")];
    await engine.dispose();
    for (const outcome of await Promise.all(outcomes)) expect(outcome).toMatchObject({ error: { kind: "cancelled" } });
  });
});

describe("any text", () => {
  it("gives an outcome, never a rejection", async () => {
    const engine = open({ limits: { expressionMs: 500 } });
    const word = fc.constantFrom(
      ..."( ) { } [ ] ; , . => = + ' \" ` ${ } \\ / * function class new this throw try catch async await yield let a output http.get eval 1 0n /x/ \n \0 \ud800 價 import return".split(
        " ",
      ),
    );
    const source = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.array(word, { maxLength: 15 }).map((words) => words.join(" ")),
    );
    await fc.assert(
      fc.asyncProperty(source, async (text) => {
        const outcome = await engine.evaluate(text);
        if (outcome.ok) expect(["string", "undefined"]).toContain(typeof outcome.value);
        else expect(["syntax", "threw", "timeout", "memory", "http"]).toContain(outcome.error.kind);
        expect(await engine.renderTemplate(text)).toHaveProperty("ok");
      }),
      { numRuns: 500 * PROVE_TIMES },
    );
    expect(await said(engine, "1 + 1")).toBe("2");
  });
});
