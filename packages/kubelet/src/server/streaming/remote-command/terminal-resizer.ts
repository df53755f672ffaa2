// Gives a terminal its sizes one after the other: two requests at once may reach the engine in either order, and kubectl
// sends two at the start of each session. Sizes that a newer one has overtaken are left out.

import type { TerminalSize } from "./remote-streams.js";

/** Returns what to call for each new size; the terminal ends with the newest. A failed resize is no fault of the session. */
export function terminalResizer(resize: (size: TerminalSize) => Promise<void>): (size: TerminalSize) => void {
  let wanted: TerminalSize | undefined;
  let working = false;

  async function work(): Promise<void> {
    working = true;
    while (wanted) {
      const size = wanted;
      wanted = undefined;
      await resize(size).catch(() => undefined);
    }
    working = false;
  }

  return (size) => {
    wanted = size;
    if (!working) void work();
  };
}
