// JSON as the log has it.

/**
 * Keeps the digits of numbers that do not fit in a double, such as 64-bit ids in the metadata, in browsers that support
 * `JSON.rawJSON`: a log must not show a number that was never recorded.
 */
export function parseJson(text) {
  if (!JSON.rawJSON) return JSON.parse(text);
  return JSON.parse(text, (_key, value, context) =>
    typeof value === "number" && context?.source !== undefined && String(value) !== context.source
      ? JSON.rawJSON(context.source)
      : value,
  );
}
