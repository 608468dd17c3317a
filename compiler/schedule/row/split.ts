/**
 * Few long rows on a GPU: every row is cut in a number of pieces fixed here, so that the result does not depend on the
 * machine. For each pass one kernel reduces the pieces (and stores the maps over the whole domain), a second one merges
 * the pieces' partial results and stores what is computed a row.
 */
import type { Coordinate, Tensor } from "../../graph/graph.ts";
import { add, eq, KernelBuilder, load, min, mul, ne, select, u32 } from "../../kernel/build.ts";
import type { Dispatch, Expression } from "../../kernel/ir.ts";
import type { ScalarType } from "../../types/dtype.ts";
import { Accumulator } from "../accumulate.ts";
import { combiningOnGpu } from "../gpu/combining.ts";
import type { Domain } from "../gpu/domain.ts";
import { divide, gridOf, localThread, powerOfTwoFrom } from "../gpu/grid.ts";
import {
  accumulatorsOf,
  defineMaps,
  defineResults,
  hoistPass,
  labelOf,
  originOf,
  passBody,
  positionOf,
  storeRows,
} from "../gpu/members.ts";
import { Trees, wholeWorkgroup } from "../gpu/tree.ts";
import type { BuildContext, FusionGroup } from "../group.ts";
import { readsOf } from "../group.ts";
import { Lowering } from "../lower.ts";
import { Operands } from "../operands.ts";
import type { Placed } from "../program.ts";
import type { Pass, RowAnalysis } from "./analysis.ts";

const threads = 256;
/** Elements that are worth a workgroup. */
const shortestPiece = 2048;
const manyWorkgroups = 256;

function pieceCount({ rows, length }: Domain): number {
  return Math.min(Math.floor(length / shortestPiece), Math.ceil(manyWorkgroups / rows));
}

export function shouldSplit(domain: Domain): boolean {
  return pieceCount(domain) >= 4;
}

/** A value of each row, or of each piece of a row, in memory between the kernels. */
interface Cells {
  readonly type: ScalarType;
  readonly place: Placed;
}

export function splitRows(analysis: RowAnalysis, domain: Domain, context: BuildContext): readonly Dispatch<Placed>[] {
  return new SplitRows(analysis, domain, context).dispatches();
}

class SplitRows {
  readonly #analysis: RowAnalysis;
  readonly #group: FusionGroup;
  readonly #domain: Domain;
  readonly #context: BuildContext;
  readonly #rows: number;
  readonly #length: number;
  readonly #chunk: number;
  readonly #pieces: number;
  /** Results of reductions that later kernels need. */
  readonly #results = new Map<Tensor, Cells>();

  constructor(analysis: RowAnalysis, domain: Domain, context: BuildContext) {
    this.#analysis = analysis;
    this.#group = analysis.group;
    this.#context = context;
    this.#domain = domain;
    this.#rows = domain.rows;
    this.#length = domain.length;
    this.#chunk = Math.ceil(this.#length / pieceCount(domain) / threads) * threads;
    this.#pieces = Math.ceil(this.#length / this.#chunk);
  }

  dispatches(): Dispatch<Placed>[] {
    return this.#analysis.passes.flatMap((pass, level) => {
      const partials = pass.reductions.map(({ node, body }) =>
        combiningOnGpu(node.combiner, body.type).types.map((type) => this.#cells(type, this.#rows * this.#pieces)),
      );
      const pieces = this.#reducePieces(pass, level, partials);
      return pass.reductions.length > 0 ? [pieces, this.#mergePieces(pass, level, partials)] : [pieces];
    });
  }

  #cells(type: ScalarType, count: number): Cells {
    return { type, place: this.#context.scratch(count) };
  }

