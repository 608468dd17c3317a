import { readGraph } from "/work/main/compiler/graph/read.ts";
import { groupNodes } from "/work/main/compiler/schedule/grouping.ts";
import { analyseContraction } from "/work/main/compiler/schedule/contraction/analysis.ts";
import { schemesOf, cheapest } from "/work/main/compiler/schedule/contraction/scheme.ts";
import { rowMajor } from "/work/main/compiler/schedule/align.ts";
export function schemes(text: string) {
  const graph = readGraph(text);
  for (const unit of groupNodes(graph, { isContraction: (g) => analyseContraction(g) !== undefined, maximumBuffers: 24 })) {
    if (unit.kind !== "group") continue;
    const c = analyseContraction(unit.group); if (!c) continue;
    const axes = [...unit.group.parallel, ...unit.group.reduction];
    const context: any = { target: "cpu", layout: (tensor: any) => ({ place: { kind: "tensor", tensor, offset: 0 }, strides: rowMajor(tensor.type.shape) }), uniform: () => undefined, scratch: (e: number) => ({ kind: "scratch", id: 0, elements: e }), name: (h: string) => h };
    const all = schemesOf(c, axes.map((a) => a.extent), context);
    const L = (l: any) => l.map((x: any) => x.positions.map((p: number) => axes[p]!.name).join("") + ":" + x.extent).join(" ");
    const best = cheapest(all);
    const P = (p: any) => p.kind === "direct" ? "direct " + p.tensor.name : `packed[${p.layout.dimensions.map((d: any) => `${d.own.map((t: any) => t.coefficient + axes[t.position]!.name).join("+")}:${d.extent}*${d.stride}`).join(", ")}]${p.layout.tiles ? " tiles" : ""} ${p.layout.size}`;
    for (const s of all) console.log(s === best ? "->" : "  ", s.kind, s.cost | 0, "| batch", L(s.batch), "| rows", L(s.rows), "| cols", L(s.columns), "| sum", L(s.sum), "| outerSum", s.outerSum ? L([s.outerSum]) : "", "| outer", s.outer ? L([s.outer]) : "", "\n      R", P(s.rowPanel), "\n      C", P(s.columnPanel));
  }
}
