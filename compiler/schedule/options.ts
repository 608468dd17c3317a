/** What a build decides about the kernels of one entry, beyond what cost models find. */
export interface ScheduleOptions {
  /** Whether 3x3 windows may be computed through Winograd's transforms, which round less exactly. */
  readonly winograd: boolean;
}

export const plainOptions: ScheduleOptions = { winograd: false };
