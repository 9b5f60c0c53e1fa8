import { DARK, LIGHT } from './tokens.ts';

/** Type, space, tables, marks. System fonts only, tabular digits, 12 px floor. Steps 4 8 14 20 28 44. */
export const STYLE = `
:root{color-scheme:light dark;${LIGHT};--r:6px;
--sans:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Liberation Sans",sans-serif;
--mono:ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media (prefers-color-scheme:dark){:root{${DARK}}}
*{box-sizing:border-box}
[hidden]{display:none!important}
html{-webkit-text-size-adjust:100%;scroll-padding-top:60px}
body{margin:0;background:var(--page);color:var(--ink);font:15px/1.5 var(--sans);font-variant-numeric:tabular-nums;-webkit-font-smoothing:antialiased;overflow-wrap:break-word}
h1,h2,h3,p,ul,ol,dl,dd,figure,table,pre{margin:0;padding:0}
h1{font-size:clamp(23px,2.1vw + 13px,36px);line-height:1.18;font-weight:650;letter-spacing:-.018em;text-wrap:balance;overflow-wrap:anywhere}
h2{font-size:20px;line-height:1.3;font-weight:650;letter-spacing:-.01em;margin-bottom:4px}
h3{font-size:15px;line-height:1.4;font-weight:650}
a{color:var(--blue);text-underline-offset:2px;text-decoration-thickness:1px}
code,pre,.mono{font-family:var(--mono);font-size:max(12px,.92em)}
code{overflow-wrap:anywhere}
ul,ol{list-style:none}
:focus-visible{outline:2px solid var(--blue);outline-offset:2px;border-radius:3px}
:target{scroll-margin-top:70px}
tr:target,article:target>header{background:var(--sunken);box-shadow:inset 3px 0 var(--blue)}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--surface);padding:6px 10px;z-index:9}
.defs{position:absolute}
.wrap{max-width:1440px;margin:0 auto;padding:0 clamp(14px,3vw,48px)}
.bar{position:sticky;top:0;z-index:8;background:var(--page);border-bottom:1px solid var(--line)}
.bar .wrap{display:flex;align-items:center;gap:18px;height:48px;white-space:nowrap;overflow:hidden}
.logo{display:inline-flex;gap:8px;align-items:center;font-weight:650}
.logo svg{width:20px;height:20px;display:block}
.bar nav{display:flex;gap:18px;margin-left:auto;font-size:13px}
.bar nav a{color:var(--ink2);text-decoration:none;padding:6px 0}.bar nav a:hover{color:var(--ink);text-decoration:underline}
.bar .what{color:var(--ink2);font-size:13px;overflow:hidden;text-overflow:ellipsis}
section{padding:44px 0 0}section.v{padding:0}
.lede{color:var(--ink2);max-width:74ch;margin-bottom:20px;text-wrap:pretty}
.small{font-size:13px}.tiny{font-size:12px}.dim{color:var(--ink2)}.dim3{color:var(--ink3)}.light{font-weight:400}.nw{white-space:nowrap}.gap{margin-top:28px}.notes{margin-top:10px}
.mk{width:16px;height:16px;display:inline-block;vertical-align:-2.5px;flex:none}
.mk.pass,.t-pass{color:var(--pass)}.mk.fail,.t-fail{color:var(--fail)}.mk.unsure,.t-unsure,.mk.seen{color:var(--unsure)}.mk.na{color:var(--ink3)}
.tag{display:inline-block;font-size:13px;line-height:1.4;padding:3px 10px;border-radius:12px;border:1.5px dashed var(--unsure);color:var(--unsure);font-weight:600}
.pin{display:inline-grid;place-items:center;min-width:24px;height:24px;padding:0 4px;border-radius:4px;background:var(--fail);color:var(--surface);font:650 12px/1 var(--sans);text-decoration:none;vertical-align:1px;flex:none}
.pin.unsure,.pin.seen{background:var(--page);color:var(--unsure);border:1.5px dashed var(--unsure)}.pin.seen{border-style:solid;border-width:1px}
.pins{display:inline-flex;gap:4px;flex-wrap:wrap}
.scroll{overflow-x:auto;overscroll-behavior-x:contain}
table{border-collapse:collapse;width:100%;font-size:13.5px;line-height:1.45}
caption{text-align:left;color:var(--ink2);font-size:13px;padding:0 0 8px}
th,td{text-align:left;padding:7px 14px 7px 0;border-bottom:1px solid var(--grid);vertical-align:top}
thead th{font-weight:600;font-size:12px;color:var(--ink2);vertical-align:bottom;white-space:nowrap}
thead th,thead td{border-bottom-color:var(--line)}
tbody th{font-weight:600}.num{text-align:right;white-space:nowrap}th.num{text-align:right}
td:last-child,th:last-child{padding-right:0}.num+td:not(.num),.num+th:not(.num){padding-left:14px}
tr.sum td,tr.sum th{border-top:1px solid var(--ink3);border-bottom:0;font-weight:650}
.bad{background:var(--fail-fill);color:var(--ink);font-weight:650;box-shadow:inset 0 0 0 1px var(--fail);padding:1px 6px;border-radius:3px;white-space:nowrap}
.vh{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
.counts{display:flex;flex-wrap:wrap;gap:6px 18px;font-size:14px;margin:18px 0 0}
.counts li{display:flex;gap:6px;white-space:nowrap;align-items:center;color:var(--ink2)}.counts b{color:var(--ink);font-size:18px;font-weight:650}
.badges{display:flex;flex-wrap:wrap;gap:8px 12px;align-items:center;margin-bottom:14px}
.badge{display:inline-flex;align-items:center;gap:9px;font-weight:650;font-size:15px;padding:5px 14px 5px 9px;border-radius:99px}
.badge .mk{width:20px;height:20px}.badge.pass{background:var(--pass-fill);color:var(--pass)}.badge.fail{background:var(--fail-fill);color:var(--fail)}.badge.unsure{background:var(--unsure-fill);color:var(--unsure)}
.cmd{display:flex;align-items:stretch;background:var(--sunken);border:1px solid var(--line);border-radius:var(--r);max-width:100%;overflow:hidden}
.cmd code{padding:10px 14px;overflow-x:auto;white-space:pre;flex:1;min-width:0;font-size:13px}
.cmd code::before{content:"$ ";color:var(--ink3)}
.cmd code:focus-visible{outline-offset:-2px}
.cmd button{border:0;border-left:1px solid var(--line);background:var(--surface);color:var(--ink);font:600 13px var(--sans);width:84px;cursor:pointer;flex:none}
.cmd button:hover{background:var(--grid)}
.again{margin:12px 0 6px}.facts{margin-top:28px}
.wire{font-size:12.5px}.wire td{padding:3px 14px 3px 0;border:0;white-space:nowrap}.wire .mono{font-size:12.5px}
.wire td.bytes{white-space:normal;max-width:30em;min-width:9em}.wire td.read{white-space:normal;min-width:190px;color:var(--ink2)}
.wire tr.here td{background:var(--fail-fill);color:var(--ink)}.wire tr.here td:first-child{box-shadow:inset 3px 0 var(--fail)}.wire tr.here .dim3{color:var(--ink)}
.wire td:first-child,.wire th:first-child{padding-left:10px}
footer{margin:56px 0 0;border-top:1px solid var(--line);padding:18px 0 40px;color:var(--ink2);font-size:13px}
dl.kv{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 18px;font-size:13.5px;align-content:start}dl.kv dt{color:var(--ink2)}dl.kv dd{overflow-wrap:anywhere}
.first{display:grid;grid-template-columns:minmax(0,.72fr) minmax(0,1.4fr);gap:28px 52px;padding-top:36px;align-items:start}
.first.alone{grid-template-columns:minmax(0,62rem)}
.asked{color:var(--ink2);margin-top:14px;max-width:74ch;text-wrap:pretty}
.fails{margin-top:18px;border-top:1px solid var(--line)}.fails li{display:grid;grid-template-columns:34px minmax(0,1fr);gap:10px;padding:8px 0;border-bottom:1px solid var(--line);align-items:start}.fails a{color:var(--ink)}
.wall{display:flex;flex-wrap:wrap;gap:4px;margin-top:18px}.wall a{display:grid;place-items:center;width:24px;height:24px}
.failure{padding:20px 0;border-top:1px solid var(--line)}.failure header{display:flex;gap:12px;align-items:baseline;margin-bottom:10px}.failure header>div{min-width:0;overflow-wrap:anywhere}
.failure .kv,.failure .scroll,.failure .re{margin-left:36px}.failure .scroll{margin-top:14px}.failure .re{display:grid;grid-template-columns:minmax(0,1fr);gap:8px;margin-top:14px;max-width:900px}
.two{display:grid;grid-template-columns:minmax(0,1.15fr) minmax(0,1fr);gap:20px 40px}.two.even{grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:28px 56px}
.narrowest{max-width:560px}
.receipts td:nth-child(5){min-width:200px}.receipts td:nth-child(4){min-width:150px}.ledger td.where{min-width:130px}
.places td:nth-child(3),.places td:nth-child(4){min-width:220px}
.checks td:nth-child(3),.checks td:nth-child(4){min-width:240px}.checks code{font-size:12.5px;white-space:nowrap}.checks .pin{margin-left:4px}
.filter{flex-wrap:wrap;gap:8px;margin:0 0 14px}.filter button{font:600 13px/1 var(--sans);display:flex;gap:7px;align-items:center;padding:7px 12px;border:1px solid var(--ink3);border-radius:99px;background:var(--surface);color:var(--ink);cursor:pointer}.filter button[aria-pressed=true]{border-color:var(--ink);box-shadow:inset 0 0 0 1px var(--ink)}
.js{display:none}.on-js .js{display:inline-flex}.on-js .filter.js{display:flex}.on-js .cmd button.js{display:block}
@media (max-width:1199px){.first{grid-template-columns:minmax(0,1fr)}.wide{display:none}.bar .what{display:none}}
@media (max-width:719px){.bar nav{display:none}.bar .what{display:block}section{padding-top:36px}
.two,.two.even{grid-template-columns:minmax(0,1fr)}
.failure .kv,.failure .scroll,.failure .re{margin-left:0}dl.kv{grid-template-columns:72px minmax(0,1fr);gap:4px 12px}dl.kv dt{font-size:12px;line-height:20px}}
@media print{:root{${LIGHT};color-scheme:light}.bar,.noprint,.skip,.on-js .js,.cmd button{display:none!important}body{font-size:11px;background:#fff}section{padding-top:20px;break-inside:auto}
.first{grid-template-columns:minmax(0,1fr);gap:14px;padding-top:0}h1{font-size:22px}.two,.two.even{grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:16px 24px}
figure,tr,.fleet,.tl{break-inside:avoid}h2,h3,.lede{break-after:avoid;break-inside:avoid}.cmd code{white-space:pre-wrap}*{-webkit-print-color-adjust:exact;print-color-adjust:exact}.scroll{overflow:visible}}
@media (prefers-reduced-motion:no-preference){html{scroll-behavior:smooth}}
`;
