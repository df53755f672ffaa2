// Rows under headers, as kubectl prints them; rows that tell of a fault are red.

import pc from "picocolors";

/** Prints to standard output. */
export function printTable(
  headers: readonly string[],
  rows: readonly { readonly cells: readonly string[]; readonly isGood: boolean }[],
): void {
  const widths = headers.map((header, column) =>
    Math.max(header.length, ...rows.map(({ cells }) => cells[column]!.length)),
  );
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join("  ")
      .trimEnd();
  console.log(line(headers));
  for (const { cells, isGood } of rows) console.log(isGood ? line(cells) : pc.red(line(cells)));
}
