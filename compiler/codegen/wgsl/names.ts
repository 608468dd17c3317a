/** Names as WGSL takes them: what a kernel calls something, unless WGSL or a row of the scalar table means that word. */
import { scalarRows } from "../../scalar/table.ts";

const taken = new Set(
  `alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let loop
  override requires return struct switch true var while
  NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become binding_array cast catch
  class co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval
  constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export extends
  extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl implements import
  inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut mutable namespace new
  nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of operator package packoffset
  partition pass patch pixelfragment precise precision premerge priv protected pub public readonly ref regardless register
  reinterpret_cast require resource restrict self set shared sizeof smooth snorm static static_assert static_cast std
  subroutine super target template this thread_local throw trait try type typedef typeid typename typeof union unless
  unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly yield
  array vec4 bool f32 i32 u32 bitcast select round uniform storage workgroup read_write workgroupBarrier
  given group local global main`.split(/\s+/),
);
/** What the templates of the scalar table call. */
for (const { wgsl } of scalarRows)
  for (const rule of Object.values(wgsl))
    if (typeof rule === "string") for (const word of rule.match(/[A-Za-z_]\w*/g) ?? []) taken.add(word);

export function wgslName(name: string): string {
  return taken.has(name) || name.startsWith("__") ? `${name}_` : name;
}

/** A kernel's name in `kernels.wgsl`. */
export function entryName(hint: string): string {
  const word = hint.replace(/[^A-Za-z0-9.]+/g, "_").replace(/^_+|_+$/g, "");
  return word === "" ? "kernel" : word;
}
