/** Pages that make it hard to see and reach what is on them; served by `serveSite`, which gives each `report(text)`. */
export const PAGES = {
  "/words": `<title>Words</title>
    <button id="save" name="keep" data-testid="save-button">Save</button>
    <button>Sign <b>in</b></button>
    <p>Line one<br>line   two</p>
    <input id="mail" placeholder="E-mail" value="a@b.c"><label for="tel">Phone</label><input id="tel">
    <input type="password" aria-label="Secret" value="hunter2">
    <input autocomplete="current-password" value="hunter3"><input style="-webkit-text-security:disc" value="hunter4">
    <img alt="A dog" width="20" height="20"><a href="/next" aria-label="Forward">→</a><div id="plain">日本語 🦊</div>
    <script>document.querySelector('#mail').focus()</script>`,
  "/states": `<title>States</title><button disabled>Off</button><fieldset disabled><button>In a set</button></fieldset><button aria-disabled="true">Aria off</button>
    <label>Tick <input type="checkbox" checked style="opacity:0;height:5px"></label><div role="switch" aria-checked="true">Switch</div>
    <div role="tab" aria-selected="true">Tab one</div><div role="tab">Tab two</div><div onclick="1">Pressable</div><div style="cursor:pointer"><i>Pointed</i></div>`,
  "/hidden": `<title>Hidden</title><p style="display:none">none</p><p style="visibility:hidden">invisible <b style="visibility:visible">but this</b></p><p style="opacity:0">clear</p>
    <p aria-hidden="true">decoration</p><div style="content-visibility:hidden"><p>skipped</p></div><div style="height:30px;overflow:hidden"><p style="height:30px;margin:0">first row</p><p>second row</p></div>
    <div style="position:absolute;left:-500px">left of it</div><div style="height:20px;overflow:hidden"><div style="position:fixed;top:300px">fixed inside</div></div>
    <div style="display:contents">no box</div><p style="margin-top:2000px">far below</p>`,
  "/shadow": `<title>Shadow</title><x-outer><span slot="named">Slotted</span></x-outer><x-closed></x-closed><script>
    customElements.define('x-inner',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<button onclick="report(\\'deep\\')">Deep button</button>'}});
    customElements.define('x-outer',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<p>Outer <slot name="named"></slot></p><x-inner></x-inner>'}});
    customElements.define('x-closed',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'closed'}).innerHTML='<p>Closed words</p>'}});</script>`,
  "/frames": `<title>Frames</title><h1>Above</h1><iframe style="width:300px;height:200px;border:7px solid;padding:5px" srcdoc="<style>body{margin:0}</style><div style='height:500px'>Top of frame</div><button style='height:50px' onclick='fetch(&quot;/report&quot;,{method:&quot;POST&quot;,body:&quot;framed&quot;})'>In a frame</button>"></iframe>`,
  "/moving": `<title>Moving</title><style>@keyframes slide{from{transform:translateX(0)}to{transform:translateX(150px)}}#strip{animation:slide 1s linear infinite alternate;width:100px}</style><div id="strip">Carousel</div><button style="margin-top:50px" onclick="report('pressed')">Steady</button>`,
  "/late": `<title>Late</title><button id="late" style="position:absolute;top:0;width:100px" onclick="report('late pressed')">Late</button><script>let y=0;const go=()=>{y+=8;late.style.top=y+'px';if(y<320)requestAnimationFrame(go)};onpointerdown=()=>0;setTimeout(go,50)</script>`,
  "/covered": `<title>Covered</title><button onclick="report('under')">Under</button><div id="veil" role="dialog" aria-label="Cookies?" style="position:fixed;inset:0;background:#0008"></div><button style="position:absolute;top:200px">Lower</button>`,
  "/half": `<title>Half</title><button onclick="report('half')">Half covered</button><div style="position:absolute;top:20px;left:0;width:80%;height:40px;background:#ccc">Badge</div>`,
  "/below": `<title>Below</title><div style="height:3000px">Tall</div><button id="deep" onclick="report('below')">Far down</button><div style="height:3000px"></div><footer style="position:fixed;bottom:0;width:100%;height:80px;background:#eee">Bar</footer>`,
  "/bar": `<title>Bar</title><div style="height:740px">Tall</div><button id="low" onclick="report('low')">Under the bar</button><div style="height:3000px"></div><footer style="position:fixed;bottom:0;width:100%;height:80px;background:#eee">Bar</footer>`,
  "/label": `<title>Label</title><label style="display:block;position:relative;height:60px"><span>Upload</span><input id="up" type="checkbox" style="position:absolute;inset:0;height:60px;opacity:.01"></label>
    <div style="position:relative"><input id="agreed" type="checkbox" style="width:40px"><label for="agreed" style="position:absolute;inset:0;background:#eee">Agree</label></div>`,
  "/hostile": `<title>Hostile</title><form id="f"><input name="tagName" aria-label="One"><input name="nodeType"><input name="getBoundingClientRect"><input name="parentNode"><input name="children"><button onclick="report('form pressed');return false">In a form</button></form>
    <img name="body" alt=""><img name="activeElement" alt=""><img name="hasFocus" alt=""><img name="createRange" alt=""><img name="createDocumentFragment" alt=""><img name="elementFromPoint" alt=""><div id="perchAutomation"></div><script>
    for(const name of Object.getOwnPropertyNames(Element.prototype))try{Object.defineProperty(Element.prototype,name,{get(){throw new Error('trap')},configurable:true})}catch{}
    Range.prototype.getBoundingClientRect=Node.prototype.contains=()=>{throw new Error('trap')};JSON.stringify=()=>'[]';Array.prototype.map=()=>[];window.getComputedStyle=()=>({display:'none'});Object.hasOwn=()=>true;
    </script>`,
  "/many": `<title>Many</title><style>i{display:inline-block;width:4px;height:4px;line-height:4px;vertical-align:top;font-size:4px}body{font-size:4px;line-height:4px}</style><script>document.write('<i>x</i>'.repeat(7000))</script>`,
  "/restless": "<title>Restless</title><h1>Restless</h1><script>setTimeout(()=>location.reload(),60)</script>",
  "/hang":
    "<title>Hang</title><h1>Hanging</h1><script>setTimeout(()=>{report('hanging');const end=Date.now()+8000;while(Date.now()<end);},300)</script>",
  "/question": `<title>Question</title><h1>Behind</h1><script>setTimeout(()=>report('answer '+confirm('Really?')),150)</script>`,
  "/select": `<title>Select</title><select id="fruit" aria-label="Fruit" onchange="report('fruit '+this.value)"><option>Apple<option>Pear${Array.from({ length: 60 }, (_, n) => `<option>Kind ${n}`).join("")}</select><input type="date" id="day" value="2026-02-28" aria-label="Day"><input type="color" aria-label="Shade">`,
  "/list": `<title>List</title><ul><li class="item">One</li><li class="item">Two</li></ul><x-list></x-list><div class="item" style="margin-top:4000px">Three</div><script>customElements.define('x-list',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<p class="item">Shadowed</p>'}})</script>`,
  "/state": `<title>State</title><script>const seen=(kept)=>kept.n=(kept.n|0)+1;report('state '+document.cookie+'|'+seen(localStorage)+'|'+seen(sessionStorage));document.cookie='a=1;max-age=999';document.cookie='b=1;max-age=999;domain=shop.test'</script>`,
  "/ask": `<title>Ask</title><script>Promise.all(['geolocation','camera','microphone','notifications','clipboard-read'].map((name)=>navigator.permissions.query({name}).then((p)=>name+'='+p.state))).then((all)=>report(all.join(' ')))</script>`,
  "/net": `<title>Net</title><h1>Net</h1><script>setInterval(()=>fetch('/words').then(()=>0,()=>1).then((failed)=>document.querySelector('h1').textContent='net '+navigator.onLine+' '+failed),50)</script>`,
  "/upload": `<title>Upload</title><input type="file" aria-label="Photo" onchange="this.files[0].text().then((text)=>report('file '+this.files[0].name+' '+text))">`,
  "/worker": `<title>Worker</title><h1>Worker</h1><script>navigator.serviceWorker.register('/worker.js');setInterval(()=>fetch('/data').then((answer)=>answer.text(),()=>'failed').then((text)=>document.querySelector('h1').textContent=text+' '+!!navigator.serviceWorker.controller),50)</script>`,
  "/typed": `<title>Typed</title><textarea id="area" placeholder="Notes"></textarea>`,
};
