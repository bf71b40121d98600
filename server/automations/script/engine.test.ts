// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates of flows are what is tested.
import { afterAll, describe, expect, it } from "vitest";
import { engines, open, said } from "./engine.fixture.ts";

afterAll(() => engines.run());

describe("an expression", () => {
  const engine = open();
  engine.pushEnv({ NAME: "Ann", EMPTY: "", ZERO: "0" });
  engine.setCopiedText("copied");
  it.each([
    ["1 + 1", "2"],
    ["'text'", "text"],
    ["''", ""],
    ["1.50", "1.5"],
    ["-0", "0"],
    ["0 / 0", "NaN"],
    ["10n ** 20n", "100000000000000000000"],
    ["true", "true"],
    ["null", "null"],
    ["undefined", undefined],
    ["", undefined],
    ["// nothing", undefined],
    ["({ a: 1, b: ['x'] })", '{"a":1,"b":["x"]}'],
    ["[1, 2]", "[1,2]"],
    ["() => 1", "[function]"],
    ["Symbol('s')", "Symbol(s)"],
    ["new Date(0)", '"1970-01-01T00:00:00.000Z"'],
    ["NAME", "Ann"],
    ["NAME || 'x'", "Ann"],
    ["EMPTY || 'x'", "x"],
    ["ZERO + 1", "01"],
    ["typeof ZERO", "string"],
    ["MISSING", undefined],
    ["MISSING || 'x'", "x"],
    ["MISSING == null", "true"],
    ["typeof MISSING", "undefined"],
    ["const x = 2; x * 3", "6"],
    ["if (NAME) 'yes'; else 'no'", "yes"],
    ["maestro.platform", "web"],
    ["maestro.copiedText", "copied"],
    ["json('{\"a\": [1, 2]}').a[1]", "2"],
    ["relativePoint(0.5, 0.251)", "50%,26%"],
    ["'價格 🎈'.length", "5"],
    ["'價格 🎈'", "價格 🎈"],
    ["(async () => 5)()", "5"],
    ["new Promise((done) => done('later')).then((text) => text + '!')", "later!"],
  ])("%s", async (source, value) => {
    expect(await engine.evaluate(source)).toEqual({ ok: true, value });
  });

  it.each([
    ["a b", { kind: "syntax", line: 1, column: 3 }],
    ["let a = 1;\n  let 2", { kind: "syntax", line: 2 }],
    ["return 1", { kind: "syntax", line: 1 }],
    ["import x from 'fs'", { kind: "syntax", line: 1 }],
    ["'open", { kind: "syntax", line: 1 }],
    [
      "throw new Error('broken')",
      { kind: "threw", message: "The script stopped with an error: Error: broken.", line: 1 },
    ],
    ["throw 'text'", { kind: "threw", message: "The script stopped with an error: text." }],
    ["let a = 1;\nMISSING.length", { kind: "threw", line: 2, column: 8 }],
    ["JSON.parse('{')", { kind: "threw" }],
    ["new RegExp('(')", { kind: "threw" }],
    ["throw new SyntaxError('mine')", { kind: "threw" }],
    [
      "(async () => { throw new Error('late') })()",
      { kind: "threw", message: "The script stopped with an error: Error: late." },
    ],
    ["new Promise(() => {})", { kind: "threw" }],
    ["http.get('http://a.example')", { kind: "http", message: "There is no network in this test.", line: 1 }],
  ])("says what is wrong with %s", async (source, error) => {
    expect(await engine.evaluate(source)).toMatchObject({ ok: false, error });
  });

  it("can catch what http throws", async () => {
    expect(await said(engine, "try { http.get('http://a.example') } catch (e) { e.name + ': ' + e.message }")).toBe(
      "HttpError: There is no network in this test.",
    );
  });
});

