/** What a bench's page adds to the style of all pages. Shapes carry verdicts besides colours: disc, diamond, ring. */
export const BENCH_STYLE = `
.t-met{color:var(--pass)}.t-missed{color:var(--fail)}.t-undecided{color:var(--unsure)}.t-none{color:var(--ink3)}.word{font-weight:650}
.forest td,.forest th{vertical-align:middle;white-space:nowrap}.forest .fo{width:34%;min-width:190px}.forest .mkc{padding-right:8px;width:24px}.forest .whyc{white-space:normal;font-size:13px}
.tr{position:relative;display:block;height:20px;background:linear-gradient(var(--grid),var(--grid)) 0 50%/100% 1px no-repeat}.tr i{position:absolute;top:50%}
.one{height:34px;border-left:1.5px solid var(--ink);transform:translateY(-50%)}.ci{height:6px;transform:translateY(-50%);opacity:.5;min-width:1px}
.ci.met,.pt.met{background:var(--pass)}.ci.missed,.pt.missed{background:var(--fail)}.ci.undecided,.pt.undecided{background:var(--unsure)}
.pt{width:10px;height:10px;transform:translate(-50%,-50%);border-radius:50%}.pt.missed{border-radius:0;transform:translate(-50%,-50%) rotate(45deg)}.pt.undecided{background:var(--page)!important;border:2px solid var(--unsure)}
.sc{position:relative;height:24px}.sc span{position:absolute;bottom:6px;transform:translateX(-50%);font-weight:400}
.panels{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,420px),1fr));gap:36px 56px}.panel table{margin-top:8px;width:100%}.panel td,.panel th{border:0;padding:3px 10px 3px 0;vertical-align:middle;white-space:nowrap}
.panel tbody th{font-weight:400;width:1%}.panel .own th{font-weight:650}.bc{width:44%;min-width:70px}.none{white-space:normal!important}
.bar1{position:relative;display:block;height:18px;border-left:1px solid var(--ink3)}.bar1 i{position:absolute;inset:2px auto 2px 0;box-shadow:inset 0 0 0 1.3px var(--ink3);background:var(--grid)}.own .bar1 i{background:var(--blue);box-shadow:none}
.bar1 u{position:absolute;top:50%;height:7px;transform:translateY(-50%);border:solid var(--ink);border-width:0 1.5px;background:linear-gradient(var(--ink),var(--ink)) 50%/100% 1.5px no-repeat}
.panel .bes{white-space:normal}
@media (max-width:719px){.forest .fo,.forest .sc{display:none}.forest td,.forest th{white-space:normal}.panel .bc{width:30%;min-width:48px}}`;
