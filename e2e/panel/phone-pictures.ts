/** Real pictures of a phone's screen for the stub: a shop page at two scroll positions, as JPEG and PNG. */
import type { BrowserContext } from "playwright-core";

const SHOP = `<!doctype html><meta name="viewport" content="width=device-width"><style>
*{box-sizing:border-box;margin:0}body{font:15px/1.45 system-ui,sans-serif;color:#1d2528;background:#fff}
header{display:flex;justify-content:space-between;align-items:center;padding:14px 18px;border-bottom:1px solid #e6eaeb;font-weight:650}
.hero{height:300px;background:linear-gradient(150deg,#dbeaf2,#b5d3e2);display:grid;place-items:center}
.seat{width:150px;height:170px;position:relative}.seat i{position:absolute;background:#2f6f93;border-radius:18px}
.seat .b{inset:0 22px 60px}.seat .s{inset:96px 6px 34px;background:#3b83ab}.seat .l{width:10px;bottom:0;height:46px;left:26px;background:#284b5f}.seat .r{width:10px;bottom:0;height:46px;right:26px;background:#284b5f}
main{padding:18px;display:grid;gap:12px}h1{font-size:23px;letter-spacing:-.01em}.p{font-size:20px;font-weight:600}
button{border:0;border-radius:10px;padding:14px;background:#16708f;color:#fff;font:600 16px system-ui}.row{display:grid;grid-template-columns:1fr 1fr;gap:12px}.c{border:1px solid #e3e8ea;border-radius:12px;padding:12px}.c b{display:block;height:86px;border-radius:8px;background:#e7eef1;margin-bottom:8px}</style>
<header><span>Blue Chair</span><span>Bag (1)</span></header><div class="hero"><div class="seat"><i class="l"></i><i class="r"></i><i class="b"></i><i class="s"></i></div></div>
<main><h1>Blue chair, oak legs</h1><div class="p">€149.00</div><p>A quiet chair for long evenings. Wool cover, washable at 30 °C. Delivered in two boxes, ten minutes to put together.</p><button>Add to bag</button><div class="row"><div class="c"><b></b>Side table<br>€89</div><div class="c"><b></b>Floor lamp<br>€120</div></div></main>`;

export interface PhonePictures {
  readonly frames: readonly Uint8Array[];
  readonly rotated: readonly Uint8Array[];
  /** Base64. */
  readonly png: string;
}

export async function phonePictures(context: BrowserContext): Promise<PhonePictures> {
  const page = await context.newPage();
  await page.setViewportSize({ width: 360, height: 800 });
  await page.setContent(SHOP);
  const first = await page.screenshot({ type: "jpeg", quality: 82 });
  const png = await page.screenshot({ type: "png" });
  await page.evaluate(() => scrollTo(0, 3));
  const second = await page.screenshot({ type: "jpeg", quality: 82 });
  await page.setViewportSize({ width: 800, height: 360 });
  const rotated = await page.screenshot({ type: "jpeg", quality: 82 });
  await page.close();
  return { frames: [first, second], rotated: [rotated], png: png.toString("base64") };
}