describe("one context for a run", () => {
  it("keeps output and nothing that a script declares", async () => {
    const engine = open();
    await engine.runScript("var a = 1; const b = 2; function c() {} output.page = { title: 'Shop' }; output.n = 1", {});
    expect(await said(engine, "[typeof a, typeof b, typeof c]")).toBe('["undefined","undefined","undefined"]');
    expect(await said(engine, "output.page.title")).toBe("Shop");
    expect(await said(engine, "output.n += 1")).toBe("2");
    expect(await said(engine, "output.double = (n) => n * 2; output.double(output.n)")).toBe("4");
    expect(await said(engine, "output.double(5)")).toBe("10");
  });

  it("gives subflows variables of their own, and takes them back", async () => {
    const engine = open();
    engine.pushEnv({ A: "1", B: "1" });
    engine.pushEnv({ B: "2", C: "2" });
    expect(await said(engine, "A + B + C")).toBe("122");
    expect(await engine.runScript("[A, B, C].join()", { C: "3" })).toEqual({ ok: true, value: "1,2,3" });
    expect(await said(engine, "C = 'mine'; globalThis.B = 'mine'; B + C")).toBe("minemine");
    expect(await said(engine, "B + C")).toBe("22");
    engine.popEnv();
    expect(await said(engine, "A + B + C")).toBe("11undefined");
  });

  it("does not let a variable hide what every script has", async () => {
    const engine = open();
    engine.pushEnv({ JSON: "x", output: "x", ["__proto__"]: "x", constructor: "x", toString: "x" });
    expect(await said(engine, "typeof JSON.parse + typeof output")).toBe("functionobject");
  });

  it("refuses what JSON cannot hold in output, and leaves output as it was", async () => {
    const engine = open();
    await engine.evaluate("output.a = 1");
    expect(await said(engine, "output.self = output; 1")).toMatch(/^threw: .*output can hold only JSON.*circular/);
    expect(await said(engine, "output.n = 1n; 1")).toMatch(/^threw: .*output can hold only JSON/);
    expect(await said(engine, "output")).toBe('{"a":1}');
  });

  it("passes on what scripts log, as much as a person reads", async () => {
    const lines: string[] = [];
    const engine = open({ onLog: (line) => void lines.push(line) });
    await engine.evaluate(
      "console.log('a', 1, { b: [2] }, undefined, new Error('e')); console.error('x'.repeat(5000))",
    );
    expect(lines[0]).toBe('a 1 {"b":[2]} undefined Error: e');
    expect(lines[1]).toHaveLength(2_000);
    lines.length = 0;
    await engine.evaluate("for (let i = 0; i < 10000; i += 1) console.log(i)");
    expect(lines).toHaveLength(201);
    expect(lines.at(-1)).toMatch(/left out/);
  });
});

describe("a template", () => {
  it.each([
    ["plain", "plain"],
    ["Hello ${NAME}!", "Hello Ann!"],
    ["${MISSING}", "undefined"],
    ["${}", ""],
    ["\\${NAME}", "${NAME}"],
    ["${NAME}${'}'}${`${1 + 1}`}", "Ann}2"],
    ["${NAME", "${NAME"],
  ])("%s", async (template, value) => {
    const engine = open();
    engine.pushEnv({ NAME: "Ann" });
    expect(await engine.renderTemplate(template)).toEqual({ ok: true, value });
  });

  it("stops at the first expression that fails", async () => {
    const engine = open();
    expect(await engine.renderTemplate("${output.a = 1} ${a b} ${output.a = 2}")).toMatchObject({
      ok: false,
      error: { kind: "syntax" },
    });
    expect(await said(engine, "output.a")).toBe("1");
  });

  it("never takes a value for code", async () => {
    const engine = open();
    engine.pushEnv({ NAME: "${1+1} '); throw 1; //" });
    expect(await engine.renderTemplate("${NAME}")).toEqual({ ok: true, value: "${1+1} '); throw 1; //" });
  });
});

describe("a resumed run", () => {
  it("finds output, the copied text and faker where they were", async () => {
    const before = open();
    before.setCopiedText("text");
    await before.evaluate("output.list = [1, { a: '價' }]; faker.name().fullName()");
    before.fake("city");
    const after = open();
    after.restore(before.serialise());
    expect(await said(after, "[output, maestro.copiedText]")).toBe('[{"list":[1,{"a":"價"}]},"text"]');
    const next = "faker.internet().emailAddress() + faker.number().digits(6)";
    expect(await said(after, next)).toBe(await said(before, next));
    expect(after.fake("text", 5)).toBe(before.fake("text", 5));
    expect(after.serialise()).toBe(before.serialise());
  });

  it("can go back while it runs", async () => {
    const engine = open();
    await engine.evaluate("output.a = 1");
    const state = engine.serialise();
    await engine.evaluate("output.a = 2");
    engine.restore(state);
    expect(await said(engine, "output.a")).toBe("1");
  });

  it.each(["", "{}", "null", '{"output":"{","copiedText":"","draws":0}', '{"output":"{}","copiedText":"","draws":-1}'])(
    "refuses %s as its state",
    (state) => {
      expect(() => open().restore(state)).toThrow();
    },
  );
});

describe("faker", () => {
  it("says what Maestro's flows ask it for", async () => {
    const engine = open();
    expect(
      await said(
        engine,
        "[faker.name().firstName(), faker.address().city(), faker.address().country(), faker.color().name(), faker.lorem().word(), faker.lorem().sentence(), faker.text().text(4)].every((text) => typeof text === 'string' && text !== '')",
      ),
    ).toBe("true");
    expect(await said(engine, "faker.number().numberBetween(7, 8)")).toBe("7");
    expect(await said(engine, "typeof faker.number().randomNumber()")).toBe("number");
  });
});
