/** Which tensors are the same at every call of a graph. */
import { expect, test } from "vitest";
import { fixedTensors } from "../../compiler/graph/fixed.ts";
import { readGraph } from "../../compiler/graph/read.ts";

test("parameters and states that the graph does not write are fixed, and what is made of them alone", () => {
  const graph = readGraph(`
    input %x: f32[4] argument x
    input %rate: f32[] knob rate
    input %w: f32[4] parameter w
    input %kept: f32[4] state kept
    input %trained: f32[4] parameter trained
    %table: f32[4] = map[i<4] to_f32(i)
    %scaled: f32[2,2] = view %w
    %both: f32[4] = map[i<4] %w[i] * %kept[i] + %table[i]
    %total: f32[] = sum[| i<2, j<2] %scaled[i, j]
    %mixed: f32[4] = map[i<4] %both[i] * %x[i]
    %next: f32[4] = map[i<4] %trained[i] - %rate * %both[i]
    %again: f32[2,2] = view %kept
    %kept.next: f32[4] = view %again
    output %mixed result y
    output %total result total
    output %next parameter trained
    output %kept.next state kept`);
  const fixed = [...fixedTensors(graph)].map(({ name }) => name).sort();
  expect(fixed).toEqual(["again", "both", "kept", "kept.next", "scaled", "table", "total", "w"]);
});

test("in the body of a scan what it captures may be fixed, what moves with it is not", () => {
  const graph = readGraph(`
    input %c: f32[] argument c
    input %row: f32[] argument row
    input %w: f32[] argument w
    input %t: i32[] argument t
    %half: f32[] = map[] %w * 0.5
    %next: f32[] = map[] %c + %half * %row
    %time: f32[] = map[] to_f32(%t)
    output %next result next
    output %time result time`);
  const captured = graph.inputs.filter(({ path }) => path === "w").map(({ tensor }) => tensor);
  const fixed = [...fixedTensors(graph, captured)].map(({ name }) => name).sort();
  expect(fixed).toEqual(["half", "w"]);
});
