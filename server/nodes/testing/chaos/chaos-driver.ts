/**
 * Phones in memory whose storage lies on the disk as a browser's profile does, so that it outlives a killed process, and
 * that write down what they really did: the journal is what the database is compared with afterwards.
 */
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type PhoneId, phoneId } from "../../../../shared/ids.ts";
import type { PhoneReason, WipeReceipt } from "../../../../shared/phones.ts";
import type { PhoneInput, PhoneSpec, ScreenFrame, ScreenSource } from "../../../phones/driver.ts";
import { FakeDriver } from "../../../phones/testing/fake-driver.ts";

/** `at`: Unix milliseconds of the machine, whatever the node's clock says. */
export type Happened =
  | { readonly what: "up" | "down"; readonly at: number; readonly node: string }
  | { readonly what: "on" | "off"; readonly at: number; readonly node: string; readonly phone: PhoneId }
  | {
      readonly what: "typed";
      readonly at: number;
      readonly node: string;
      readonly phone: PhoneId;
      readonly text: string;
    };

export type Tell = (what: "up" | "down" | "on" | "off" | "typed", about?: { phone: PhoneId; text?: string }) => void;

/** Appends to a file with one system call a line: what was told is there, however the process ends. */
export function journalTo(file: string, node: string): Tell {
  const handle = openSync(file, "a");
  return (what, about) => {
    writeSync(handle, `${JSON.stringify({ what, at: Date.now(), node, ...about })}\n`);
    if (what === "down") closeSync(handle);
  };
}

type Stored = FakeDriver["stored"];
type StoredPhone = Stored extends Map<PhoneId, infer One> ? One : never;

export class ChaosDriver extends FakeDriver {
  readonly #folder: string;
  readonly #tell: Tell;
  /** After a phone was parked: where it is kept for other nodes. */
  onParked: ((id: PhoneId) => Promise<void>) | undefined;

  constructor(folder: string, tell: Tell) {
    mkdirSync(folder, { recursive: true });
    super(readStored(folder));
    this.#folder = folder;
    this.#tell = tell;
  }

  override async create(spec: PhoneSpec): Promise<void> {
    await super.create(spec);
    this.#keep(spec.id);
  }
  override async start(spec: PhoneSpec, url?: string): Promise<void> {
    await super.start(spec, url);
    this.#tell("on", { phone: spec.id });
    this.#keep(spec.id);
  }
  override async park(id: PhoneId): Promise<void> {
    this.#off(id);
    await super.park(id);
    await this.onParked?.(id);
  }
  override async remove(id: PhoneId): Promise<WipeReceipt> {
    this.#off(id);
    const receipt = await super.remove(id);
    rmSync(this.#fileOf(id), { force: true });
    return receipt;
  }
  override end(id: PhoneId, reason: PhoneReason): void {
    this.#off(id);
    super.end(id, reason);
  }
  override async input(id: PhoneId, input: PhoneInput): Promise<void> {
    await super.input(id, input);
    if (input.type === "text") this.#tell("typed", { phone: id, text: input.value });
  }
  /** Each picture names its phone, so that a viewer sees whose it got. */
  override screen(id: PhoneId): ScreenSource {
    const source = super.screen(id);
    const named = (frame: ScreenFrame): ScreenFrame =>
      frame.kind === "image" ? { ...frame, bytes: Buffer.from(id) } : frame;
    return { ...source, listen: (listener, level) => source.listen((frame) => listener(named(frame)), level) };
  }
  override async close(): Promise<void> {
    for (const id of [...this.running]) this.#off(id);
    await super.close();
  }

  /** Writes down what the phone stores. */
  #keep(id: PhoneId): void {
    const phone = this.stored.get(id);
    if (phone === undefined) return;
    writeFileSync(`${this.#fileOf(id)}.new`, JSON.stringify({ spec: phone.spec, url: phone.url }));
    renameSync(`${this.#fileOf(id)}.new`, this.#fileOf(id));
  }
  /** What was put into its folder by others is this driver's now. */
  take(id: PhoneId): void {
    this.stored.set(id, asStored(readFileSync(this.#fileOf(id), "utf8")));
  }
  #off(id: PhoneId): void {
    if (this.running.has(id)) this.#tell("off", { phone: id });
  }
  #fileOf(id: PhoneId): string {
    return join(this.#folder, `${id}.json`);
  }
}

function readStored(folder: string): Stored {
  const found: Stored = new Map();
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".json")) continue;
    const id = phoneId.parse(name.replace(/\.json$/, ""));
    found.set(id, asStored(readFileSync(join(folder, name), "utf8")));
  }
  return found;
}

/** This file's own writing, put in its place whole. */
function asStored(text: string): StoredPhone {
  const kept: Pick<StoredPhone, "spec" | "url"> = JSON.parse(text);
  return { ...kept, clipboard: "", files: new Map(), apps: [] };
}
