/** Modules: plain and qualified names, neighbours, shadowing, clashes, what a library module passes on. */
import { describe, expect, test } from "vitest";
import type { ModuleLoader } from "../../compiler/elaborate/modules.ts";
import { checkText, elaborateText } from "./support.ts";

/** Files by name; library modules are `name/file`. */
function loaderOf(files: Readonly<Record<string, string>>): ModuleLoader {
  return {
    load(path, quoted) {
      if (quoted) {
        const text = files[path];
        return text === undefined ? undefined : [{ file: path, text }];
      }
      const found = Object.entries(files).filter(([name]) => name.startsWith(`${path}/`));
      return found.length === 0 ? undefined : found.map(([name, text]) => ({ file: `stdlib/${name}`, text }));
    },
  };
}
const codes = (text: string, files: Readonly<Record<string, string>>) => {
  const loader = loaderOf(files);
  const checked = checkText(text, loader).map(({ code }) => code);
  return checked.length > 0 ? checked : elaborateText(text, {}, loader).diagnostics.map(({ code }) => code);
};
const library = {
  "a/one.dlx":
    "import b\nfn twice(x: f32) -> f32 = two() * x\nfn both(x: f32) -> f32 = here(x) + there(x)\nfn here(x: f32) -> f32 = x",
  "a/two.dlx": "fn there(x: f32) -> f32 = x",
  "b/b.dlx": "fn two() = 2\nfn shared(x: f32) -> f32 = x",
  "c/c.dlx": "fn shared(x: f32) -> f32 = 3 * x\nfn twice(x: f32) -> f32 = x + x",
  "prelude/p.dlx": "fn half(x: f32) -> f32 = x / 2",
  "./near.dlx":
    "import a\nfn quadruple(x: f32) -> f32 = twice(twice(x))\nlayer scale()(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}",
  "./outer.dlx": 'import "./near.dlx"\nfn eight(x: f32) -> f32 = 2 * quadruple(x)',
};

const rows: readonly (readonly [name: string, text: string, codes: readonly string[]])[] = [
  ["plain names", "import a\nexport fn f(x: f32) -> f32 = twice(x)", []],
  ["qualified names", "import a\nexport fn f(x: f32) -> f32 = a.twice(x)", []],
  ["files of a module see each other", "import a\nexport fn f(x: f32) -> f32 = both(x)", []],
  ["a library module passes on its imports", "import a\nexport fn f(x: f32) -> f32 = shared(x) * two()", []],
  ["the prelude is everywhere", "export fn f(x: f32) -> f32 = half(x)", []],
  ["a clash that nobody uses", "import a\nimport c\nexport fn f(x: f32) -> f32 = here(x)", []],
  ["a clash that is used", "import a\nimport c\nexport fn f(x: f32) -> f32 = twice(x)", ["E0211"]],
  ["a clash resolved by qualification", "import a\nimport c\nexport fn f(x: f32) -> f32 = a.twice(x) + c.twice(x)", []],
  [
    "a file's own declaration hides an imported one",
    "import a\nimport c\nfn twice(x: f32) -> f32 = 7 * x\nexport fn f(x: f32) -> f32 = twice(x)",
    [],
  ],
  ["one declaration by two ways is no clash", "import a\nimport b\nexport fn f(x: f32) -> f32 = shared(x)", []],
  ["a neighbour", 'import "./near.dlx"\nexport fn f(x: f32) -> f32 = quadruple(x) + near.quadruple(x)', []],
  ["a neighbour does not pass on its imports", 'import "./near.dlx"\nexport fn f(x: f32) -> f32 = twice(x)', ["E0201"]],
  ["a neighbour's neighbour", 'import "./outer.dlx"\nexport fn f(x: f32) -> f32 = eight(x)', []],
  ["a neighbour's layer", 'import "./near.dlx"\nmodel M(x: f32[N]) -> f32[N] = x |> scale', []],
  ["a value and a module of one name", "import a\nexport fn f(a: f32) -> f32 = twice(a) + a.twice(a)", []],
  ["a module that is not there", "import nowhere\nexport fn f(x: f32) -> f32 = x", ["E0209"]],
  ["a member that is not there", "import a\nexport fn f(x: f32) -> f32 = a.thrice(x)", ["E0213"]],
];

describe("modules", () => {
  test.each(rows)("%s", (_, text, expected) => {
    expect(codes(text, library)).toEqual(expected);
  });
  test("a cycle is printed", () => {
    const files = { "./x.dlx": 'import "./y.dlx"', "./y.dlx": 'import "./x.dlx"' };
    const [error] = checkText('import "./x.dlx"', loaderOf(files));
    expect(error?.code).toBe("E0210");
    expect(error?.message).toContain("x -> y -> x");
  });
});
