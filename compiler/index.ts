/** dlx as a library. */
export { type Compiled, type CompileOptions, compile, elaborateSource } from "./compile.ts";
