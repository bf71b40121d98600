/**
 * JPEG pictures as a WebM, encoded by WebCodecs in a browser of its own: never in a phone's, without a network, in the
 * same sandbox, because the pictures show whatever pages drew. Put together here (docs/decisions/recordings-are-webm.md).
 */
import { PerchError } from "../../../errors.ts";
import type { TimedPicture } from "../../driver.ts";
import type { CdpSession } from "./cdp.ts";
import type { SparesOptions } from "./spares.ts";
import type { WarmBrowser } from "./warm.ts";

/** Secure, so that WebCodecs is there; nothing of it is ever asked of a network. */
const PAGE = "https://encoder.invalid/";
const CODEC = "vp8";
const BITS_PER_SECOND = 800_000;
const KEY_FRAME_EVERY_MS = 4_000;
const BATCH_BYTES = 1_000_000;
const BATCH_TIMEOUT_MS = 60_000;
const LEAST_MS = 100;

/** As the page gives it: base64, key frame, microseconds. */
type Chunk = readonly [data: string, key: boolean, timestamp: number];

/** Encodes one video at a time, each in a browser of its own that is thrown away after it. */
export class VideoEncoder {
  readonly #options: Pick<SparesOptions, "warmUp" | "discard">;
  #turn: Promise<unknown> = Promise.resolve();
  #working: WarmBrowser | undefined;
  #closed = false;

  constructor(options: Pick<SparesOptions, "warmUp" | "discard">) {
    this.#options = options;
  }

  /** Pictures in order, with their times in ms from the first; the last one stays until `durationMs`. */
  encode(pictures: readonly TimedPicture[], durationMs: number): Promise<Uint8Array> {
    const work = this.#turn.then(async () => {
      if (this.#closed) throw new PerchError("unavailable", "The server is stopping. Try again in a moment.");
      const warm = await this.#options.warmUp();
      this.#working = warm;
      try {
        warm.egress.cutOff(true);
        return await encodeWebm(await openPage(warm), pictures, durationMs);
      } finally {
        this.#working = undefined;
        await this.#options.discard(warm);
      }
    });
    this.#turn = work.catch(() => undefined);
    return work;
  }

  /** What is under way fails. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#working?.process.kill();
    await this.#turn;
  }
}

async function encodeWebm(
  session: CdpSession,
  pictures: readonly TimedPicture[],
  durationMs: number,
): Promise<Uint8Array> {
  const [first, last] = [pictures[0], pictures.at(-1)];
  if (first === undefined || last === undefined) throw new Error("There is no picture to make a video of.");
  const ask = async (expression: string) => {
    const params = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", params, BATCH_TIMEOUT_MS);
    if (exceptionDetails === undefined) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
  };
  const settings = JSON.stringify({ codec: CODEC, bits: BITS_PER_SECOND, keyMs: KEY_FRAME_EVERY_MS });
  const size = asSize(await ask(`(globalThis.encoder=(${PAGE_SCRIPT})(${settings})).begin("${base64(first)}")`));
  const chunks: Chunk[] = [];
  for (const batch of batches(pictures)) {
    const sent = JSON.stringify(batch.map((picture) => [base64(picture), picture.atMs]));
    chunks.push(...asChunks(await ask(`encoder.add(${sent})`)));
  }
  chunks.push(...asChunks(await ask(`encoder.end(${Math.max(durationMs, last.atMs + LEAST_MS)})`)));
  return put(chunks, size);
}

/** A window with our document instead of anything of a network. */
async function openPage({ tabs }: WarmBrowser): Promise<CdpSession> {
  const { session } = await tabs.createWindow();
  session.on("Fetch.requestPaused", ({ requestId }) => {
    session.tell("Fetch.fulfillRequest", {
      requestId,
      responseCode: 200,
      responseHeaders: [{ name: "Content-Security-Policy", value: "default-src 'none'" }],
      body: Buffer.from("<!doctype html><title>Encoder</title>").toString("base64"),
    });
  });
  await Promise.all([
    session.send("Fetch.enable", { patterns: [{ urlPattern: "*" }] }),
    session.send("Page.enable", {}),
    session.send("Runtime.runIfWaitingForDebugger", {}),
  ]);
  // Answered when the new document is there.
  await session.send("Page.navigate", { url: PAGE });
  return session;
}

