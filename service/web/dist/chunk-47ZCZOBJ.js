var q=Object.create;var x=Object.defineProperty;var _=Object.getOwnPropertyDescriptor;var L=Object.getOwnPropertyNames;var z=Object.getPrototypeOf,H=Object.prototype.hasOwnProperty;var ut=(t,e)=>()=>{try{return e||t((e={exports:{}}).exports,e),e.exports}catch(n){throw e=0,n}};var W=(t,e,n,o)=>{if(e&&typeof e=="object"||typeof e=="function")for(let r of L(e))!H.call(t,r)&&r!==n&&x(t,r,{get:()=>e[r],enumerable:!(o=_(e,r))||o.enumerable});return t};var ht=(t,e,n)=>(n=t!=null?q(z(t)):{},W(e||!t||!t.__esModule?x(n,"default",{value:t,enumerable:!0}):n,t));var w="gdssm.key",a={get:()=>sessionStorage.getItem(w),set:t=>sessionStorage.setItem(w,t)};var h=class extends Error{constructor(e,n){super(n),this.status=e}get passes(){return this.status===0||this.status===429||this.status>=500}},yt=async()=>(await S("v1/models")).answer,$t=(t,e)=>Y("v1/predict",t,e),Y=(t,e,n)=>S(t,{method:"POST",headers:{"Content-Type":"application/json"},body:JSON.stringify(e),signal:n});async function S(t,e={}){let n=performance.now(),o=await G(t,e),r=await o.json().catch(i=>{throw i.name==="AbortError"?i:new h(o.status,`The service answered ${o.status}, and not in JSON.`)}),s=performance.now()-n;return{answer:r,latency:{roundTrip:s,compute:V(o.headers.get("Server-Timing"))}}}async function G(t,e={}){let n={...e.headers,...a.get()&&{Authorization:`Bearer ${a.get()}`}},o=await fetch(t,{...e,headers:n}).catch(i=>{throw i.name==="AbortError"?i:new h(0,"The service does not answer. See whether it is still running, then try again.")});if(o.ok)return o;let s=(await o.json().catch(()=>null))?.error??`The service answered ${o.status}, without a reason.`;throw new h(o.status,s)}function V(t){let e=[...(t??"").matchAll(/dur=([\d.]+)/g)].map(([,n])=>Number(n));return e.length?Math.max(...e):null}var y=t=>new Intl.NumberFormat("en",t),b=y({maximumSignificantDigits:4,useGrouping:"min2"}),B=y({maximumSignificantDigits:3,notation:"scientific"}),A=t=>y({minimumFractionDigits:t,maximumFractionDigits:t}),K=A(1),U=A(3),$=t=>t.replaceAll("-","\u2212").replace("E","e"),X=t=>{if(t===null)return"\u2013";let e=Math.abs(t);return $((e!==0&&(e<.001||e>=1e12)?B:b).format(t))},g=t=>$(K.format(t)),xt=t=>$(U.format(t)),wt=t=>`${b.format(Math.round(t*100))} %`;function St(t,e,n=X){t.value=e===null?"":String(e),t.textContent=n(e)}var Q="This service is private. Ask whoever runs it for a key.",T=class{constructor(e,n){e.append(document.querySelector("#status-template").content.cloneNode(!0));let o=r=>e.querySelector(`[data-part=${r}]`);[this.latency,this.problem,this.keyForm]=["latency","problem","key"].map(o),this.keyForm.addEventListener("submit",r=>{r.preventDefault(),a.set(new FormData(this.keyForm).get("key")),n()})}answered(e){this.problem.hidden=this.keyForm.hidden=!0,this.latency.textContent=e===null?"":Z(e)}failed(e){this.latency.textContent="",this.problem.textContent=e.status===401&&!a.get()?Q:e.message,this.problem.hidden=!1,this.keyForm.hidden=e.status!==401}},Z=({roundTrip:t,compute:e})=>`Answered in ${g(t)} ms${e===null?"":`, ${g(e)} ms of it in the service`}.`;var tt={true:"true",false:"false",null:"null"},et={true:"True",false:"False",null:"None"},c=t=>f(t,tt),l=t=>f(t,et);function f(t,e,n=""){if(t===null||typeof t=="boolean")return e[t];if(typeof t!="object")return JSON.stringify(t);let o=`${n}  `,[r,s]=Array.isArray(t)?"[]":"{}",i=Array.isArray(t)?t.map(u=>f(u,e,o)):Object.entries(t).map(([u,R])=>`${JSON.stringify(u)}: ${f(R,e,o)}`),p=`${r}${i.join(", ")}${s}`;if(p.length+n.length<=86&&!p.includes(`
`))return p;let M=Array.isArray(t)?nt(i,86-o.length):i;return`${r}
${M.map(u=>o+u).join(`,
`)}
${n}${s}`}function nt(t,e){let n=[];for(let o of t){let r=n.at(-1);r!==void 0&&r.length+o.length+2<=e?n[n.length-1]=`${r}, ${o}`:n.push(o)}return n}var m=new URL(".",location.href).href,O="application/json",ot=m.replace(/\/$/,""),d={python:"# In a checkout of gdssm: pip install ./clients/python",command:"# In a checkout of gdssm: pip install '.[client]'",curl:"# Nothing to install but curl.",javascript:"// Nothing to install: Node 18 or later, saved as call.mjs, or the console of this page."},Ct=(t,e)=>({python:`${v(e?.code.python)}
${C(t,e)}
${ct(t)}`,javascript:`${d.javascript}
${E(t,e)}
${N(t)}
console.log(${at(t)});`,curl:`${d.curl}
${rt("v1/predict",t)}`}),Et=(t,e,n)=>({python:`${v(n?.code.python)}
${C(t,n)}
fitted = [0.0] * (len(x) + len(query))
for step in range(${e}):  # one step from here is one step from zero on the residuals
    left = [value - fit for value, fit in zip(y, fitted)]
    added = client.predict(x, left, x + query${j(t)}).prediction
    fitted = [fit + more for fit, more in zip(fitted, added)]
print(fitted[len(x) :])`,javascript:`${d.javascript}
${E(t,n)}
let fitted = [...x, ...query].map(() => 0);
for (let step = 0; step < ${e}; step += 1) { // one step from here is one step from zero on the residuals
  const left = y.map((value, i) => value - fitted[i]);
  ${N(t,"context: { x, y: left }, query: [...x, ...query]").replaceAll(`
`,`
  `)}
  fitted = fitted.map((fit, i) => fit + answer.prediction[i]);
}
console.log(fitted.slice(x.length));`});function v(t){let[e,n]=a.get()?[`import os
`,', api_key=os.environ["GDSSM_API_KEY"]']:["",""];return`${d.python}
${e}from gdssm_client import Client

client = Client("${ot}"${n})${t?`

${t}

`:""}`}var rt=(t,e)=>`curl -s ${m}${t}${I(O)} -d @- <<'JSON'
${c(e)}
JSON`,jt=(t,e,n)=>`curl -s '${m}${t.replaceAll("'","%27")}'${I(e)} \\
  --data-binary '@${n.replaceAll("'","'\\''")}'`;function I(t){return[`Content-Type: ${t}`,...a.get()?["Authorization: Bearer $GDSSM_API_KEY"]:[]].map(n=>` \\
  -H "${n}"`).join("")}var st=(t,e,n)=>`const response = await fetch("${m}${t}", {
  method: "POST",
  headers: {${it(e)} },
  body: ${n},
});
const answer = await response.json();
if (!response.ok) throw new Error(answer.error);`,it=t=>` "Content-Type": "${t}"${a.get()?", Authorization: `Bearer ${process.env.GDSSM_API_KEY}`":""}`;function N({model:t,parameters:e,interval:n},o="context: { x, y }, query"){let s=Object.entries({model:t,parameters:e,interval:n}).filter(([,i])=>i!==void 0).map(([i,p])=>`, ${i}: ${JSON.stringify(p)}`).join("");return st("v1/predict",O,`JSON.stringify({ ${o}${s} })`)}var at=({interval:t})=>t?"answer.prediction, answer.interval.lower, answer.interval.upper":"JSON.stringify(answer.prediction)";function ct(t){let e=`client.predict(x, y, query${j(t)})`;return t.interval?`answer = ${e}
print(answer.prediction, answer.lower, answer.upper)`:`print(${e}.prediction)`}var C=({context:t,query:e},n)=>n?`x = [features(*row) for row in ${l(n.x)}]
y = ${l(t.y)}
query = [features(*row) for row in ${l(n.query)}]`:`x = ${l(t.x)}
y = ${l(t.y)}
query = ${l(e)}`,E=({context:t,query:e},n)=>n?`${n.code.javascript}
const x = ${c(n.x)}.map((row) => features(...row));
const y = ${c(t.y)};
const query = ${c(n.query)}.map((row) => features(...row));`:`const x = ${c(t.x)};
const y = ${c(t.y)};
const query = ${c(e)};`;function j({model:t,parameters:e,interval:n}){return Object.entries({model:t,parameters:e,interval:n}).filter(([,r])=>r!==void 0).map(([r,s])=>`, ${r}=${l(s)}`).join("")}var k=null;function Dt(t){clearTimeout(k),k=setTimeout(()=>document.querySelector("#announcer").textContent=t,700)}var D=class{constructor(e){e.append(document.querySelector("#calls-template").content.cloneNode(!0)),this.code=e.querySelector("code"),this.about=e.querySelector("[data-part=about]"),this.copy=e.querySelector("[data-part=copy]"),this.host=e,this.language="python",this.buttons=[...e.querySelectorAll("[data-language]")];for(let n of this.buttons)n.addEventListener("click",()=>this.#t(n.dataset.language));this.copy.addEventListener("click",()=>this.#e()),this.clear()}show(e,n){this.calls=e,this.about.textContent=n,this.host.hidden=!1;for(let o of this.buttons)o.hidden=!(o.dataset.language in e);this.#t(this.language in e?this.language:Object.keys(e)[0])}clear(){this.calls={},this.host.hidden=!0}#t(e){this.language=e,this.code.textContent=this.calls[e];for(let n of this.buttons)n.setAttribute("aria-pressed",n.dataset.language===e)}async#e(){clearTimeout(this.said);try{await navigator.clipboard.writeText(this.calls[this.language]),this.copy.textContent="Copied"}catch{getSelection().selectAllChildren(this.code),this.copy.textContent="Selected: press Ctrl+C"}this.said=setTimeout(()=>this.copy.textContent="Copy",1600)}};function Jt(t){let e=t*2654435769>>>0,n=()=>{e=e+1831565813>>>0;let o=Math.imul(e^e>>>15,e|1);return o^=o+Math.imul(o^o>>>7,o|61),((o^o>>>14)>>>0)/2**32};return{uniform:(o=0,r=1)=>o+(r-o)*n(),normal:()=>Math.sqrt(-2*Math.log(1-n()))*Math.cos(2*Math.PI*n())}}var Mt=(t,e=3)=>Number(t.toFixed(e));var lt="http://www.w3.org/2000/svg",P={ArrowLeft:[-1,0],ArrowRight:[1,0],ArrowUp:[0,1],ArrowDown:[0,-1]},pt=.01;function qt(t,e={},...n){let o=document.createElementNS(lt,t);for(let[r,s]of Object.entries(e))o.setAttribute(r,s);return o.append(...n),o}function _t(t,e,{x:n,y:o}){let{left:r,top:s}=e.getBoundingClientRect();return J({x:n,y:o},n.getValueForPixel(t.clientX-r),o.getValueForPixel(t.clientY-s))}function Lt(t,{x:e,y:n},[o,r]){if(!(t.key in P))return null;let[s,i]=P[t.key].map(p=>p*pt*(t.shiftKey?10:1));return J({x:e,y:n},o+s*(e.max-e.min),r+i*(n.max-n.min))}function zt(t,e){t.addEventListener("pointerdown",n=>{n.button===0&&t.setPointerCapture(n.pointerId)}),t.addEventListener("pointermove",n=>{t.hasPointerCapture(n.pointerId)&&e(n)})}var F=(t,{min:e,max:n})=>Math.min(n,Math.max(e,t)),J=({x:t,y:e},n,o)=>[F(n,t),F(o,e)];export{ut as a,ht as b,a as c,h as d,yt as e,$t as f,Y as g,S as h,G as i,X as j,g as k,xt as l,wt as m,St as n,T as o,c as p,l as q,ot as r,d as s,Ct as t,Et as u,v,rt as w,jt as x,st as y,it as z,Dt as A,D as B,qt as C,_t as D,Lt as E,zt as F,J as G,Jt as H,Mt as I};
