// The load of stories that last for minutes beside all other tests.

import type { LoadOptions } from "../harness/load.js";

/** Some three requests a second; four of them together are ten. */
export const gentle: LoadOptions = { lanes: 1, pauseMs: 350 };
