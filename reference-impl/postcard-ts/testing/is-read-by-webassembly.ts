import { settingsOf } from '../src/codec/options.ts';
import { LayoutPlan, type TextForm } from '../src/columns/layout.ts';
import { RowsEngine } from '../src/columns/rows-engine.ts';
import { Store } from '../src/columns/store.ts';
import type { Schema } from '../src/index.ts';
import { openInput } from '../src/wire/input.ts';

/** Whether WebAssembly itself reads a seq of these rows, and does not leave it to JavaScript. */
export const isReadByWebAssembly = (
  { node }: Schema<unknown>,
  bytes: Uint8Array,
  text: TextForm = 'dict',
): boolean => {
  const settings = settingsOf({});
  const plan = new LayoutPlan(node, {}, text);
  openInput(bytes, 0, settings.limits.emptyItems);
  return RowsEngine.of(node, plan, settings)?.read(0, new Store(plan.slots, plan.levels)) === true;
};
