// The Warning headers of one answer, bounded as upstream bounds them (apiserver pkg/endpoints/filters/warning.go): above a
// total all are shortened, and when even that is not enough the rest is left out. Only formats.

const TOTAL_RUNES = 4 * 1024;
const ITEM_RUNES = 256;

export interface Warnings {
  /** Adds a warning; true when the headers have changed. */
  add(text: string): boolean;
  /** The headers' values, in the octets that HTTP carries. */
  readonly headers: readonly string[];
}

export function createWarnings(): Warnings {
  const texts = new Set<string>();
  let headers: string[] = [];
  let runes = 0;
  let truncating = false;

  function append(text: string): void {
    const all = [...text];
    const shown = truncating && all.length > ITEM_RUNES ? all.slice(0, ITEM_RUNES).join("") : text;
    runes += Math.min(all.length, truncating ? ITEM_RUNES : all.length);
    headers.push(headerOf(shown));
  }

  return {
    get headers() {
      return headers;
    },
    add(text) {
      if (text === "" || texts.has(text) || (truncating && runes >= TOTAL_RUNES)) return false;
      texts.add(text);
      append(text);
      if (runes > TOTAL_RUNES && !truncating) {
        truncating = true;
        headers = [];
        runes = 0;
        for (const known of texts) append(known);
      }
      return true;
    },
  };
}

/** 299 - "text": control characters go, quotes are escaped, what is not ASCII travels as the octets of its UTF-8. */
function headerOf(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must go
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f]+/g, " ").replace(/[\\"]/g, "\\$&");
  return `299 - "${Buffer.from(clean).toString("latin1")}"`;
}
