// A patch that no object can take.

/** Answered with 400 or 422 by whoever reads the patch. */
export class PatchFault extends Error {
  override readonly name = "PatchFault";
  readonly code: 400 | 422;

  constructor(message: string, code: 400 | 422 = 400) {
    super(message);
    this.code = code;
  }
}
