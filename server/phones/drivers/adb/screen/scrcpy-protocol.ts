/**
 * scrcpy's protocol as the library speaks it, with bounds: a device may claim any length, and the library would wait for
 * all of it. Source: Genymobile/scrcpy doc/develop.md, and its server's `DeviceMessageWriter` and `Streamer` (3.3).
 */
import { AdbScrcpyOptions3_3_3 } from "@yume-chan/adb-scrcpy";
import {
  ScrcpyControlMessageType,
  type ScrcpyDeviceMessageParser,
  ScrcpyDeviceMessageParsers,
  type ScrcpyMediaStreamPacket,
} from "@yume-chan/scrcpy";
import { TransformStream } from "@yume-chan/stream-extra";

/** Versions that speak exactly this protocol. */
export const SCRCPY_VERSIONS = ["3.3.1", "3.3.2", "3.3.3"] as const;

/** A key frame of 1080p at the highest rate has about 300 KB. */
const MAX_PACKET_BYTES = 4 * 1024 * 1024;
/** scrcpy's own limit of a message from the device (`DEVICE_MSG_MAX_SIZE`). */
const MAX_CLIPBOARD_BYTES = 256 * 1024;
const HEADER_BYTES = 12;
const CONFIG_BIT = 1n << 63n;
const KEY_BIT = 1n << 62n;

export interface DeviceMessages {
  clipboard(text: string): void;
  /** The clipboard with this sequence number was set. */
  clipboardSet(sequence: bigint): void;
}

type Init = ConstructorParameters<typeof AdbScrcpyOptions3_3_3<boolean>>[0];
type ClientOptions = ConstructorParameters<typeof AdbScrcpyOptions3_3_3<boolean>>[1];

export class BoundedOptions extends AdbScrcpyOptions3_3_3<boolean> {
  readonly #parsers = new ScrcpyDeviceMessageParsers();

  constructor(init: Init, client: ClientOptions, messages: DeviceMessages) {
    super(init, client);
    this.#parsers.add(clipboardParser(messages));
    this.#parsers.add(acknowledgementParser(messages));
    this.#parsers.add(UHID_PARSER);
  }
  override get deviceMessageParsers(): ScrcpyDeviceMessageParsers {
    return this.#parsers;
  }
  override createMediaStreamTransformer(): TransformStream<Uint8Array, ScrcpyMediaStreamPacket> {
    return packetsOf(MAX_PACKET_BYTES);
  }
  /** The library's own would wait for the answer, which comes to `messages`. */
  override serializeSetClipboardControlMessage(
    message: Parameters<AdbScrcpyOptions3_3_3<boolean>["serializeSetClipboardControlMessage"]>[0],
  ): Uint8Array {
    const bytes = super.serializeSetClipboardControlMessage({ ...message, sequence: 0n });
    if (!(bytes instanceof Uint8Array)) throw new Error("A clipboard message is bytes.");
    view(bytes).setBigUint64(1, message.sequence);
    return bytes;
  }
}

/** `GET_CLIPBOARD` without a key, which the library has no method for. */
export function getClipboardMessage(options: BoundedOptions): Uint8Array {
  return new Uint8Array([options.controlMessageTypes.indexOf(ScrcpyControlMessageType.GetClipboard), 0]);
}

function clipboardParser(messages: DeviceMessages): ScrcpyDeviceMessageParser {
  return {
    id: 0,
    async parse(_id, stream) {
      const length = view(await stream.readExactly(4)).getUint32(0);
      if (length > MAX_CLIPBOARD_BYTES) throw new Error("The device sent a clipboard that is too long.");
      messages.clipboard(new TextDecoder().decode(await stream.readExactly(length)));
      return undefined;
    },
    close() {},
    error() {},
  };
}

function acknowledgementParser(messages: DeviceMessages): ScrcpyDeviceMessageParser {
  return {
    id: 1,
    async parse(_id, stream) {
      messages.clipboardSet(view(await stream.readExactly(8)).getBigUint64(0));
      return undefined;
    },
    close() {},
    error() {},
  };
}

/** Output for HID devices, of which none is ever made; its length has 16 bits. */
const UHID_PARSER: ScrcpyDeviceMessageParser = {
  id: 2,
  async parse(_id, stream) {
    const length = view(await stream.readExactly(4)).getUint16(2);
    await stream.readExactly(length);
    return undefined;
  },
  close() {},
  error() {},
};

/** Cuts a media stream into whole packets: 8 bytes of flags and time, 4 of length, all big-endian. */
export function packetsOf(maxBytes: number): TransformStream<Uint8Array, ScrcpyMediaStreamPacket> {
  const header = new Uint8Array(HEADER_BYTES);
  let headerFilled = 0;
  let body: Uint8Array | undefined;
  let bodyFilled = 0;
  return new TransformStream({
    transform(chunk, controller) {
      let at = 0;
      while (at < chunk.length || (body !== undefined && bodyFilled === body.length)) {
        if (body === undefined) {
          const part = chunk.subarray(at, at + HEADER_BYTES - headerFilled);
          header.set(part, headerFilled);
          headerFilled += part.length;
          at += part.length;
          if (headerFilled < HEADER_BYTES) return;
          const length = view(header).getUint32(8);
          if (length === 0 || length > maxBytes) throw new Error(`The device sent a packet of ${length} bytes.`);
          body = new Uint8Array(length);
          bodyFilled = 0;
        }
        const part = chunk.subarray(at, at + body.length - bodyFilled);
        body.set(part, bodyFilled);
        bodyFilled += part.length;
        at += part.length;
        if (bodyFilled < body.length) return;
        controller.enqueue(packet(view(header).getBigUint64(0), body));
        body = undefined;
        headerFilled = 0;
      }
    },
  });
}

function packet(flags: bigint, data: Uint8Array): ScrcpyMediaStreamPacket {
  if ((flags & CONFIG_BIT) !== 0n) return { type: "configuration", data };
  return { type: "data", keyframe: (flags & KEY_BIT) !== 0n, pts: flags & (KEY_BIT - 1n), data };
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
