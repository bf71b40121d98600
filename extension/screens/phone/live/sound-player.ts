/** Plays Opus packets (48 kHz, stereo) as they come, by WebCodecs and Web Audio. */
import { createSoundSchedule } from "./sound-schedule.ts";

const SAMPLE_RATE = 48_000;
const CHANNELS = 2;
/** An OpusHead without a mapping table: RFC 7845 §5.1. */
const OPUS_HEAD_BYTES = 19;
/** Opus packets last at most 120 ms. */
const MOST_PACKET_BYTES = 64 * 1024;
const MOST_QUEUED = 10;
const MOST_FAILURES = 3;

export interface SoundPlayer {
  config(opusHead: Uint8Array): void;
  packet(bytes: Uint8Array): void;
  close(): void;
}

/** `onFailure`: nothing more is heard. */
export async function createSoundPlayer(onFailure: () => void): Promise<SoundPlayer> {
  const { supported } = await AudioDecoder.isConfigSupported(configOf(undefined));
  if (supported !== true) throw new Error("Opus is not played here.");
  const context = new AudioContext({ sampleRate: SAMPLE_RATE, latencyHint: "interactive" });
  const schedule = createSoundSchedule();
  let head: Uint8Array | undefined;
  let decoder: AudioDecoder | undefined;
  let failures = 0;
  let order = 0;

  function play(data: AudioData): void {
    const startS = schedule.place(data.numberOfFrames / data.sampleRate, context.currentTime);
    if (startS !== undefined) {
      const buffer = context.createBuffer(data.numberOfChannels, data.numberOfFrames, data.sampleRate);
      for (let channel = 0; channel < data.numberOfChannels; channel += 1) {
        data.copyTo(buffer.getChannelData(channel), { planeIndex: channel, format: "f32-planar" });
      }
      const source = context.createBufferSource();
      source.buffer = buffer;
      source.connect(context.destination);
      source.start(startS);
    }
    data.close();
    failures = 0;
  }
  function failed(): void {
    decoder = undefined;
    failures += 1;
    if (failures >= MOST_FAILURES) onFailure();
  }
  function decoderNow(): AudioDecoder {
    if (decoder !== undefined) return decoder;
    decoder = new AudioDecoder({ output: play, error: failed });
    decoder.configure(configOf(head));
    return decoder;
  }

  return {
    config(opusHead) {
      const known = opusHead.length >= OPUS_HEAD_BYTES && opusHead[9] === CHANNELS;
      head = known ? opusHead : undefined;
      if (decoder !== undefined && decoder.state !== "closed") decoder.close();
      decoder = undefined;
    },
    packet(bytes) {
      if (bytes.length === 0 || bytes.length > MOST_PACKET_BYTES || failures >= MOST_FAILURES) return;
      try {
        const now = decoderNow();
        if (now.decodeQueueSize > MOST_QUEUED) return;
        order += 1;
        now.decode(new EncodedAudioChunk({ type: "key", timestamp: order * 20_000, data: bytes }));
      } catch {
        failed();
      }
    },
    close() {
      if (decoder !== undefined && decoder.state !== "closed") decoder.close();
      decoder = undefined;
      void context.close().catch(() => {});
    },
  };
}

function configOf(description: Uint8Array | undefined): AudioDecoderConfig {
  return {
    codec: "opus",
    sampleRate: SAMPLE_RATE,
    numberOfChannels: CHANNELS,
    ...(description !== undefined && { description }),
  };
}
