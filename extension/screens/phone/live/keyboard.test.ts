import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { phoneKey, textMessages, wholeLength } from "./keyboard.ts";

const PLAIN = { ctrlKey: false, metaKey: false, altKey: false, isComposing: false };

describe("phoneKey", () => {
  it("passes keys on by their names", () => {
    for (const key of ["Enter", "Backspace", "Tab", "Escape", "ArrowLeft", "PageDown"])
      expect(phoneKey({ ...PLAIN, key }, false)).toBe(key);
  });
  it("leaves text, the browser's shortcuts and function keys alone", () => {
    expect(phoneKey({ ...PLAIN, key: "a" }, false)).toBeUndefined();
    expect(phoneKey({ ...PLAIN, key: "t", ctrlKey: true }, false)).toBeUndefined();
    expect(phoneKey({ ...PLAIN, key: "v", ctrlKey: true }, false)).toBeUndefined();
    expect(phoneKey({ ...PLAIN, key: "F5" }, false)).toBeUndefined();
    expect(phoneKey({ ...PLAIN, key: "ArrowLeft", altKey: true }, false)).toBeUndefined();
  });
  it("does not take the keyboard's Home for the phone's", () => {
    expect(phoneKey({ ...PLAIN, key: "Home" }, false)).toBeUndefined();
  });
  it("knows the edit shortcuts of each system", () => {
    expect(phoneKey({ ...PLAIN, key: "A", ctrlKey: true }, false)).toBe("SelectAll");
    expect(phoneKey({ ...PLAIN, key: "c", metaKey: true }, true)).toBe("Copy");
    expect(phoneKey({ ...PLAIN, key: "c", ctrlKey: true }, true)).toBeUndefined();
    expect(phoneKey({ ...PLAIN, key: "c", metaKey: true }, false)).toBeUndefined();
  });
  it("leaves keys to an input method at work", () => {
    expect(phoneKey({ ...PLAIN, key: "Enter", isComposing: true }, false)).toBeUndefined();
    expect(phoneKey({ ...PLAIN, key: "Process" }, false)).toBeUndefined();
  });
});

describe("textMessages", () => {
  it("sends text as it is", () => {
    expect(textMessages("你好 👋🏽")).toEqual([{ type: "text", value: "你好 👋🏽" }]);
    expect(textMessages("")).toEqual([]);
  });
  it("cuts long text into whole characters that make up the text again", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme", maxLength: 60 }), fc.integer({ min: 2, max: 9 }), (text, limit) => {
        const values = textMessages(text, limit).map((message) => (message.type === "text" ? message.value : ""));
        expect(values.join("")).toBe(text);
        for (const value of values) {
          expect(value.length).toBeLessThanOrEqual(limit);
          expect(value.isWellFormed()).toBe(text.isWellFormed());
        }
      }),
    );
  });
});

describe("wholeLength", () => {
  it("holds back the first half of a character until its other half comes", () => {
    expect(wholeLength("")).toBe(0);
    expect(wholeLength("\ud83e")).toBe(0);
    expect(wholeLength("a\ud83e")).toBe(1);
    expect(wholeLength("\ud83e\ude91")).toBe(2);
    expect(wholeLength("你好")).toBe(2);
  });
});
