/** A defect of dlx itself: never the user's fault. The command line reports it with exit code 3. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** States what must hold if the compiler is right. */
export function invariant(condition: unknown, message: string): asserts condition {
  if (!condition) throw new InvariantError(message);
}