  /** Starts a kernel of `count` workgroups; a number beyond the last repeats its work. */
  #begin(name: string, count: number, workgroupSize: number, parts: number) {
    const kernel = new KernelBuilder(this.#context.name(`${labelOf(this.#group)} ${name}`), "gpu", [
      workgroupSize,
      1,
      1,
    ]);
    const operands = new Operands(kernel, this.#context);
    const grid = gridOf(kernel, count);
    const number = grid.folded ? kernel.letIn("number", min(grid.number, count - 1)) : grid.number;
    const [row, part] = divide(kernel, number, parts);
    const indices = this.#domain.at(kernel, row, this.#domain.parallel);
    const lowering = new Lowering(operands, { indices: this.#domain.known(indices) });
    const finish = () =>
      operands.dispatch({ label: labelOf(this.#group), origin: originOf(this.#group), workgroups: grid.workgroups });
    return { kernel, operands, indices, row, part, lowering, finish };
  }

  /** Reads back what the passes before `level` found, and computes again what follows from it a row. */
  #defineKnown(operands: Operands, lowering: Lowering, row: Expression, level: number): void {
    defineMaps(lowering, this.#analysis.before);
    for (const pass of this.#analysis.passes.slice(0, level)) {
      for (const { node } of pass.reductions)
        for (const result of node.results) {
          const cells = this.#results.get(result);
          if (cells) lowering.define(result, loadCell(operands, result.name, cells, row));
        }
      defineMaps(lowering, pass.after);
    }
  }

  #reducePieces(pass: Pass, level: number, partials: readonly (readonly Cells[])[]): Dispatch<Placed> {
    const group = this.#group;
    const count = this.#rows * this.#pieces;
    const { kernel, operands, indices, row, part, lowering, finish } = this.#begin(
      "pieces",
      count,
      threads,
      this.#pieces,
    );
    this.#defineKnown(operands, lowering, row, level);
    const accumulators = accumulatorsOf(kernel, pass);
    hoistPass(lowering, pass);
    const start = kernel.letIn("start", mul(part, this.#chunk));
    const next = add(start, this.#chunk);
    const end = kernel.letIn("end", this.#length % this.#chunk === 0 ? next : min(next, this.#length));
    kernel.forLoop("element", add(start, localThread), end, threads, (element) => {
      const reduction = this.#domain.at(kernel, element, this.#domain.reduction);
      const position = (coordinate: Coordinate) => positionOf(coordinate, indices, reduction);
      passBody(kernel, lowering.child(reduction), group, pass, accumulators, position, undefined);
    });
    const trees = new Trees(kernel, threads);
    const at = kernel.letIn("at", add(mul(row, this.#pieces), part));
    for (const [k, { node, body }] of pass.reductions.entries()) {
      const merged = trees.merge(
        combiningOnGpu(node.combiner, body.type),
        accumulators[k]!.variables,
        wholeWorkgroup(threads),
      );
      kernel.ifThen(eq(localThread, 0), () => {
        for (const [c, component] of merged.entries()) storeCell(operands, "partial", partials[k]![c]!, at, component);
      });
    }
    return finish();
  }

  #mergePieces(pass: Pass, level: number, partials: readonly (readonly Cells[])[]): Dispatch<Placed> {
    const lanes = Math.min(threads, powerOfTwoFrom(this.#pieces));
    const { kernel, operands, row, lowering, finish } = this.#begin("merge", this.#rows, lanes, 1);
    this.#defineKnown(operands, lowering, row, level);
    const trees = new Trees(kernel, lanes);
    for (const [k, { node, body }] of pass.reductions.entries()) {
      const rule = combiningOnGpu(node.combiner, body.type);
      const accumulator = new Accumulator(kernel, rule, 1);
      kernel.forLoop("piece", localThread, this.#pieces, lanes, (piece) => {
        const at = kernel.letIn("at", add(mul(row, this.#pieces), piece));
        accumulator.take(
          partials[k]!.map((cells) => loadCell(operands, "partial", cells, at)),
          true,
        );
      });
      defineResults(kernel, lowering, node.results, trees.merge(rule, accumulator.variables, wholeWorkgroup(lanes)));
    }
    defineMaps(lowering, pass.after);
    const own = [...(level === 0 ? this.#analysis.before : []), ...pass.reductions, ...pass.after];
    const first = eq(localThread, 0);
    storeRows(kernel, lowering, this.#group, own, first);
    kernel.ifThen(first, () => {
      for (const { node } of pass.reductions)
        for (const result of node.results) {
          const value = lowering.value(result);
          if (value === undefined || !this.#neededAfter(level, result)) continue;
          const cells = this.#cells(value.type, this.#rows);
          this.#results.set(result, cells);
          storeCell(operands, result.name, cells, row, value);
        }
    });
    return finish();
  }

  #neededAfter(level: number, result: Tensor): boolean {
    return (
      level + 1 < this.#analysis.passes.length &&
      this.#group.members.some((member) => readsOf(member.body).includes(result))
    );
  }
}

const storageType = (type: ScalarType): ScalarType => (type === "bool" ? "u32" : type);

function loadCell(operands: Operands, hint: string, { type, place }: Cells, at: Expression): Expression {
  const buffer = operands.bind(hint, storageType(type), place, "read");
  const value = load(buffer, storageType(type), at);
  return operands.kernel.letIn("known", type === "bool" ? ne(value, u32(0)) : value);
}
function storeCell(operands: Operands, hint: string, { type, place }: Cells, at: Expression, value: Expression): void {
  const buffer = operands.bind(hint, storageType(type), place, "write");
  operands.kernel.store(buffer, at, type === "bool" ? select(value, u32(1), u32(0)) : value);
}
