/** The document of the phone's own page and how it looks; what happens on it is in `system-page.ts`. */
const STYLE = `
:root{color-scheme:light dark;--bg:oklch(0.975 0.004 230);--card:oklch(1 0 0);--text:oklch(0.24 0.015 240);--soft:oklch(0.47 0.015 240);--line:oklch(0.89 0.008 235);--accent:oklch(0.5 0.11 220);--on:oklch(0.99 0 0);--dim:oklch(0.2 0.01 240/.5);--bad:oklch(0.5 0.17 27)}
@media(prefers-color-scheme:dark){:root{--bg:oklch(0.19 0.012 240);--card:oklch(0.24 0.013 240);--text:oklch(0.94 0.006 230);--soft:oklch(0.73 0.012 235);--line:oklch(0.34 0.014 240);--accent:oklch(0.74 0.1 215);--on:oklch(0.18 0.02 230);--dim:oklch(0.05 0.01 240/.6);--bad:oklch(0.74 0.14 27)}}
*{box-sizing:border-box;margin:0;-webkit-tap-highlight-color:transparent}
html,body{height:100%}
body{background:var(--bg);color:var(--text);font:15px/1.4 system-ui,"Open Sans",sans-serif;overflow:hidden;touch-action:manipulation}
#root{height:100%;overflow:auto}
h1{font-size:20px;line-height:1.25;font-weight:600}
h2{font-size:13px;font-weight:600;color:var(--soft);margin:24px 0 8px}
p{color:var(--soft);overflow-wrap:anywhere;white-space:pre-wrap}
button,input{font:inherit;color:inherit;min-height:44px;border-radius:6px;border:1px solid var(--line);background:var(--card);padding:8px 12px}
button{cursor:pointer;text-align:center}
button.main{background:var(--accent);border-color:var(--accent);color:var(--on);font-weight:600}
button.row{display:flex;width:100%;gap:12px;align-items:center;text-align:start;border:0;border-radius:0;border-bottom:1px solid var(--line);background:none;padding:8px 16px}
button.row>span:first-child{flex:1;min-width:0}
button:disabled{opacity:.45}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
button.row:focus-visible{outline-offset:-3px}
.screen{min-height:100%;padding:24px 16px;max-width:560px;margin:0 auto}
.center{display:flex;flex-direction:column;justify-content:center;gap:16px}
form.address{display:flex;gap:8px;margin-top:16px}
form.address input{flex:1;min-width:0}
.apps{display:grid;grid-template-columns:repeat(auto-fill,minmax(76px,1fr));gap:12px}
.app{display:flex;flex-direction:column;align-items:center;gap:4px;border:0;background:none;padding:8px 4px;font-size:12px;overflow-wrap:anywhere}
.app img,.app .letter{width:48px;height:48px;border-radius:10px;object-fit:contain}
.letter{display:grid;place-items:center;background:var(--accent);color:var(--on);font-size:22px;font-weight:600}
.list{list-style:none;padding:0;margin-top:12px;border-top:1px solid var(--line)}
.list li{display:flex;align-items:center;gap:8px;border-bottom:1px solid var(--line);min-height:44px}
.list li>span:first-child{flex:1;min-width:0;overflow-wrap:anywhere}
.list li .row{border:0;flex:1;min-width:0;padding:8px 0}
.tab{display:flex;flex-direction:column;align-items:flex-start;min-width:0}
.tab span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap;max-width:100%}
.small{font-size:12px;color:var(--soft);font-variant-numeric:tabular-nums}
.note{color:var(--bad);margin-top:8px}
.over{position:fixed;inset:0;display:flex;flex-direction:column;justify-content:flex-end;background:var(--dim)}
.over.middle{justify-content:center;padding:24px}
.back{position:fixed;inset:0;width:100%;height:100%;object-fit:cover;z-index:-1}
.sheet{background:var(--card);border-radius:10px;border:1px solid var(--line);max-height:82%;display:flex;flex-direction:column;overflow:hidden;width:100%;max-width:560px;margin:0 auto}
.over:not(.middle) .sheet{border-radius:10px 10px 0 0}
.sheet header,.sheet .body{padding:16px}
.sheet .scroll{overflow:auto;min-height:0}
.sheet footer{display:flex;gap:8px;justify-content:flex-end;padding:12px 16px;border-top:1px solid var(--line)}
.sheet input{width:100%}
.check{display:flex;gap:8px;align-items:center;min-height:44px}
.check input{width:20px;min-height:20px}
.steps{display:flex;flex-wrap:wrap;gap:12px;justify-content:center}
.step{display:flex;flex-direction:column;align-items:center;gap:4px;width:84px}
.step button{width:100%;font-size:20px;line-height:1}
.step input{text-align:center;font-variant-numeric:tabular-nums;padding:8px 4px}
.colors{display:grid;grid-template-columns:repeat(6,1fr);gap:8px;margin-bottom:12px}
.colors button{padding:0;aspect-ratio:1}
.on{font-weight:600}
@media(prefers-reduced-motion:no-preference){.sheet{animation:rise .12s ease-out}@keyframes rise{from{transform:translateY(12px);opacity:.4}}}
`;

/** The document the script lives in. Nothing can be loaded from it and nothing but our own script runs. */
export const SYSTEM_HTML = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Phone</title>
<meta name="viewport" content="width=device-width,initial-scale=1,user-scalable=no">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'">
<style>${STYLE}</style></head><body><div id="root"></div></body></html>`;
