// Where the viewer is mounted: every address and every name that pages share begins with it.

export const BASE = new URL(".", import.meta.url).pathname;