function base64({ jpeg }: TimedPicture): string {
  return Buffer.from(jpeg.buffer, jpeg.byteOffset, jpeg.byteLength).toString("base64");
}

function* batches(pictures: readonly TimedPicture[]): Generator<readonly TimedPicture[]> {
  let batch: TimedPicture[] = [];
  let bytes = 0;
  for (const picture of pictures) {
    batch.push(picture);
    bytes += picture.jpeg.length;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    [batch, bytes] = [[], 0];
  }
  if (batch.length > 0) yield batch;
}

/** Runs in the page. Draws every picture on a canvas as large as the first: a phone that was turned fits in. */
const PAGE_SCRIPT = `({codec,bits,keyMs})=>{
let canvas,context,encoder,out=[],lastKey=-Infinity,failed;
const read=(text)=>createImageBitmap(new Blob([Uint8Array.from(atob(text),(c)=>c.charCodeAt(0))],{type:"image/jpeg"}));
const take=()=>{if(failed)throw failed;const done=out;out=[];return done};
const keep=(chunk)=>{const bytes=new Uint8Array(chunk.byteLength);chunk.copyTo(bytes);let text="";for(let at=0;at<bytes.length;at+=8192)text+=String.fromCharCode(...bytes.subarray(at,at+8192));out.push([btoa(text),chunk.type==="key",chunk.timestamp])};
const encode=(ms)=>{const keyFrame=ms-lastKey>=keyMs;if(keyFrame)lastKey=ms;const frame=new VideoFrame(canvas,{timestamp:Math.round(ms*1000)});encoder.encode(frame,{keyFrame});frame.close()};
return{
async begin(text){const first=await read(text);canvas=new OffscreenCanvas(first.width&~1,first.height&~1);context=canvas.getContext("2d",{alpha:false});
encoder=new VideoEncoder({output:keep,error:(error)=>{failed=error}});
encoder.configure({codec,width:canvas.width,height:canvas.height,bitrate:bits,latencyMode:"realtime"});
return[canvas.width,canvas.height]},
async add(pictures){for(const[text,ms]of pictures){const picture=await read(text);const scale=Math.min(canvas.width/picture.width,canvas.height/picture.height);const[w,h]=[picture.width*scale,picture.height*scale];
context.fillRect(0,0,canvas.width,canvas.height);context.drawImage(picture,(canvas.width-w)/2,(canvas.height-h)/2,w,h);picture.close();encode(ms);
while(encoder.encodeQueueSize>8&&!failed)await new Promise((done)=>setTimeout(done,1))}return take()},
async end(ms){encode(ms);await encoder.flush();return take()}}}`;

async function put(chunks: readonly Chunk[], [width, height]: readonly [number, number]): Promise<Uint8Array> {
  // Loaded with the first recording: most servers never make one.
  const { BufferTarget, EncodedPacket, EncodedVideoPacketSource, Output, WebMOutputFormat } = await import(
    "mediabunny"
  );
  const target = new BufferTarget();
  const output = new Output({ format: new WebMOutputFormat(), target });
  const source = new EncodedVideoPacketSource(CODEC);
  output.addVideoTrack(source);
  await output.start();
  const decoderConfig = { codec: CODEC, codedWidth: width, codedHeight: height };
  for (const [index, [data, key, timestamp]] of chunks.entries()) {
    const next = chunks[index + 1]?.[2] ?? timestamp + LEAST_MS * 1_000;
    const seconds = [timestamp / 1e6, (next - timestamp) / 1e6] as const;
    const packet = new EncodedPacket(Buffer.from(data, "base64"), key ? "key" : "delta", ...seconds);
    await source.add(packet, index === 0 ? { decoderConfig } : undefined);
  }
  await output.finalize();
  if (target.buffer === null) throw new Error("The video was not put together.");
  return new Uint8Array(target.buffer);
}

/** What `begin` in the page answers. */
function asSize(value: unknown): readonly [number, number] {
  return value as readonly [number, number];
}

/** What `add` and `end` in the page answer. */
function asChunks(value: unknown): readonly Chunk[] {
  return value as readonly Chunk[];
}
