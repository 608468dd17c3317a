/** The order of test files: those that take longest first, so that no process is left alone with one in the end. */
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Of more than ten seconds, the longest first; a file that is none of them only comes later. */
const slow = [
  "stdlib/library-webgpu",
  "examples/examples",
  "properties/programs",
  "fixtures/torch",
  "stdlib/library",
  "examples/networks",
  "browser/lenet",
  "bundle/threads",
  "webgpu/graphs",
  "fixtures/torch-webgpu",
  "bundle/training",
  "examples/signal",
  "schedule/contraction",
  "schedule/winograd",
  "schedule/fuse-slices",
  "cli/programs",
  "cli/process",
  "browser/bundle",
  "examples/runs",
  "webgpu/programs",
];

export class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const at = slow.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
      return at < 0 ? slow.length : at;
    };
    return (await super.sort(files)).toSorted((a, b) => rank(a) - rank(b));
  }
}
