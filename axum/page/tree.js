// What the metadata holds: objects and lists of values.

/** A parsed number that kept its digits is an object, too. */
export function isContainer(value) {
  return typeof value === "object" && value !== null && !JSON.isRawJSON?.(value);
}

/** A single value as text: a string as it is, any other as JSON. */
export function textOf(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The number of values and of what holds them, or `limit` if there are more. */
export function nodesUpTo(root, limit) {
  let count = 0;
  const nodes = nodesOf(root);
  while (count < limit && !nodes.next().done) count += 1;
  return count;
}

/** `{ path, value, member }` of each single value whose path or text contains the term, ASCII letters in either case. */
export function* valuesWith(root, term) {
  const sought = term.toLowerCase();
  for (const { path, value } of nodesOf(root)) {
    if (isContainer(value)) continue;
    const name = pathText(path);
    const texts = [name, textOf(value)];
    if (texts.some((text) => text.toLowerCase().includes(sought))) yield { path: name, value, member: memberOf(path) };
  }
}

/** Everything below the root, in order. The path is a chain, because most of them are never written out. */
function* nodesOf(root) {
  const stack = [{ keys: Object.keys(root).values(), of: root, path: null }];
  while (stack.length > 0) {
    const { keys, of, path } = stack.at(-1);
    const { done, value: key } = keys.next();
    if (done) {
      stack.pop();
      continue;
    }
    const node = { path: { above: path, key, of, isItem: Array.isArray(of) }, value: of[key] };
    yield node;
    if (isContainer(node.value)) stack.push({ keys: Object.keys(node.value).values(), of: node.value, path: node.path });
  }
}

/** The member that has the value, or the array with it: `[key, value]`. */
function memberOf(path) {
  let part = path;
  while (part.isItem) part = part.above;
  return [part.key, part.of[part.key]];
}

/** "lamp.levels[3]" */
function pathText(path) {
  const parts = [];
  for (let part = path; part !== null; part = part.above) parts.unshift(part.isItem ? `[${part.key}]` : `.${part.key}`);
  return parts.join("").replace(/^\./, "");
}
