/** Processes and their children. */
import { childrenOfAll } from '../../lib/process/proc.js';

/** A process and all below it, as they are now. */
export function treeOf(root: number): number[] {
  const children = childrenOfAll();
  const found = [root];
  for (let at = 0; at < found.length; at += 1) found.push(...(children.get(found[at] ?? 0) ?? []));
  return found;
}
