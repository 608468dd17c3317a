/**
 * An error that the caller can act on: wrong data, a malformed file, a device that is not there. `code` is an entry of the
 * catalogue (`dlx explain CODE`): E06xx data and files, E07xx weights and checkpoints, E08xx devices and running.
 *
 * | code  | meaning                                  | code  | meaning                                    |
 * | ----- | ---------------------------------------- | ----- | ------------------------------------------ |
 * | E0601 | an input is missing                      | E0701 | not a well-formed safetensors file         |
 * | E0602 | no input has this name                   | E0702 | a tensor is missing from a weights file    |
 * | E0603 | an input's type of array is wrong        | E0703 | a weights tensor's shape or type is wrong  |
 * | E0604 | an input's length or shape is wrong      | E0704 | a checkpoint does not belong to this program |
 * | E0605 | an input's value is out of bounds        | E0705 | a tensor's element type cannot be converted |
 * | E0606 | a batch of this size was not built       | E0801 | no such device here                        |
 * | E0607 | the program has nothing of this name     | E0806 | training diverged                          |
 * | E0611 | a data set specification is not understood | E0802 | the device was lost                      |
 * | E0612 | a data file is malformed                 | E0803 | aborted by the caller's signal             |
 * | E0613 | data and program do not fit              | E0804 | used after dispose()                       |
 * | E0614 | a file cannot be read or written         | E0805 | a file of the bundle cannot be had         |
 * | E0615 | a search that cannot be made             | E0706 | 8-bit weights and their scales do not fit  |
 */
export class DlxError extends Error {
  override readonly name = "DlxError";
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) {
    super(`${code}: ${message}`, options);
    this.code = code;
  }
}
