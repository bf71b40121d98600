/** Deterministic stand-ins for the screen's tests: a driver's picture, the running phones, and tickets. */
import { randomBytes } from "node:crypto";
import { newId, type PhoneId, type UserId } from "../../../shared/ids.ts";
import type { Clock } from "../../clock.ts";
import { PerchError } from "../../errors.ts";
import type {
  AudioPacket,
  AudioSource,
  DriverEvent,
  PhoneInput,
  ScreenFrame,
  ScreenLevel,
  ScreenSource,
} from "../../phones/driver.ts";
import type { PhoneGate } from "../screen.service.ts";
import type { TicketGrant, TicketRow, TicketStore } from "../tickets.ts";

export class FakeSource implements ScreenSource {
  readonly codec: "jpeg" | "h264";
  readonly levels: ScreenLevel[] = [];
  refreshes = 0;
  stills = 0;
  #listener: ((frame: ScreenFrame) => void) | undefined;
  readonly #clock: Clock;

  /** What else the phone gives; video has both. */
  readonly pictures?: FakeSource;
  readonly audio?: FakeAudio;

  constructor(clock: Clock, codec: "jpeg" | "h264" = "jpeg") {
    this.#clock = clock;
    this.codec = codec;
    if (codec === "h264") {
      this.pictures = new FakeSource(clock);
      this.audio = new FakeAudio(clock);
    }
  }
  size(): { width: number; height: number } {
    return { width: 360, height: 800 };
  }
  get listening(): boolean {
    return this.#listener !== undefined;
  }
  get level(): ScreenLevel | undefined {
    return this.levels.at(-1);
  }
  listen(listener: (frame: ScreenFrame) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }
  setLevel(level: ScreenLevel): void {
    this.levels.push(level);
  }
  refresh(): void {
    this.refreshes += 1;
  }
  still(): Promise<void> {
    this.stills += 1;
    return Promise.resolve();
  }
  image(content: string | Uint8Array): void {
    this.emit({ format: "jpeg", kind: "image", bytes: toBytes(content), crisp: false });
  }
  crisp(content: string): void {
    this.emit({ format: "jpeg", kind: "image", bytes: toBytes(content), crisp: true });
  }
  video(kind: "codecConfig" | "keyFrame" | "delta", content: string): void {
    this.emit({ format: "h264", kind, bytes: toBytes(content), crisp: false });
  }
  emit(frame: Omit<ScreenFrame, "capturedAtMs">): void {
    this.#listener?.({ ...frame, capturedAtMs: this.#clock.now() });
  }
}

export class FakeAudio implements AudioSource {
  #listener: ((packet: AudioPacket) => void) | undefined;
  readonly #clock: Clock;
  constructor(clock: Clock) {
    this.#clock = clock;
  }
  get listening(): boolean {
    return this.#listener !== undefined;
  }
  listen(listener: (packet: AudioPacket) => void): () => void {
    this.#listener = listener;
    return () => {
      this.#listener = undefined;
    };
  }
  packet(kind: AudioPacket["kind"], content: string | Uint8Array): void {
    this.#listener?.({ kind, bytes: toBytes(content), capturedAtMs: this.#clock.now() });
  }
}

function toBytes(content: string | Uint8Array): Uint8Array {
  return typeof content === "string" ? Buffer.from(content) : content;
}

/** Running phones by id; everything done to them is kept in `inputs`. */
export class FakePhones implements PhoneGate {
  readonly sources = new Map<PhoneId, ScreenSource>();
  readonly inputs: PhoneInput[] = [];
  readonly clipboards: string[] = [];
  rotations = 0;
  readonly #listeners = new Set<(event: DriverEvent) => void>();

  screen(phoneId: PhoneId): ScreenSource {
    const source = this.sources.get(phoneId);
    if (source === undefined) throw new PerchError("phone_not_running", "This phone is parked. Start it first.");
    return source;
  }
  input(_phoneId: PhoneId, input: PhoneInput): Promise<void> {
    this.inputs.push(input);
    return Promise.resolve();
  }
  rotate(): Promise<void> {
    this.rotations += 1;
    return Promise.resolve();
  }
  clipboardWrite(_phoneId: PhoneId, value: string): Promise<void> {
    this.clipboards.push(value);
    return Promise.resolve();
  }
  onEvent(listener: (event: DriverEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  happen(event: DriverEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

export class MemoryTickets implements TicketStore {
  /** People whose role lets them take control. */
  readonly managers = new Set<UserId>();
  readonly #rows = new Map<string, TicketRow>();
  readonly #clock: Clock;
  constructor(clock: Clock) {
    this.#clock = clock;
  }
  issue(row: TicketRow): Promise<string> {
    const ticket = randomBytes(16).toString("base64url");
    this.#rows.set(ticket, row);
    return Promise.resolve(ticket);
  }
  phoneOf(ticket: string): Promise<PhoneId | undefined> {
    return Promise.resolve(this.#rows.get(ticket)?.phoneId);
  }
  consume(ticket: string): Promise<TicketGrant | undefined> {
    const row = this.#rows.get(ticket);
    this.#rows.delete(ticket);
    if (row === undefined || row.expiresAt <= this.#clock.now()) return Promise.resolve(undefined);
    const { expiresAt: _, ...grant } = row;
    const mayTake = this.managers.has(grant.userId);
    return Promise.resolve({ ...grant, mayTake, name: `Person ${row.credentialId.slice(-2)}` });
  }
}

/** A request for a ticket of a new person; `over` replaces parts of it. */
export function ticketRequest(phoneId: PhoneId, over: Partial<TicketRow> = {}): Omit<TicketRow, "expiresAt"> {
  return {
    credentialId: newId("session"),
    userId: newId("user"),
    teamId: newId("team"),
    phoneId,
    mode: "control",
    browser: true,
    ...over,
  };
}
