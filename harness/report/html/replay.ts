import { BIN_MICROS, type Steps } from '../../measure/series.ts';
import type { ReportModel } from '../model.ts';
import { glyphsOf } from './topology.ts';

/** Moments the slider can stop at, at most. */
const STOPS_MAX = 600;

/** What the slider needs: glyphs shown full per row and stop (one base-36 digit), clients connected in all per stop. */
export type ReplayData = {
  readonly stopMicros: number;
  readonly endMicros: number;
  readonly rows: readonly string[];
  readonly connected: readonly number[];
  readonly total: number;
  readonly away: readonly (readonly [number, number])[];
};

/** Levels at equally spaced bins, in one pass. */
const sampled = (steps: Steps, everyBins: number, stops: number): readonly number[] => {
  const levels: number[] = [];
  let next = 0;
  let level = 0;
  for (let stop = 0; stop <= stops; stop++) {
    while (next < steps.at.length && (steps.at[next] ?? 0) <= stop * everyBins)
      level = steps.count[next++] ?? 0;
    levels.push(level);
  }
  return levels;
};

export const replayData = (model: ReportModel): ReplayData => {
  const bins = Math.max(1, Math.ceil(model.run.endMicros / BIN_MICROS));
  const everyBins = Math.max(2, Math.ceil(bins / STOPS_MAX));
  const stops = Math.ceil(bins / everyBins);
  const connected = Array.from({ length: stops + 1 }, () => 0);
  const rows = model.lanes.map((lane) => {
    const glyphs = glyphsOf(model, lane).shapes.length;
    const on = sampled(lane.connected, everyBins, stops);
    const dead = sampled(lane.unaware, everyBins, stops);
    return on
      .map((n, stop) => {
        const alive = Math.max(0, n - (dead[stop] ?? 0));
        connected[stop] = (connected[stop] ?? 0) + alive;
        return Math.round((glyphs * Math.min(alive, lane.clients)) / Math.max(1, lane.clients)).toString(36);
      })
      .join('');
  });
  return {
    stopMicros: everyBins * BIN_MICROS,
    endMicros: model.run.endMicros,
    rows,
    connected,
    total: model.clients.declared,
    away: model.outages.map(({ fromMicros, toMicros }) => [fromMicros, toMicros ?? model.run.endMicros]),
  };
};

/** JSON for a script element: nothing in it can end the element. */
export const inScript = (value: unknown): string => JSON.stringify(value).replaceAll('<', '\\u003c');

/** Everything the page does with script: copy, filter, replay, opening what a link points at. No request, no storage. */
export const SCRIPT = `'use strict';
document.documentElement.classList.add('on-js');
const one=s=>document.querySelector(s),all=s=>[...document.querySelectorAll(s)];
document.addEventListener('click',e=>{const b=e.target.closest('[data-copy]');if(!b)return;const code=b.previousElementSibling;
const done=()=>{b.textContent='Copied';setTimeout(()=>b.textContent='Copy',1500)};
const old=()=>{const r=document.createRange();r.selectNodeContents(code);const s=getSelection();s.removeAllRanges();s.addRange(r);if(document.execCommand('copy'))done()};
if(navigator.clipboard)navigator.clipboard.writeText(code.textContent).then(done,old);else old()});
all('.filter button').forEach(b=>b.addEventListener('click',()=>{const v=b.dataset.v;all('.filter button').forEach(o=>o.setAttribute('aria-pressed',String(o===b)));
all('.checks tbody tr,.cases tbody tr').forEach(r=>{r.hidden=v!=='all'&&r.dataset.v!==v})}));
const reach=()=>all('.scroll').forEach(s=>{if(s.scrollWidth>s.clientWidth+1){s.tabIndex=0;s.setAttribute('role','region');s.setAttribute('aria-label',s.querySelector('caption')?.textContent??'table')}else{s.removeAttribute('tabindex');s.removeAttribute('role');s.removeAttribute('aria-label')}});
reach();addEventListener('resize',reach);
const reveal=()=>{const t=location.hash&&document.getElementById(location.hash.slice(1));if(t?.hidden){one('.filter button')?.click();t.scrollIntoView()}};
addEventListener('hashchange',reveal);reveal();
const data=JSON.parse(one('#replay').textContent),time=one('#time');
if(time&&data.connected.length>1){
const cur=one('#cur'),now=one('#now'),when=one('#when'),play=one('#play'),relay=one('[data-relay]'),tl=one('#tl');
const dots=data.rows.map((_,i)=>[...(one('.dots[data-row="'+i+'"]')?.children??[])]),links=data.rows.map((_,i)=>all('[data-link="'+i+'"]')),last=data.rows.map(()=>-1);
const stops=data.connected.length-1;time.max=stops;time.value=stops;
const show=v=>{const t=Math.min(v*data.stopMicros,data.endMicros);cur.hidden=false;cur.style.left=(data.endMicros?t/data.endMicros*100:0)+'%';
data.rows.forEach((row,i)=>{const n=parseInt(row[v]??'0',36);if(last[i]===n)return;last[i]=n;dots[i].forEach((d,k)=>d.classList.toggle('off',k>=n));links[i].forEach(l=>l.classList.toggle('off',n===0))});
relay?.classList.toggle('off',data.away.some(([a,b])=>t>=a&&t<b));
const words=(t/1e6).toFixed(1)+' s'+(data.total?': '+data.connected[v]+' of '+data.total:'');now.textContent=words;if(when)when.textContent=data.total?' ('+data.connected[v]+' of '+data.total+' connected at '+(t/1e6).toFixed(1)+' s)':'';time.setAttribute('aria-valuetext',words+(data.total?' connected':''))};
time.setAttribute('aria-valuetext','the end');
let timer=0;const stop=()=>{cancelAnimationFrame(timer);timer=0;play.textContent='Replay'};
time.addEventListener('input',()=>{stop();show(+time.value)});
play.addEventListener('click',()=>{if(timer)return stop();play.textContent='Pause';const from=+time.value>=stops?0:+time.value;let t0;
const tick=ms=>{t0??=ms;const v=Math.min(stops,from+(ms-t0)/12000*stops);time.value=v;show(Math.floor(v));if(v<stops)timer=requestAnimationFrame(tick);else stop()};timer=requestAnimationFrame(tick)});
tl.addEventListener('pointermove',e=>{if(e.pointerType!=='mouse'||timer||e.target.closest('.scrub'))return;const b=one('.over .plot').getBoundingClientRect(),v=Math.round((e.clientX-b.left)/b.width*stops);if(v>=0&&v<=stops){time.value=v;show(v)}});
}`;
