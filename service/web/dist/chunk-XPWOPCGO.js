var L=Object.create;var S=Object.defineProperty;var z=Object.getOwnPropertyDescriptor;var H=Object.getOwnPropertyNames;var W=Object.getPrototypeOf,Y=Object.prototype.hasOwnProperty;var ut=(t,e)=>()=>{try{return e||t((e={exports:{}}).exports,e),e.exports}catch(n){throw e=0,n}};var B=(t,e,n,o)=>{if(e&&typeof e=="object"||typeof e=="function")for(let r of H(e))!Y.call(t,r)&&r!==n&&S(t,r,{get:()=>e[r],enumerable:!(o=z(e,r))||o.enumerable});return t};var ht=(t,e,n)=>(n=t!=null?L(W(t)):{},B(e||!t||!t.__esModule?S(n,"default",{value:t,enumerable:!0}):n,t));var b="gdssm.key",a={get:()=>sessionStorage.getItem(b),set:t=>sessionStorage.setItem(b,t)};var h=class extends Error{constructor(e,n){super(n),this.status=e}get passes(){return this.status===0||this.status===429||this.status>=500}},yt=async()=>(await A("v1/models")).answer,$t=(t,e)=>G("v1/predict",t,e),G=(t,e,n)=>A(t,{method:"POST",headers:{"Content-Type":"application/json"},body:JSON.stringify(e),signal:n});async function A(t,e={}){let n=performance.now(),o=await V(t,e),r=await o.json().catch(i=>{throw i.name==="AbortError"?i:new h(o.status,`The service answered ${o.status}, and not in JSON.`)}),s=performance.now()-n;return{answer:r,latency:{roundTrip:s,compute:K(o.headers.get("Server-Timing"))}}}async function V(t,e={}){let n={...e.headers,...a.get()&&{Authorization:`Bearer ${a.get()}`}},o=await fetch(t,{...e,headers:n}).catch(i=>{throw i.name==="AbortError"?i:new h(0,"The service does not answer. See whether it is still running, then try again.")});if(o.ok)return o;let s=(await o.json().catch(()=>null))?.error??`The service answered ${o.status}, without a reason.`;throw new h(o.status,s)}function K(t){let e=[...(t??"").matchAll(/dur=([\d.]+)/g)].map(([,n])=>Number(n));return e.length?Math.max(...e):null}var y=t=>new Intl.NumberFormat("en",t),T=y({maximumSignificantDigits:4,useGrouping:"min2"}),U=y({maximumSignificantDigits:3,notation:"scientific"}),v=t=>y({minimumFractionDigits:t,maximumFractionDigits:t}),X=v(1),Q=v(3),$=t=>t.replaceAll("-","\u2212").replace("E","e"),g=t=>{if(t===null)return"\u2013";let e=Math.abs(t);return $((e!==0&&(e<.001||e>=1e12)?U:T).format(t))},x=t=>$(X.format(t)),xt=t=>$(Q.format(t)),wt=t=>`${T.format(Math.round(t*100))} %`;function St(t,e,n=g){t.value=e===null?"":String(e),t.textContent=n(e)}var Z="This service is private. Ask whoever runs it for a key.",O=class{constructor(e,n){e.append(document.querySelector("#status-template").content.cloneNode(!0));let o=r=>e.querySelector(`[data-part=${r}]`);[this.latency,this.problem,this.keyForm]=["latency","problem","key"].map(o),this.keyForm.addEventListener("submit",r=>{r.preventDefault(),a.set(new FormData(this.keyForm).get("key")),n()})}answered(e){this.problem.hidden=this.keyForm.hidden=!0,this.latency.textContent=e===null?"":tt(e)}failed(e){this.latency.textContent="",this.problem.textContent=e.status===401&&!a.get()?Z:e.message,this.problem.hidden=!1,this.keyForm.hidden=e.status!==401}},tt=({roundTrip:t,compute:e})=>`Answered in ${x(t)} ms${e===null?"":`, ${x(e)} ms of it in the service`}.`;var et={true:"true",false:"false",null:"null"},nt={true:"True",false:"False",null:"None"},c=t=>f(t,et),l=t=>f(t,nt);function f(t,e,n=""){if(t===null||typeof t=="boolean")return e[t];if(typeof t!="object")return JSON.stringify(t);let o=`${n}  `,[r,s]=Array.isArray(t)?"[]":"{}",i=Array.isArray(t)?t.map(u=>f(u,e,o)):Object.entries(t).map(([u,_])=>`${JSON.stringify(u)}: ${f(_,e,o)}`),p=`${r}${i.join(", ")}${s}`;if(p.length+n.length<=86&&!p.includes(`
`))return p;let q=Array.isArray(t)?ot(i,86-o.length):i;return`${r}
${q.map(u=>o+u).join(`,
`)}
${n}${s}`}function ot(t,e){let n=[];for(let o of t){let r=n.at(-1);r!==void 0&&r.length+o.length+2<=e?n[n.length-1]=`${r}, ${o}`:n.push(o)}return n}var d=new URL(".",location.href).href,I="application/json",rt=d.replace(/\/$/,""),m={python:"# In a checkout of gdssm: pip install ./clients/python",command:"# In a checkout of gdssm: pip install '.[client]'",curl:"# Nothing to install but curl.",javascript:"// Nothing to install: Node 18 or later, saved as call.mjs."},Nt=(t,e)=>({python:`${C(e?.code.python)}
${j(t,e)}
${ct(t)}`,javascript:`${m.javascript}
${k(t,e)}
${E(t)}
console.log(${at(t)});`,curl:`${m.curl}
${N("v1/predict",t)}`}),Et=(t,e,n)=>({python:`${C(n?.code.python)}
${j(t,n)}
fitted = [0.0] * (len(x) + len(query))
for step in range(${e}):  # one step from here is one step from zero on the residuals
    left = [value - fit for value, fit in zip(y, fitted)]
    added = client.predict(x, left, x + query${D(t)}).prediction
    fitted = [fit + more for fit, more in zip(fitted, added)]
print(fitted[len(x) :])`,javascript:`${m.javascript}
${k(t,n)}
let fitted = [...x, ...query].map(() => 0);
for (let step = 0; step < ${e}; step += 1) { // one step from here is one step from zero on the residuals
  const left = y.map((value, i) => value - fitted[i]);
  ${E(t,"context: { x, y: left }, query: [...x, ...query]").replaceAll(`
`,`
  `)}
  fitted = fitted.map((fit, i) => fit + answer.prediction[i]);
}
console.log(fitted.slice(x.length));`});function C(t){let[e,n]=a.get()?[`import os
`,', api_key=os.environ["GDSSM_API_KEY"]']:["",""];return`${m.python}
${e}from gdssm_client import Client

client = Client("${rt}"${n})${t?`

${t}

`:""}`}var N=(t,e)=>`curl -s ${d}${t}${w(I)} -d @- <<'JSON'
${c(e)}
JSON`,jt=(t,e,n)=>`curl -s '${d}${t.replaceAll("'","%27")}'${w(e)} \\
  --data-binary '@${n.replaceAll("'","'\\''")}'`,kt=(t,e)=>`id=$(${N(t,e)}
)
id=$(echo "$id" | grep -o '[0-9a-f]\\{32\\}' | head -1)`,Dt=t=>`curl -s ${d}${t}${w()}`;function w(t){return[...t?[`Content-Type: ${t}`]:[],...a.get()?["Authorization: Bearer $GDSSM_API_KEY"]:[]].map(n=>` \\
  -H "${n}"`).join("")}var st=(t,e,n)=>`const response = await fetch("${d}${t}", {
  method: "POST",
  headers: {${it(e)} },
  body: ${n},
});
const answer = await response.json();
if (!response.ok) throw new Error(answer.error);`,it=t=>` "Content-Type": "${t}"${a.get()?", Authorization: `Bearer ${process.env.GDSSM_API_KEY}`":""}`;function E({model:t,parameters:e,interval:n},o="context: { x, y }, query"){let s=Object.entries({model:t,parameters:e,interval:n}).filter(([,i])=>i!==void 0).map(([i,p])=>`, ${i}: ${JSON.stringify(p)}`).join("");return st("v1/predict",I,`JSON.stringify({ ${o}${s} })`)}var at=({interval:t})=>t?"answer.prediction, answer.interval.lower, answer.interval.upper":"JSON.stringify(answer.prediction)";function ct(t){let e=`client.predict(x, y, query${D(t)})`;return t.interval?`answer = ${e}
print(answer.prediction, answer.lower, answer.upper)`:`print(${e}.prediction)`}var j=({context:t,query:e},n)=>n?`x = [features(*row) for row in ${l(n.x)}]
y = ${l(t.y)}
query = [features(*row) for row in ${l(n.query)}]`:`x = ${l(t.x)}
y = ${l(t.y)}
query = ${l(e)}`,k=({context:t,query:e},n)=>n?`${n.code.javascript}
const x = ${c(n.x)}.map((row) => features(...row));
const y = ${c(t.y)};
const query = ${c(n.query)}.map((row) => features(...row));`:`const x = ${c(t.x)};
const y = ${c(t.y)};
const query = ${c(e)};`;function D({model:t,parameters:e,interval:n}){return Object.entries({model:t,parameters:e,interval:n}).filter(([,r])=>r!==void 0).map(([r,s])=>`, ${r}=${l(s)}`).join("")}var P=null;function Ft(t){clearTimeout(P),P=setTimeout(()=>document.querySelector("#announcer").textContent=t,700)}var F=class{constructor(e){e.append(document.querySelector("#calls-template").content.cloneNode(!0)),this.code=e.querySelector("code"),this.about=e.querySelector("[data-part=about]"),this.copy=e.querySelector("[data-part=copy]"),this.host=e,this.language="python",this.buttons=[...e.querySelectorAll("[data-language]")];for(let n of this.buttons)n.addEventListener("click",()=>this.#t(n.dataset.language));this.copy.addEventListener("click",()=>this.#e()),this.clear()}show(e,n){this.calls=e,this.about.textContent=n,this.host.hidden=!1;for(let o of this.buttons)o.hidden=!(o.dataset.language in e);this.#t(this.language in e?this.language:Object.keys(e)[0])}clear(){this.calls={},this.host.hidden=!0}#t(e){this.language=e,this.code.textContent=this.calls[e];for(let n of this.buttons)n.setAttribute("aria-pressed",n.dataset.language===e)}async#e(){clearTimeout(this.said);try{await navigator.clipboard.writeText(this.calls[this.language]),this.copy.textContent="Copied"}catch{getSelection().selectAllChildren(this.code),this.copy.textContent="Selected: press Ctrl+C"}this.said=setTimeout(()=>this.copy.textContent="Copy",1600)}};function qt(t,{min:e,max:n},o,r){let s=i=>i<e||i>n;t.hidden=![o.value,...r.values].some(s),t.textContent=s(o.value)?`${o.name} lies ${o.value<e?"below":"above"} the frame, at ${g(o.value)}.`:`Parts of ${r.name} lie outside the frame.`}function Lt(t){let e=t*2654435769>>>0,n=()=>{e=e+1831565813>>>0;let o=Math.imul(e^e>>>15,e|1);return o^=o+Math.imul(o^o>>>7,o|61),((o^o>>>14)>>>0)/2**32};return{uniform:(o=0,r=1)=>o+(r-o)*n(),normal:()=>Math.sqrt(-2*Math.log(1-n()))*Math.cos(2*Math.PI*n())}}var zt=(t,e=3)=>Number(t.toFixed(e));var lt="http://www.w3.org/2000/svg",J={ArrowLeft:[-1,0],ArrowRight:[1,0],ArrowUp:[0,1],ArrowDown:[0,-1]},pt=.01;function Wt(t,e={},...n){let o=document.createElementNS(lt,t);for(let[r,s]of Object.entries(e))o.setAttribute(r,s);return o.append(...n),o}function Yt(t,e,{x:n,y:o}){let{left:r,top:s}=e.getBoundingClientRect();return M({x:n,y:o},n.getValueForPixel(t.clientX-r),o.getValueForPixel(t.clientY-s))}function Bt(t,{x:e,y:n},[o,r]){if(!(t.key in J))return null;let[s,i]=J[t.key].map(p=>p*pt*(t.shiftKey?10:1));return M({x:e,y:n},o+s*(e.max-e.min),r+i*(n.max-n.min))}function Gt(t,e){t.addEventListener("pointerdown",n=>{n.button===0&&t.setPointerCapture(n.pointerId)}),t.addEventListener("pointermove",n=>{t.hasPointerCapture(n.pointerId)&&e(n)})}var R=(t,{min:e,max:n})=>Math.min(n,Math.max(e,t)),M=({x:t,y:e},n,o)=>[R(n,t),R(o,e)];export{ut as a,ht as b,a as c,h as d,yt as e,$t as f,G as g,A as h,V as i,g as j,x as k,xt as l,wt as m,St as n,O as o,c as p,l as q,rt as r,m as s,Nt as t,Et as u,C as v,N as w,jt as x,kt as y,Dt as z,st as A,it as B,Ft as C,F as D,qt as E,Wt as F,Yt as G,Bt as H,Gt as I,M as J,Lt as K,zt as L};
