/**
 * JSON text that is handed to a module as it came. JavaScript's numbers end at 2^53, so that parsing and writing it again
 * could change an integer.
 */
export class RawJson {
  readonly text: string;

  /** @throws SyntaxError if the text is not one JSON value. */
  constructor(text: string) {
    JSON.parse(text);
    this.text = text;
  }
}

/** Returns the JSON of an object whose fields may be {@link RawJson}. */
export function writeFields(fields: object): string {
  const written = Object.entries(fields).flatMap(([name, value]) => {
    const text = value instanceof RawJson ? value.text : JSON.stringify(value);
    return text === undefined ? [] : [`${JSON.stringify(name)}:${text}`];
  });
  return `{${written.join(',')}}`;
}
