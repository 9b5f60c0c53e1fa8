/** Rules that only the page of the gate needs: the wall, the grid, wire logs that fold out. */
export const GATE_STYLE = `
.top{display:grid;grid-template-columns:minmax(0,7fr) minmax(0,5fr);gap:28px 64px;align-items:end;padding-top:36px}.top.alone{grid-template-columns:minmax(0,62rem)}
.bypath td,.bypath th{padding-top:6px;padding-bottom:6px}.bypath th[scope=row]{white-space:nowrap}
.wallfig{margin-top:30px}.wallfig figcaption{margin-bottom:10px}
.families{display:flex;flex-wrap:wrap;gap:18px 22px}.families li{flex:var(--n) 1 calc(var(--n)*11px);min-width:min(100%,max-content);max-width:calc(var(--n)*24px)}.families p{white-space:nowrap;font-size:12px;font-weight:600;color:var(--ink2);margin-bottom:4px}
.mosaic{display:grid;grid-template-columns:repeat(var(--n),minmax(0,1fr));grid-auto-rows:17px;gap:2px}
.mosaic a{display:block}.mosaic .pass{background:color-mix(in srgb,var(--pass) 42%,var(--page))}.mosaic .fail{background:var(--fail);clip-path:polygon(0 0,100% 0,100% 100%,50% 72%,0 100%)}.mosaic .unsure{border:2px dotted var(--unsure)}.mosaic .seen{border:1.5px solid var(--unsure)}.mosaic .na{background:linear-gradient(var(--ink3),var(--ink3)) 50%/6px 1.5px no-repeat}.mosaic a:hover{outline:2px solid var(--ink);outline-offset:1px}
.cases{table-layout:fixed;width:100%}.cases .pc{width:104px;text-align:center}.cases .ms{width:72px}.cases tbody th[scope=row]{font-weight:400;text-align:left;vertical-align:top}
.cases .cid{font-family:var(--mono);font-size:13px;overflow-wrap:anywhere;margin-right:8px}.cases .what{display:block;color:var(--ink2);font-size:13px}
.cases td.cell{text-align:center;padding:7px 0;vertical-align:top}.cases td.cell.fail{background:var(--fail-fill)}.cases td.cell.unsure{background:var(--unsure-fill)}
.cases .fam th{padding-top:26px;font-size:15px;text-align:left;font-weight:650}.cases .fam .dim{font-weight:400;font-size:13px;margin-left:12px}
.cases details{margin-top:4px;font-size:13px}.cases summary{color:var(--blue);cursor:pointer}.cases pre{font-size:12px;overflow-x:auto;background:var(--sunken);border-radius:var(--r);padding:8px 10px;margin-top:6px;max-width:calc(100vw - 40px)}
tr:target>*{background:var(--unsure-fill)}
@media (max-width:1079px){.top{grid-template-columns:minmax(0,1fr)}}
@media (max-width:719px){.cases .pc,.cases td.cell{width:32px;padding:7px 0}.cases .pc span{writing-mode:vertical-rl;transform:rotate(180deg);display:inline-block}.cases .ms{display:none}.cases .cid{display:block}.cases .fam .dim{display:block;margin-left:0}}
@media print{.cases pre{white-space:pre-wrap;max-width:100%}.mosaic *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
`;
