// The style of the latest entries on a page of the host's: its own font and colours, unless the host sets others.

export const RECENT_STYLE = `
  :host { display: block; color-scheme: inherit; font-variant-numeric: tabular-nums; }
  :host([hidden]) { display: none; }
  [hidden] { display: none; }
  header { display: flex; flex-wrap: wrap; align-items: baseline; justify-content: space-between; gap: 4px 12px; margin-bottom: 6px; }
  h2 { margin: 0; font-size: 1em; font-weight: 650; }
  ol { margin: 0; padding: 0; list-style: none; }
  p { margin: 0; }
  li { display: flex; align-items: baseline; gap: 8px; padding: 4px 0; border-top: 1px solid color-mix(in srgb, currentColor 18%, transparent); }
  a { color: inherit; text-underline-offset: 3px; }
  [part~="message"] { flex: 1; min-width: 0; overflow: hidden; text-decoration: none; text-overflow: ellipsis; white-space: pre; unicode-bidi: isolate; }
  [part~="message"]:is(:hover, :focus-visible) { text-decoration: underline; }
  .actor { max-width: 10em; overflow: hidden; text-overflow: ellipsis; white-space: pre; unicode-bidi: isolate; }
  .severity { font-weight: 650; }
  .severity:empty { display: none; }
  .error .severity { color: light-dark(#c2222c, #ff8279); }
  .warning .severity { color: light-dark(#8f5f00, #e5b54a); }
  time { white-space: nowrap; }
  .hidden-mark { padding: 0 3px; border: 1px solid; border-radius: 3px; font: 600 0.75em/1.3 ui-monospace, monospace; }
`;
