/**
 * Pages that record what is done to them; `say(text)` tells the test, with the time so that the order is known, and when
 * the page began so that it is known whose words they are.
 */

const SAY = `<style>button,input,select,a,textarea{width:auto;display:inline-block}button,a.b{height:44px;min-width:80px}</style><script>
  const say=(text)=>report(performance.timeOrigin+'|'+(performance.timeOrigin+performance.now()).toFixed(3)+'|'+text);
  addEventListener('click',(event)=>{const at=event.composedPath().find((one)=>one.dataset&&one.dataset.say);if(at)say(at.dataset.say)});
</script>`;
const page = (title: string, body: string) => `<title>${title}</title>${SAY}${body}`;
const filler = (height: number) => `<div style="height:${height}px"></div>`;

export const COMMAND_PAGES: Readonly<Record<string, string>> = {
  "/taps": page(
    "Taps",
    `<h1>Taps</h1>
    <button id="a" data-testid="alpha" name="first" aria-label="Alpha button" title="The first" onclick="say('alpha '+event.pointerType)">Alpha</button>
    <flt-node id="flt-semantic-node-7" flt-semantics-identifier="login_button" role="button" style="display:block" data-say="flutter">Log in</flt-node>
    <p><button data-say="item 1">Item 1</button><button data-say="item 2">Item 2</button><button data-say="item 3">Item 3</button></p>
    <p><button id="count" data-say="count">Count</button><button id="shy">Shy</button><button id="unfold">Unfold</button></p>
    <p><button id="double">Double</button><button id="hold">Hold</button><button disabled data-say="disabled">Off</button></p>
    <div id="pad" style="width:200px;height:100px;background:#ddf">Pad</div>
    <p>Total (3): $5.00 <button data-say="plus">C++ [new]</button></p><p>Two<br>lines</p><p>Sign <b>in</b> now</p>
    <h2>Save</h2><button data-say="save">Save</button><p style="visibility:hidden" data-say="ghost">Ghost</p><button data-say="ghost button">Ghost</button>
    <script>let n=0;shy.onclick=()=>{n+=1;if(n>1){say('shy gave way');shy.textContent='Done'}};
      unfold.onclick=()=>{say('unfolded');unfold.remove()};
      double.ondblclick=()=>say('double');let at=0;hold.onpointerdown=()=>{at=performance.now()};hold.onpointerup=()=>say('held '+Math.round((performance.now()-at)/1000));
      hold.oncontextmenu=(event)=>event.preventDefault();
      pad.onpointerdown=(event)=>say('pad '+Math.round(event.offsetX)+','+Math.round(event.offsetY));
      onpointerdown=(event)=>event.target.closest('button,flt-node,#pad')||say('ground '+Math.round(event.clientX)+','+Math.round(event.clientY))</script>`,
  ),
  "/list": page(
    "List",
    `<style>section{border-top:1px solid}li{height:60px;display:flex;gap:10px}li span{width:100px}</style>
    <section id="fruits"><h2>Fruits</h2><ul><li id="row-apple"><span>Apple</span><button data-say="apple">Buy</button></li><li id="row-pear"><span>Pear</span><button data-say="pear">Buy</button><button data-say="pear gift">Gift</button></li></ul></section>
    <section id="roots"><h2>Roots</h2><ul><li id="row-carrot"><span>Carrot</span><button data-say="carrot">Buy</button></li></ul></section>
    <div id="box" data-say="box" style="padding:10px"><p>Inside</p><i>Leaf</i></div>`,
  ),
  "/states": page(
    "States",
    `<button disabled data-say="off">Send</button><button data-say="on">Send</button>
    <p><input type="checkbox" id="tick-a" aria-label="Terms" onchange="say('a '+this.checked)"><input type="checkbox" id="tick-b" checked aria-label="Terms" onchange="say('b '+this.checked)"></p>
    <style>[role=tab]{height:60px;cursor:pointer}</style><div role="tab" id="tab-a" data-say="tab a">Tab</div><div role="tab" id="tab-b" aria-selected="true" data-say="tab b">Tab</div>
    <input id="f1" value="Same" onfocus="say('f1')"><input id="f2" value="Same" onpointerdown="say('f2 down')"><script>f2.focus();f1.onfocus=()=>say('f1')</script>
    <button id="square" data-say="square" style="width:50px;height:50px;min-width:0;padding:0"></button>
    <button id="wide" data-say="wide" style="width:230px;height:30px">Wide</button>
    <p id="long" data-say="long">${"Long text. ".repeat(25)}</p>
    <label>Agree <input type="checkbox" onchange="say('agree '+this.checked)"></label>`,
  ),
  "/form": page(
    "Form",
    `<style>p{margin:2px}input,select,textarea{height:30px}</style><form onsubmit="say('sent '+word.value);return false">
    <p><input id="word" placeholder="Word" onkeydown="if(event.key==='Escape')say('escape')"><input id="more" aria-label="More" onfocus="say('more focused')" onblur="say('more left')"></p><button hidden></button></form>
    <p><textarea id="notes" aria-label="Notes"></textarea></p><p><input id="num" type="number" aria-label="Age"><input id="code" maxlength="5" aria-label="Code"></p>
    <div id="story" contenteditable aria-label="Story" style="min-height:40px;border:1px solid"></div>
    <p><input id="loud" aria-label="Loud"><input id="secret" type="password" aria-label="Secret"></p>
    <p id="boxes">${[0, 1, 2, 3].map((n) => `<input class="digit" maxlength="1" inputmode="numeric" aria-label="Digit ${n + 1}" style="width:40px">`).join("")}</p>
    <p><label>Day <input type="date" id="day"></label><label>Hour <input type="time" id="hour"></label><label>Moon <input type="month" id="month"></label><label>Meeting <input type="datetime-local" id="meet"></label><label>Paint <input type="color" id="paint"></label></p>
    <p><select id="size" aria-label="Size"><option>Small<option>Medium<option disabled>Gone<optgroup label="More"><option>日本語サイズ</optgroup>${Array.from({ length: 40 }, (_, n) => `<option>Size ${n}`).join("")}</select></p>
    <p id="said"></p><script>
      const shown=()=>{said.textContent='now '+word.value+'/'+notes.value};word.oninput=notes.oninput=shown;
      loud.oninput=()=>{loud.value=loud.value.toUpperCase()};
      for(const one of [word,notes,num,code,loud,secret,day,hour,month,meet,paint,size])one.onchange=()=>say(one.id+'='+one.value);
      story.onblur=()=>say('story='+story.innerText);
      const digits=[...document.querySelectorAll('.digit')];digits.forEach((one,n)=>{one.oninput=()=>{if(one.value)digits[n+1]?.focus();if(digits.every((all)=>all.value))say('code '+digits.map((all)=>all.value).join(''))}});
    </script>`,
  ),
  "/gestures": page(
    "Gestures",
    `<style>body{touch-action:none;height:100vh;overflow:hidden}</style><div id="card" style="position:absolute;left:80px;top:200px;width:200px;height:120px;background:#fdd">Card</div>
    <script>let from,began;addEventListener('touchstart',({touches:[at]})=>{from=at;began=performance.now()},{passive:true});
      addEventListener('touchend',({changedTouches:[to]})=>{const x=to.clientX-from.clientX,y=to.clientY-from.clientY,long=performance.now()-began;
        const way=Math.abs(x)>Math.abs(y)?(x>0?'right':'left'):(y>0?'down':'up');
        say(way+(card.contains(from.target)?' on the card':'')+' '+[from.clientX/innerWidth,from.clientY/innerHeight,to.clientX/innerWidth,to.clientY/innerHeight].map((part)=>Math.round(part*100)).join(',')+(long>900?' slowly':''))})</script>`,
  ),
  "/tall": page(
    "Tall",
    `<h1>Top</h1><button data-say="top">At the top</button>${filler(900)}<p>Middle mark</p>${filler(900)}<button id="low" data-say="low">At the bottom</button>${filler(900)}<p>The very end</p>
    <script>let quiet;if(location.search)onscroll=()=>{clearTimeout(quiet);quiet=setTimeout(()=>say('scrolled '+(scrollY>0)),250)};
      const tellPlace=()=>say('low at '+(Math.abs(low.getBoundingClientRect().top+22-innerHeight/2)<150?'the middle':'the edge'))</script><button style="position:fixed;top:0;right:0" onclick="tellPlace()">Where</button>`,
  ),
  "/wide": page(
    "Wide",
    `<div style="overflow-x:auto;white-space:nowrap;height:90vh" id="strip">${Array.from({ length: 8 }, (_, n) => `<span style="display:inline-block;width:200px;height:80vh;background:hsl(${n * 25} 60% 80%)">Page ${n} ends</span>`).join("")}</div>`,
  ),
  "/lazy": page(
    "Lazy",
    `<h1>Lazy</h1><div id="rows"></div><script>const add=()=>{for(let n=0;n<20;n+=1){const row=document.createElement('div');row.style.height='80px';row.textContent='Row '+rows.childElementCount;row.dataset.say=row.textContent;rows.append(row)}};add();
      onscroll=()=>{if(rows.childElementCount<100&&scrollY+innerHeight>document.body.scrollHeight-200)setTimeout(add,80)}</script>`,
  ),
  "/place": page(
    "Place",
    `<h1>Place</h1><button onclick="ask()">Where am I</button><p id="state"></p><p id="last"></p><script>
      const tell=(text)=>{last.textContent=text;say(text)};let lay=false;
      const ask=()=>navigator.geolocation.getCurrentPosition(({coords})=>tell('at '+coords.latitude.toFixed(3)+','+coords.longitude.toFixed(3)),({code})=>tell('refused '+code));
      const dark=matchMedia('(prefers-color-scheme: dark)');dark.onchange=()=>tell(dark.matches?'dark':'light');
      addEventListener('offline',()=>tell('offline'));addEventListener('online',()=>tell('online'));
      addEventListener('resize',()=>{const now=innerWidth>innerHeight;if(now!==lay)tell(now?'lies':'stands');lay=now});
      localStorage.visits=Number(localStorage.visits||0)+1;state.textContent='visit '+localStorage.visits;
      navigator.permissions.query({name:'camera'}).then(({state})=>{document.title=state;document.body.append('camera '+state)})</script>`,
  ),
  "/leave": page(
    "Leave",
    `<h1>Leave</h1><a class="b" href="/arrived">Plain link</a><a class="b" href="/slow">Slow link</a><a class="b" href="/arrived" target="_blank">New window</a>
    <button onclick="setTimeout(()=>{location='/arrived'},300)">Later</button><button onclick="window.open('/arrived')">Pop</button>
    <button onclick="history.pushState({},'','/leave?two');document.body.innerHTML='<h1>Second view</h1>';onpopstate=()=>{document.body.innerHTML='<h1>First view</h1>'}">In place</button>
    <button onclick="alert('Hello there');say('alert closed')">Alert</button><button onclick="say('confirm '+confirm('Really?'))">Confirm</button><button onclick="say('prompt '+prompt('Your name?','nobody'))">Prompt</button>`,
  ),
  "/arrived": page("Arrived", `<h1>Arrived</h1><button data-say="arrived" onclick="window.close()">Shut</button>`),
  "/shadows": page(
    "Shadows",
    `<x-outer><button slot="in" data-say="slotted">Slotted</button></x-outer><script>
      customElements.define('x-inner',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<button id="deep" class="deep" data-say="deep">Deep</button><input placeholder="Deep field">';this.shadowRoot.querySelector('input').onchange=({target})=>say('deep field '+target.value)}});
      customElements.define('x-outer',class extends HTMLElement{connectedCallback(){this.attachShadow({mode:'open'}).innerHTML='<style>:host{display:block;padding:20px}</style><slot name="in"></slot><x-inner></x-inner>'}})</script>`,
  ),
  "/frames": page(
    "Frames",
    `<h1>Around</h1><iframe src="/frame" style="width:320px;height:260px;border:5px solid;margin-left:10px;transform:scale(.9)"></iframe><iframe src="OTHER/frame?other" style="width:320px;height:200px"></iframe>`,
  ),
  "/frame": page(
    "Frame",
    `<p id="who"></p><button id="in" onclick="say(who.textContent+' pressed')">In the frame</button><iframe src="/innermost" style="width:250px;height:120px"></iframe><input aria-label="Framed field" onchange="say(who.textContent+' field '+this.value)"><script>who.textContent=location.search?'other':'own'</script>`,
  ),
  "/innermost": page("Innermost", `<button onclick="say('innermost')">Innermost</button>`),
  "/restless": page(
    "Restless",
    `<style>@keyframes slide{to{transform:translateX(180px)}}#slide{animation:slide 1.4s linear infinite alternate;width:120px}@keyframes spin{to{transform:rotate(360deg)}}</style>
    <div style="width:30px;height:30px;background:red;animation:spin 1s linear infinite"></div><button id="slide" data-say="caught">Slider</button>
    <p><button id="arriving" data-say="arrived" style="position:relative;left:0;transition:left .8s">Arriving</button></p>
    <div id="fresh"></div><p><button data-say="under">Under</button></p><div id="veil" style="position:fixed;inset:0;background:#0007">Loading</div>
    <script>requestAnimationFrame(()=>{arriving.style.left='200px'});setTimeout(()=>veil.remove(),1200);
      setInterval(()=>{fresh.innerHTML='<button data-say="fresh">Fresh</button>'},120);
      setTimeout(()=>{document.body.insertAdjacentHTML('beforeend','<p>Came late</p>')},1500);setTimeout(()=>document.body.insertAdjacentHTML('beforeend','<p>Went late</p>'),100);setTimeout(()=>{for(const p of document.querySelectorAll('p'))if(p.textContent==='Went late')p.remove()},1600)</script>`,
  ),
  "/shapes": page(
    "Shapes",
    `<style>*{user-select:none}</style><header style="position:sticky;top:0;height:90px;background:#cfc;z-index:1"><button data-say="menu">Menu</button></header>
    <button style="transform:rotate(35deg) scale(.6);margin:30px" data-say="turned">Turned</button>
    <a style="display:inline-block;width:0;height:0;min-width:0" data-say="zero"><span style="position:absolute;padding:12px;background:#eee">Zero</span></a>
    <button style="width:3px;height:3px;min-width:0;padding:0;border:0;font-size:1px;margin-left:120.4px" data-say="tiny" aria-label="Tiny"></button>
    <div style="position:relative;height:60px"><button style="position:absolute;left:0;top:0" data-say="through">Through</button><div style="position:absolute;inset:0;background:#0002;pointer-events:none">Veil</div></div>
    <div style="height:120px;overflow:auto;border:1px solid"><div style="height:112px"></div><div style="width:200px;overflow:auto"><div style="width:900px"><button style="margin-left:194px" data-say="nested">Nested</button></div></div></div>
    <details><summary>More about it</summary><button data-say="details">Within</button></details>
    <div id="touchy" style="height:60px;background:#fdf">Touchy</div><button onclick="modal.showModal()">Modal</button><dialog id="modal"><button data-say="modal" onclick="modal.close()">Okay</button></dialog>
    <div style="transform:translateZ(0)"><button style="position:fixed;right:0;top:10px" data-say="fixed">Fixed inside</button></div>
    ${filler(700)}<p>Between</p><button data-say="deep down">Deep down</button>${filler(1000)}
    <script>touchy.addEventListener('touchstart',(event)=>event.preventDefault(),{passive:false});touchy.addEventListener('touchend',()=>say('touched'))</script>`,
  ),
  "/words": page(
    "Words",
    `<h1>言葉</h1><button data-say="emoji">📱 起動</button><button data-say="family">👩‍👩‍👧</button><p dir="rtl">مرحبا بالعالم</p><p>Straße · naïve café</p><p>a&nbsp;b</p><p style="text-transform:uppercase">quiet</p><p id="copy">Número 42 — 数</p><input id="field" aria-label="Field" onchange="say(field.value)">`,
  ),
};
