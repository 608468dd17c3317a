/**
 * Groups that differ in names and places alone are built once, for all entries of a program: what was made for the first is
 * launched over the memory of the others.
 */
import type { Tensor } from "../graph/graph.ts";
import { invariant } from "../invariant.ts";
import { wordOf } from "../kernel/build.ts";
import type { Dispatch } from "../kernel/ir.ts";
import type { ScalarType } from "../types/dtype.ts";
import type { BuildContext, FusionGroup } from "./group.ts";
import { samePlace } from "./operands.ts";
import type { Placed } from "./program.ts";
import { structureOfGroup } from "./structure.ts";

/** What a builder asked its context for, in order, and what it was given. */
type Asked =
  | { readonly kind: "scratch"; readonly elements: number; readonly given: Placed }
  | { readonly kind: "constant"; readonly type: ScalarType; readonly values: readonly number[]; readonly given: Tensor }
  | { readonly kind: "name"; readonly hint: string; readonly given: string };

interface Build {
  readonly group: FusionGroup;
  /** In the order in which the group's structure numbers them. */
  readonly tensors: readonly Tensor[];
  readonly places: readonly Placed[];
  readonly asked: readonly Asked[];
  readonly dispatches: readonly Dispatch<Placed>[];
}

export class Builds {
  readonly #known = new Map<string, Build>();

  /** The launches of a group; `build` makes them where no group of the same structure has been seen. */
  launches(
    group: FusionGroup,
    context: BuildContext,
    build: (context: BuildContext) => readonly Dispatch<Placed>[],
  ): readonly Dispatch<Placed>[] {
    const { text, tensors } = structureOfGroup(group, context);
    const origins = group.members.map(({ node }) => node.origin);
    const shared = origins.map((origin) => origins.indexOf(origin)).join();
    const key = `${context.options.winograd} ${shared} ${text}`;
    const places = tensors.map((tensor) => context.layout(tensor).place);
    const known = this.#known.get(key);
    if (known !== undefined) return again(known, group, tensors, places, context);
    const asked: Asked[] = [];
    const dispatches = build(recording(context, asked));
    this.#known.set(key, { group, tensors, places, asked, dispatches });
    return dispatches;
  }
}

function recording(context: BuildContext, asked: Asked[]): BuildContext {
  return {
    ...context,
    scratch(elements) {
      const given = context.scratch(elements);
      asked.push({ kind: "scratch", elements, given });
      return given;
    },
    constant(type, values) {
      const given = context.constant(type, values);
      asked.push({ kind: "constant", type, values, given });
      return given;
    },
    name(hint) {
      const given = context.name(hint);
      asked.push({ kind: "name", hint, given });
      return given;
    },
  };
}

/** The launches of `build` for a group of the same structure. */
function again(
  build: Build,
  group: FusionGroup,
  tensors: readonly Tensor[],
  places: readonly Placed[],
  context: BuildContext,
): Dispatch<Placed>[] {
  const names = new Map(build.tensors.map(({ name }, k) => [name, tensors[k]!.name]));
  const renamed = (text: string): string => text.replace(/[^\s,]+/g, (word) => names.get(word) ?? word);
  const moved = build.places.map((from, k): readonly [Placed, Placed] => [from, places[k]!]);
  const kernelNames = new Map(build.tensors.map(({ name }, k) => [wordOf(name), wordOf(tensors[k]!.name)]));
  for (const request of build.asked)
    switch (request.kind) {
      case "scratch":
        moved.push([request.given, context.scratch(request.elements)]);
        break;
      case "constant": {
        const place = (tensor: Tensor): Placed => context.layout(tensor).place;
        moved.push([place(request.given), place(context.constant(request.type, request.values))]);
        break;
      }
      case "name":
        kernelNames.set(request.given, context.name(renamed(request.hint)));
        break;
      default:
        request satisfies never;
    }
  const placeOf = (place: Placed): Placed => {
    const found = moved.find(([from]) => samePlace(from, place));
    invariant(found, "a kernel binds what its group reads, writes or asked for");
    return found[1];
  };
  const origins = build.group.members.map(({ node }) => node.origin);
  return build.dispatches.map((dispatch) => ({
    ...dispatch,
    buffers: dispatch.buffers.map(placeOf),
    origin: group.members[origins.indexOf(dispatch.origin)]?.node.origin,
    label: renamed(dispatch.label),
    names: kernelNames,
  }));
}
