/**
 * AndroidManifest.xml in Android's binary form, as far as an APK needs one: AOSP frameworks/base libs/androidfw
 * include/androidfw/ResourceTypes.h. Written for tests and read back; strings in UTF-16.
 */
const XML = 0x0003;
const STRING_POOL = 0x0001;
const RESOURCE_MAP = 0x0180;
const START_NAMESPACE = 0x0100;
const END_NAMESPACE = 0x0101;
const START_ELEMENT = 0x0102;
const END_ELEMENT = 0x0103;
const TYPE_STRING = 0x03;
const TYPE_INT_DEC = 0x10;
const TYPE_BOOLEAN = 0x12;
const UTF8 = 0x100;
const NONE = 0xffffffff;
const ANDROID = "http://schemas.android.com/apk/res/android";
/** Attributes of the framework that have a number (AOSP core/res/res/values/public-final.xml). */
const RESOURCES: Readonly<Record<string, number>> = {
  label: 0x01010001,
  name: 0x01010003,
  versionCode: 0x0101021b,
  versionName: 0x0101021c,
  minSdkVersion: 0x0101020c,
  targetSdkVersion: 0x01010270,
};
const MAX_ELEMENTS = 10_000;

export interface Element {
  readonly name: string;
  /** Names of the framework begin with `android:`. */
  readonly attributes: Readonly<Record<string, string | number>>;
  readonly children: readonly Element[];
}

function chunk(type: number, header: Buffer, body: Buffer): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(type, 0);
  head.writeUInt16LE(8 + header.length, 2);
  head.writeUInt32LE(8 + header.length + body.length, 4);
  return Buffer.concat([head, header, body]);
}
function words(...values: number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, at) => {
    bytes.writeUInt32LE(value >>> 0, at * 4);
  });
  return bytes;
}

export function encodeXml(root: Element): Buffer {
  const known = Object.keys(RESOURCES);
  const strings = [...known];
  const index = (text: string) => {
    const at = strings.indexOf(text);
    return at >= 0 ? at : strings.push(text) - 1;
  };
  const parts: Buffer[] = [];
  const place = words(1, NONE);
  const write = (element: Element) => {
    const attributes = Object.entries(element.attributes).map(([name, value]) => {
      const android = name.startsWith("android:");
      const [space, key] = android ? [index(ANDROID), index(name.slice(8))] : [NONE, index(name)];
      const text = typeof value === "string";
      const raw = text ? index(value) : NONE;
      const type = Buffer.from([8, 0, 0, text ? TYPE_STRING : TYPE_INT_DEC]);
      return Buffer.concat([words(space, key, raw), type, words(text ? raw : value)]);
    });
    const counts = Buffer.alloc(12);
    for (const [at, value] of [20, 20, attributes.length, 0, 0, 0].entries()) counts.writeUInt16LE(value, at * 2);
    const name = index(element.name);
    parts.push(chunk(START_ELEMENT, place, Buffer.concat([words(NONE, name), counts, ...attributes])));
    for (const child of element.children) write(child);
    parts.push(chunk(END_ELEMENT, place, words(NONE, name)));
  };
  const [prefix, space] = [index("android"), index(ANDROID)];
  parts.push(chunk(START_NAMESPACE, place, words(prefix, space)));
  write(root);
  parts.push(chunk(END_NAMESPACE, place, words(prefix, space)));
  const map = chunk(RESOURCE_MAP, Buffer.alloc(0), words(...known.map((name) => RESOURCES[name] ?? 0)));
  return chunk(XML, Buffer.alloc(0), Buffer.concat([stringPool(strings), map, ...parts]));
}

function stringPool(strings: readonly string[]): Buffer {
  const offsets: number[] = [];
  const data: Buffer[] = [];
  let at = 0;
  for (const text of strings) {
    const length = Buffer.alloc(2);
    length.writeUInt16LE(text.length);
    const one = Buffer.concat([length, Buffer.from(text, "utf16le"), Buffer.alloc(2)]);
    offsets.push(at);
    data.push(one);
    at += one.length;
  }
  data.push(Buffer.alloc((4 - (at % 4)) % 4));
  const header = words(strings.length, 0, 0, 28 + 4 * strings.length, 0);
  return chunk(STRING_POOL, header, Buffer.concat([words(...offsets), ...data]));
}

/** Reads one string of a pool. The lengths take one or two units. */
function poolString(bytes: Buffer, from: number, utf8: boolean): string {
  if (utf8) {
    const skip = (at: number) => at + ((bytes.readUInt8(at) & 0x80) === 0 ? 1 : 2);
    const at = skip(from);
    const first = bytes.readUInt8(at);
    const length = (first & 0x80) === 0 ? first : ((first & 0x7f) << 8) | bytes.readUInt8(at + 1);
    return bytes.toString("utf8", skip(at), skip(at) + length);
  }
  const first = bytes.readUInt16LE(from);
  const long = (first & 0x8000) !== 0;
  const length = long ? ((first & 0x7fff) << 16) | bytes.readUInt16LE(from + 2) : first;
  const start = from + (long ? 4 : 2);
  return bytes.toString("utf16le", start, start + length * 2);
}

function readPool(bytes: Buffer): string[] {
  const [count, flags, start] = [bytes.readUInt32LE(8), bytes.readUInt32LE(16), bytes.readUInt32LE(20)];
  if (count > bytes.length / 4) throw new Error("string pool larger than its bytes");
  return Array.from({ length: count }, (_, at) =>
    poolString(bytes, start + bytes.readUInt32LE(28 + at * 4), (flags & UTF8) !== 0),
  );
}

/** @throws Error for what is no binary XML */
export function decodeXml(bytes: Buffer): Element {
  if (bytes.readUInt16LE(0) !== XML) throw new Error("no binary XML");
  let strings: string[] = [];
  const top = { name: "", attributes: {}, children: [] as Element[] };
  const open: { children: Element[] }[] = [top];
  let elements = 0;
  for (let at = bytes.readUInt16LE(2); at + 8 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at + 4);
    if (size < 8 || at + size > bytes.length) throw new Error("chunk larger than its file");
    const part = bytes.subarray(at, at + size);
    const type = part.readUInt16LE(0);
    if (type === STRING_POOL) strings = readPool(part);
    else if (type === START_ELEMENT) {
      elements += 1;
      if (elements > MAX_ELEMENTS) throw new Error("too many elements");
      const element = readElement(part, strings);
      open.at(-1)?.children.push(element);
      open.push(element);
    } else if (type === END_ELEMENT && open.length > 1) open.pop();
    at += size;
  }
  const root = top.children[0];
  if (root === undefined) throw new Error("binary XML without an element");
  return root;
}

function readElement(part: Buffer, strings: readonly string[]) {
  const base = part.readUInt16LE(2);
  const text = (index: number) => strings[index] ?? "";
  const [start, size, count] = [
    part.readUInt16LE(base + 8),
    part.readUInt16LE(base + 10),
    part.readUInt16LE(base + 12),
  ];
  const attributes: Record<string, string | number> = {};
  for (let index = 0; index < count; index += 1) {
    const at = base + start + index * size;
    const name = text(part.readUInt32LE(at + 4));
    const key = part.readUInt32LE(at) === NONE ? name : `android:${name}`;
    const type = part.readUInt8(at + 15);
    const value = part.readUInt32LE(at + 16);
    attributes[key] = type === TYPE_STRING ? text(value) : type === TYPE_BOOLEAN ? String(value !== 0) : value;
  }
  return { name: text(part.readUInt32LE(base + 4)), attributes, children: [] as Element[] };
}
