/** Sentences of the server with the names in them set apart. */

/** What stands between backticks is what to write or what was written. */
export function MarkedWords({ text }: { readonly text: string }) {
  return text.split("`").map((part, index) =>
    index % 2 === 1 ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence never move
      <code key={index} className="mono">
        {part}
      </code>
    ) : (
      part
    ),
  );
}
