import { describe, expect, it } from "vitest";
import { createPictureOf, type Drawable } from "./picture.ts";
import type { ScreenFrame } from "./screen-connection.ts";
import type { PictureRequest, Video } from "./video.ts";

interface Decoding {
  readonly blob: Blob;
  readonly resolve: (drawable: FakeDrawable) => void;
  readonly reject: (error: Error) => void;
}
class FakeDrawable implements Drawable {
  readonly width = 1;
  readonly height = 1;
  readonly name: string;
  closed = false;
  constructor(name: string) {
    this.name = name;
  }
  close(): void {
    this.closed = true;
  }
}

const SNAPSHOT = new Blob(["the canvas"], { type: "image/jpeg" });

function setup(video?: (drawn: (header: ScreenFrame["header"]) => void) => Promise<Video>) {
  const asked: PictureRequest[] = [];
  const decodings: Decoding[] = [];
  const shown: string[] = [];
  const world = { now: 10_000 };
  const picture = createPictureOf<FakeDrawable>({
    decode: (blob) => new Promise((resolve, reject) => decodings.push({ blob, resolve, reject })),
    show: (drawable) => shown.push(drawable.name),
    video,
    ask: (request) => asked.push(request),
    snapshot: async () => SNAPSHOT,
    now: () => world.now,
  });
  return { picture, decodings, shown, world, asked };
}
function frame(seq: number, kind: ScreenFrame["header"]["kind"] = "image"): ScreenFrame {
  return {
    header: { kind, format: kind === "image" ? "jpeg" : "h264", flags: 0, seq, capturedAtMs: seq * 10 },
    payload: new TextEncoder().encode(`frame ${seq}`),
  };
}

describe("picture", () => {
  it("draws a frame and keeps it as a file", async () => {
    const { picture, decodings, shown } = setup();
    const drawn = picture.draw(frame(1));
    decodings[0]?.resolve(new FakeDrawable("1"));
    await drawn;
    expect(shown).toEqual(["1"]);
    const last = await picture.lastFrame();
    expect(await last?.text()).toBe("frame 1");
    expect(last?.type).toBe("image/jpeg");
    expect(picture.stats()).toEqual({ fps: 1, seq: 1, shown: { capturedAtMs: 10, drawnAtMs: 10_000 } });
  });
  it("never draws an older frame over a newer one", async () => {
    const { picture, decodings, shown } = setup();
    const [first, second] = [picture.draw(frame(1)), picture.draw(frame(2))];
    const late = new FakeDrawable("1");
    decodings[1]?.resolve(new FakeDrawable("2"));
    await second;
    decodings[0]?.resolve(late);
    await first;
    expect(shown).toEqual(["2"]);
    expect(late.closed).toBe(true);
    expect(picture.stats().seq).toBe(2);
  });
  it("skips a frame it cannot decode and goes on", async () => {
    const { picture, decodings, shown } = setup();
    const broken = picture.draw(frame(1));
    decodings[0]?.reject(new Error("not a picture"));
    await broken;
    const good = picture.draw(frame(2));
    decodings[1]?.resolve(new FakeDrawable("2"));
    await good;
    expect(shown).toEqual(["2"]);
  });
  it("counts the frames of the last second, and none while the picture rests", async () => {
    const { picture, decodings, world } = setup();
    for (let seq = 1; seq <= 40; seq += 1) {
      world.now += 50;
      const drawn = picture.draw(frame(seq));
      decodings.at(-1)?.resolve(new FakeDrawable(String(seq)));
      await drawn;
    }
    expect(picture.stats().fps).toBe(20);
    world.now += 1_000;
    expect(picture.stats().fps).toBe(0);
  });
  it("hands video to its decoder, from the beginning of each connection, and keeps what the canvas shows", async () => {
    const taken: number[] = [];
    let begun = 0;
    const { picture, asked } = setup(async (drawn) => ({
      async take({ header }) {
        taken.push(header.seq);
        drawn(header);
      },
      restart: () => {
        begun += 1;
      },
      close: () => {},
    }));
    expect(await picture.lastFrame()).toBeUndefined();
    picture.begin("h264");
    await picture.draw(frame(1, "keyFrame"));
    await picture.draw(frame(2, "delta"));
    picture.begin("h264");
    await picture.draw(frame(3, "keyFrame"));
    expect({ taken, begun, asked }).toEqual({ taken: [1, 2, 3], begun: 2, asked: [] });
    expect(picture.stats()).toMatchObject({ fps: 3, seq: 3 });
    expect(await picture.lastFrame()).toBe(SNAPSHOT);
  });
  it("asks for pictures where there is no decoder for video, and draws those", async () => {
    const { picture, decodings, shown, asked } = setup();
    picture.begin("h264");
    expect(asked).toEqual(["pictures"]);
    await picture.draw(frame(1, "keyFrame"));
    const drawn = picture.draw(frame(2));
    decodings[0]?.resolve(new FakeDrawable("2"));
    await drawn;
    expect(shown).toEqual(["2"]);
  });
  it("asks for pictures when the decoder's own code cannot be loaded", async () => {
    const { picture, asked } = setup(() => Promise.reject(new Error("Perch was updated")));
    picture.begin("h264");
    await picture.draw(frame(1, "keyFrame")).catch(() => {});
    expect(asked).toEqual(["pictures"]);
  });
});
