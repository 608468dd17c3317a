// Made by `npx tsx compiler/diagnostics/generate.ts` from catalogue/*.md; edit those.
import type { Source, Span } from "../../grammar/span.ts";
import { construct } from "./construct.ts";
import type { CatalogueEntry, Details, Diagnostic, NoValues } from "./diagnostic.ts";

export const catalogue = {
  E0101: {
    code: "E0101",
    severity: "error",
    title: "A character that dlx does not know",
    message: "dlx has no `{character}`",
    help: ["write `{instead?}`","remove it"],
    explanation: "Programs are written with letters, digits, `_`, the operators of the language, strings in `\"` and comments after `//`.\nOther characters may stand in strings and comments only. What other languages write `&&`, `||` and `!` is `and`, `or`\nand `not`; a power is `^`.",
    bad: "fn f(x: f32[N]) -> f32[N] = x # doubled later",
    good: "fn f(x: f32[N]) -> f32[N] = x // doubled later",
  },
  E0102: {
    code: "E0102",
    severity: "error",
    title: "A malformed number",
    message: "`{text}` is neither a number nor a name",
    help: ["write `{number?} * {rest?}`","numbers are written like `12`, `0.5` and `1e-4`"],
    explanation: "A number is decimal digits, with a point and an exponent if need be. A name cannot begin with a digit, and a product\nneeds its `*`.",
    bad: "fn turn(x: f32) -> f32 = 2pi * x",
    good: "fn turn(x: f32) -> f32 = 2 * pi * x",
  },
  E0103: {
    code: "E0103",
    severity: "error",
    title: "A text without an end",
    message: "this text is not closed on its line",
    help: ["put `\"` at its end; a brace that is no expression is written `\\{`, a quotation mark `\\\"`"],
    explanation: "A text begins and ends with `\"` on one line. `{ }` inside it holds an expression, which may itself hold texts; a `{`\nthat is meant as such is written `\\{`.",
    bad: "fn f(x: f32[N]) -> f32[N] where N > 0 else \"nothing to do = x",
    good: "fn f(x: f32[N]) -> f32[N] where N > 0 else \"nothing to do\" = x",
  },
  E0104: {
    code: "E0104",
    severity: "error",
    title: "An escape that means nothing",
    message: "`{escape}` means nothing in a text",
    help: ["write `\\\\` for a backslash"],
    explanation: "In a text, `\\n` is a new line, `\\t` a tab, `\\r` a carriage return, `\\\"` a quotation mark, `\\\\` a backslash, `\\{` and\n`\\}` are braces. There are no others.",
    bad: "fn f(x: f32[N]) -> f32[N] where N > 0 else \"see C:\\data\" = x",
    good: "fn f(x: f32[N]) -> f32[N] where N > 0 else \"see C:\\\\data\" = x",
  },
  E0105: {
    code: "E0105",
    severity: "error",
    title: "A bracket that is never closed",
    message: "`{bracket}` is never closed",
    help: ["put a `{closer}` where its content ends"],
    explanation: "Every `(`, `[` and `{` has its partner. Where a line begins with `let`, `param`, `fn` or another word that only a\nstatement or a declaration begins with, brackets that are still open above it are taken as closed, so that the rest of\nthe file can be read.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  let y = exp(x * 2\n  let z = y + 1\n  z\n}",
    good: "fn f(x: f32[N]) -> f32[N] {\n  let y = exp(x * 2)\n  let z = y + 1\n  z\n}",
  },
  E0106: {
    code: "E0106",
    severity: "error",
    title: "A bracket that closes nothing",
    message: "`{bracket}` closes nothing here",
    help: ["write {expected?}","remove it"],
    explanation: "Brackets close in the opposite order in which they opened: the innermost first, with its own partner.",
    bad: "fn f(x: f32[N]) -> f32[N] = exp(x * 2]",
    good: "fn f(x: f32[N]) -> f32[N] = exp(x * 2)",
  },
  E0107: {
    code: "E0107",
    severity: "error",
    title: "Something else was expected",
    message: "expected {expected}; got {got}",
    help: [],
    explanation: "The parser knows what can stand at this place, and this is not it. The rest of the file is read as well, so that other\nmistakes show in the same run.",
    bad: "fn f(x: f32[N]) -> f32[N] = x * * 2",
    good: "fn f(x: f32[N]) -> f32[N] = x * 2",
  },
  E0108: {
    code: "E0108",
    severity: "error",
    title: "Two statements on one line",
    message: "{got} begins something new on the same line",
    help: ["begin a new line, or separate the statements with `;`","an operator may be missing"],
    explanation: "A statement ends where its line ends, unless a bracket is open or the next line begins with an operator other than\n`-`, or with `.`, `else`, `then`, `over`, `using` or `where`. Two statements on one line are separated by `;`.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  let y = x + 1 let z = y * 2\n  z\n}",
    good: "fn f(x: f32[N]) -> f32[N] {\n  let y = x + 1; let z = y * 2\n  z\n}",
  },
  E0109: {
    code: "E0109",
    severity: "error",
    title: "Something outside of every declaration",
    message: "`{got}` does not begin a declaration",
    help: ["at the top of a file stand `import`, `fn`, `layer`, `model`, `optimizer` and `train` only"],
    explanation: "A file is a list of imports and declarations. Statements and expressions belong into the body of one of them; a\nconstant is a function without parameters.",
    bad: "let rate = 0.1\nfn f(x: f32) -> f32 = rate * x",
    good: "fn rate() = 0.1\nfn f(x: f32) -> f32 = rate() * x",
  },
  E0110: {
    code: "E0110",
    severity: "error",
    title: "Comparisons do not chain",
    message: "`{operator}` compares the result of a comparison",
    help: ["join two comparisons with `and`, or put parentheses"],
    explanation: "`a < b < c` would compare the truth of `a < b` with `c`. Write `a < b and b < c`.",
    bad: "fn f(x: f32[N]) -> f32[N]\nwhere 0 < N < 10\n= x",
    good: "fn f(x: f32[N]) -> f32[N]\nwhere 0 < N and N < 10\n= x",
  },
  E0111: {
    code: "E0111",
    severity: "error",
    title: "Something in front of `=>` that is no name",
    message: "in front of `=>` stand names only",
    help: ["write `x => ..` or `(x, y) => ..`"],
    explanation: "A function value is written `x => e` or `(x, y) => e`; a name may be replaced by a tuple of names, `((a, b), c) => e`,\nor by `_`, which discards.",
    bad: "fn f(x: f32[N]) -> f32[N] = map(x + 1 => x, x)",
    good: "fn f(x: f32[N]) -> f32[N] = map(x => x + 1, x)",
  },
  E0112: {
    code: "E0112",
    severity: "error",
    title: "`_` outside of its places",
    message: "`_` has no value",
    help: ["as an argument it makes the call a function: `f(_, 2)`; as a coordinate it is a new axis: `x[_, :]`"],
    explanation: "`_` is no name. As an argument of a call it makes the call a function of that argument; among the coordinates of an\nindexing it inserts an axis; where a name is bound it discards the value.",
    bad: "fn f(x: f32[N]) -> f32[N] = _ + 1",
    good: "fn f(x: f32[N]) -> f32[N] = x + 1",
  },
  E0113: {
    code: "E0113",
    severity: "error",
    title: "A word that cannot be a name",
    message: "`{name}` is {what} and cannot be a name",
    help: ["choose another name, for instance `{name}_`"],
    explanation: "The words of the language are reserved: `import export fn layer model optimizer train let param state if then else\nrepeat where warn when minimize over using gradients metric or and not true false`. So are the reductions `sum prod max\nmin mean argmax argmin any all`, which always mean themselves.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  let over = x + 1\n  let max = x - 1\n  x\n}",
    good: "fn f(x: f32[N]) -> f32[N] {\n  let more = x + 1\n  let most = x - 1\n  x\n}",
  },
  E0114: {
    code: "E0114",
    severity: "error",
    title: "No such type",
    message: "`{name}` is no type",
    help: ["did you mean `{suggestion?}`?","types are `f32[..] f16[..] i32[..] u32[..] bool[..] u8[..] int float str fn layer list[..] like(..)`, tuples and records of them"],
    explanation: "Tensors have an element type and a shape, `f32[N, 3, ...S]`; without brackets they are scalars. Values known at compile\ntime are `int`, `float`, `bool`, `str`, `fn`, `layer` and lists of them. `like(t)` is the type of the tree `t`.",
    bad: "fn f(x: double[N]) -> f32 = 0",
    good: "fn f(x: f32[N]) -> f32 = 0",
  },
  E0115: {
    code: "E0115",
    severity: "error",
    title: "A wrong number of parameter lists",
    message: "{word} `{name}` takes {expected}; got {got}",
    help: ["{help?}"],
    explanation: "`fn` has one list of parameters. `layer`, `optimizer` and `train` have two: the configuration, which is known at compile\ntime, and the tensors. `model` has one or two: its configuration, all defaults, is what `--set` can change.",
    bad: "layer scale(x: f32[N]) -> f32[N] = 2 * x",
    good: "layer scale()(x: f32[N]) -> f32[N] = 2 * x",
  },
  E0116: {
    code: "E0116",
    severity: "error",
    title: "A declaration that cannot be exported",
    message: "{word} cannot be exported",
    help: ["`export` stands in front of `fn` and `model`; export a model that uses this"],
    explanation: "`export` makes a function callable from outside, or a model the main one. A layer has no parameters of its own before it\nstands in a model, optimizers and train blocks are reached through training.",
    bad: "export layer scale()(x: f32[N]) -> f32[N] = 2 * x",
    good: "export fn scale(x: f32[2]) -> f32[2] = 2 * x",
  },
  E0117: {
    code: "E0117",
    severity: "error",
    title: "A path that is no plain text",
    message: "a path to import holds no expressions",
    help: ["write the path as it is; a brace is `\\{`"],
    explanation: "What a file imports is known before anything is computed.",
    bad: "import \"./{name}.dlx\"",
    good: "import \"./blocks.dlx\"",
  },
  E0118: {
    code: "E0118",
    severity: "error",
    title: "Something that cannot be assigned to",
    message: "`:=` sets a param, a state or a member of a model",
    help: ["a new value is bound by `let name = ..`"],
    explanation: "On the left of `:=` stands the name of a `param` or `state`, or a path to some: `running_mean := ..`,\n`LeNet.params := ..`. All other values are bound once, by `let`.",
    bad: "train t(batch: int = 8)(x: f32[batch]) {\n  x + 1 := x\n}",
    good: "train t(batch: int = 8)(x: f32[batch]) {\n  state total: f32 = 0\n  total := total + 1\n}",
  },
  E0119: {
    code: "E0119",
    severity: "error",
    title: "Some members have names and some have none",
    message: "all members have names, or none has",
    help: ["name this one as well"],
    explanation: "`(x, y)` is a tuple, `(a: x, b: y)` a record; there is nothing in between.",
    bad: "fn f(x: f32, y: f32) = (total: x + y, x - y)",
    good: "fn f(x: f32, y: f32) = (total: x + y, difference: x - y)",
  },
  E0120: {
    code: "E0120",
    severity: "error",
    title: "Not a text file",
    message: "this file is not a text: it holds a zero byte",
    help: ["a program is UTF-8 text; was another file meant?"],
    explanation: "Programs are plain text in UTF-8. A zero byte is never part of one, but of images, archives and UTF-16.",
    bad: "dlx check weights.safetensors",
    good: "dlx check model.dlx",
  },
  E0121: {
    code: "E0121",
    severity: "error",
    title: "`=` where nothing is bound",
    message: "`=` binds nothing here",
    help: ["`let {name} = ..` binds a new name, `{name} := ..` sets a param or state, `==` compares"],
    explanation: "`=` belongs to `let`, `param`, `state`, `minimize`, `metric`, to parameters and to declarations. Comparison is `==`,\nchanging a state is `:=`.",
    bad: "fn f(x: f32) -> f32 {\n  y = x + 1\n  y\n}",
    good: "fn f(x: f32) -> f32 {\n  let y = x + 1\n  y\n}",
  },
  E0122: {
    code: "E0122",
    severity: "error",
    title: "A word of another language",
    message: "dlx has no `{word}`",
    help: ["{instead}"],
    explanation: "Some words that other languages begin a statement with are plain names here. The help says what dlx writes instead.",
    bad: "fn f(x: f32) -> f32 {\n  let y = x + 1\n  return y\n}",
    good: "fn f(x: f32) -> f32 {\n  let y = x + 1\n  y\n}",
  },
  E0123: {
    code: "E0123",
    severity: "error",
    title: "Braces with nothing in them",
    message: "`{ }` in a text holds an expression",
    help: ["write `\\{` for a brace"],
    explanation: "In a text, `{N}` stands for the value of `N`. A brace that is meant as such is written `\\{`.",
    bad: "fn f(x: f32[N]) -> f32[N]\nwhere N > 0 else \"empty: {}\"\n= x",
    good: "fn f(x: f32[N]) -> f32[N]\nwhere N > 0 else \"empty: {N}\"\n= x",
  },
  E0124: {
    code: "E0124",
    severity: "error",
    title: "A number out of range",
    message: "`{text}` is too large to be represented",
    help: ["whole numbers reach 2^53 - 1; larger ones are written with an exponent, up to 1e308"],
    explanation: "Numbers of the compiler are those of double precision. A whole number that they cannot hold exactly is refused rather\nthan rounded.",
    bad: "fn f(x: f32) -> f32 = x + 12345678901234567890",
    good: "fn f(x: f32) -> f32 = x + 1.2e19",
  },
  E0125: {
    code: "E0125",
    severity: "error",
    title: "An import below a declaration",
    message: "`import {path}` stands below a declaration",
    help: ["move it to the top of the file"],
    explanation: "Imports come first, so that a reader knows where names come from before meeting them.",
    bad: "fn f(x: f32) -> f32 = x\nimport nn",
    good: "import nn\nfn f(x: f32) -> f32 = x",
  },
  E0201: {
    code: "E0201",
    severity: "error",
    title: "An unknown name",
    message: "`{name}` is not known here",
    help: ["did you mean `{suggestion?}`?","define it with `let`, or import the module that has it"],
    explanation: "Names come from the parameters and `let`s around, from the file's declarations, from its imports and from the language.\nDimensions of declared shapes (`f32[N, C]`) are names too, inside their declaration.",
    bad: "fn f(x: f32[N]) -> f32[N] = rleu(x)",
    good: "fn f(x: f32[N]) -> f32[N] = max(x, 0)",
  },
  E0202: {
    code: "E0202",
    severity: "error",
    title: "A missing argument",
    message: "{callee} needs `{name}`: {type}",
    help: ["add `{name}: ..` to the call"],
    explanation: "Every parameter without a default has to be given, by position or by name.",
    bad: "fn scale(x: f32[N], by: f32) -> f32[N] = x * by\nfn f(x: f32[N]) -> f32[N] = scale(x)",
    good: "fn scale(x: f32[N], by: f32) -> f32[N] = x * by\nfn f(x: f32[N]) -> f32[N] = scale(x, 2)",
  },
  E0203: {
    code: "E0203",
    severity: "error",
    title: "The wrong number of arguments",
    message: "{callee} takes {expected} arguments; got {got}",
    help: ["give exactly {expected}"],
    explanation: "Positional arguments fill the parameters in order. A layer has two lists: its configuration, then its tensors, as in\n`dense(10)(x)`.",
    bad: "fn double(x: f32[N]) -> f32[N] = 2 * x\nfn f(x: f32[N]) -> f32[N] = double(x, 3)",
    good: "fn double(x: f32[N]) -> f32[N] = 2 * x\nfn f(x: f32[N]) -> f32[N] = double(x)",
  },
  E0204: {
    code: "E0204",
    severity: "error",
    title: "An argument that the function does not have",
    message: "{callee} has no parameter `{name}`",
    help: ["did you mean `{suggestion?}`?","its parameters are {known?}","leave it out"],
    explanation: "A named argument has to be called as the declaration calls its parameter.",
    bad: "fn scale(x: f32[N], by: f32 = 2) -> f32[N] = x * by\nfn f(x: f32[N]) -> f32[N] = scale(x, factor: 3)",
    good: "fn scale(x: f32[N], by: f32 = 2) -> f32[N] = x * by\nfn f(x: f32[N]) -> f32[N] = scale(x, by: 3)",
  },
  E0205: {
    code: "E0205",
    severity: "error",
    title: "A value of the wrong kind",
    message: "{name} has to be {expected}; got {got}",
    help: ["give {expected}"],
    explanation: "`int float bool str list fn layer` are known while compiling; tensors are not. A compile-time number becomes a tensor where\none is expected, never the other way round.",
    bad: "fn repeated(x: f32[N], times: int) -> f32[N] = x * times\nfn f(x: f32[N]) -> f32[N] = repeated(x, x)",
    good: "fn repeated(x: f32[N], times: int) -> f32[N] = x * times\nfn f(x: f32[N]) -> f32[N] = repeated(x, 3)",
  },
  E0206: {
    code: "E0206",
    severity: "error",
    title: "A statement where it cannot stand",
    message: "{what} may only stand in {where}",
    help: ["move it into {where}"],
    explanation: "`param` belongs to a layer or a model, `state` also to an optimizer and a train block, `minimize` and `metric` to a train\nblock. A `fn` is pure: it owns nothing.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  param w: f32[N] = 0\n  x * w\n}",
    good: "layer scale()(x: f32[N, D]) -> f32[N, D] {\n  param w: f32[D] = 0\n  let y[n, d] = x[n, d] * w[d]\n  y\n}",
  },
  E0207: {
    code: "E0207",
    severity: "error",
    title: "Something that cannot be called",
    message: "{got} is not a function",
    help: ["remove the call, or call a function, a layer or a model"],
    explanation: "Functions, layers (their configuration), instances of layers and models can be called, nothing else.",
    bad: "fn f(x: f32[N]) -> f32[N] = x(1)",
    good: "fn f(x: f32[N]) -> f32[N] = exp(x)",
  },
  E0208: {
    code: "E0208",
    severity: "error",
    title: "Something that cannot be assigned to",
    message: "`:=` cannot change {what}: {got}",
    help: ["use `let` for a new name, or declare `state`"],
    explanation: "`:=` gives a state its next value, and in a train block a model's parameters. Other names never change.",
    bad: "layer f()(x: f32[N]) -> f32[N] {\n  let y = x\n  y := 2 * x\n  y\n}",
    good: "layer f()(x: f32[N, D]) -> f32[N, D] {\n  state seen: f32[D] = 0\n  let total[d] = sum[n] x[n, d]\n  if training { seen := total }\n  x\n}",
  },
  E0209: {
    code: "E0209",
    severity: "error",
    title: "A module that is not there",
    message: "there is no module {path}",
    help: ["import a library module by its name (`import nn`), or a file beside this one (`import \"./blocks.dlx\"`)"],
    explanation: "Files are imported relative to the importing file, never from outside the project's folder.",
    bad: "import \"./missing.dlx\"",
    good: "import nn",
  },
  E0210: {
    code: "E0210",
    severity: "error",
    title: "Modules that import each other",
    message: "these modules import each other: {cycle}",
    help: ["move what both need into a third module"],
    explanation: "A module is read after all it imports, so imports form no cycle.",
    bad: "import \"./cycle.dlx\"",
    good: "import nn",
  },
  E0211: {
    code: "E0211",
    severity: "error",
    title: "A name from two modules",
    message: "`{name}` comes from {modules}",
    help: ["write which one: `{qualified}`"],
    explanation: "A plain name has to come from one module. The qualified form says which.",
    bad: "import nn\nimport loss\nfn f(x: f32[N, C]) -> f32[N, C] = softmax(x)",
    good: "import nn\nfn f(x: f32[N, C]) -> f32[N, C] = nn.softmax(x)",
  },
  E0213: {
    code: "E0213",
    severity: "error",
    title: "A member that is not there",
    message: "{what} has no `{name}`",
    help: ["did you mean `{suggestion?}`?","it has {known?}","look at what it is"],
    explanation: "Records have their fields, models and instances what their body names (`LeNet.params`, `ResNet20.features`), tensors `rank`\nand `shape`.",
    bad: "fn f(x: f32[N]) -> int = x.length",
    good: "fn f(x: f32[N]) -> int = x.rank",
  },
  E0214: {
    code: "E0214",
    severity: "error",
    title: "A condition that is not known while compiling",
    message: "{what} needs a compile-time bool; got {got}",
    help: ["use `select(mask, a, b)` to choose at run time"],
    explanation: "`if`, `where` and `repeat` shape the graph, so their conditions are known to the compiler. What depends on a tensor is chosen\nelement by element with `select`.",
    bad: "fn f(x: f32) -> f32 = if x > 0 then x else 0",
    good: "fn f(x: f32) -> f32 = select(x > 0, x, 0)",
  },
  E0215: {
    code: "E0215",
    severity: "error",
    title: "Operands that do not go together",
    message: "`{operator}` cannot be applied to {left} {right}",
    help: ["convert one of them, or use other operands"],
    explanation: "Arithmetic takes numbers and tensors, `and`, `or` and `not` take truths, `+` also joins texts and lists.",
    bad: "fn f(x: f32[N]) -> f32[N] = x + \"a\"",
    good: "fn f(x: f32[N]) -> f32[N] = x + 1",
  },
  E0216: {
    code: "E0216",
    severity: "error",
    title: "Something that cannot be indexed",
    message: "{got} has no elements",
    help: ["index a tensor or a list"],
    explanation: "Square brackets read tensors and lists.",
    bad: "fn f(x: f32[N], k: int = 2) -> f32[N] = x * k[0]",
    good: "fn f(x: f32[N], k: list[int] = [2]) -> f32[N] = x * k[0]",
  },
  E0217: {
    code: "E0217",
    severity: "error",
    title: "Parts that do not match",
    message: "expected {expected}; got {got}",
    help: ["give the pattern as many names as the value has parts"],
    explanation: "A tuple pattern names every part of a tuple; `_` leaves one out.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  let (a, b, c) = (x, x)\n  a\n}",
    good: "fn f(x: f32[N]) -> f32[N] {\n  let (a, _) = (x, x)\n  a\n}",
  },
  E0218: {
    code: "E0218",
    severity: "error",
    title: "An argument given twice",
    message: "{callee} gets `{name}` twice",
    help: ["remove one of them"],
    explanation: "A parameter is given by position or by name, once.",
    bad: "fn scale(x: f32[N], by: f32) -> f32[N] = x * by\nfn f(x: f32[N]) -> f32[N] = scale(x, 2, by: 3)",
    good: "fn scale(x: f32[N], by: f32) -> f32[N] = x * by\nfn f(x: f32[N]) -> f32[N] = scale(x, by: 3)",
  },
  E0219: {
    code: "E0219",
    severity: "error",
    title: "A layer outside a model",
    message: "nothing here can own the weights of {name}",
    help: ["use it inside a `layer` or a `model`, or pass in an instance"],
    explanation: "An instance of a layer belongs to the layer or model whose body makes it. A `fn` called from there may make one, a `fn` of its\nown may not.",
    bad: "import nn\nexport fn f(x: f32[4, 8]) -> f32[4, 2] = x |> dense(2)",
    good: "import nn\nmodel F(x: f32[N, 8]) -> f32[N, 2] = x |> dense(2)",
  },
  E0220: {
    code: "E0220",
    severity: "error",
    title: "A name declared twice",
    message: "{what} declares `{name}` twice",
    help: ["give one of them another name"],
    explanation: "Parameters, states, losses and metrics are found by their names, in weights files too.",
    bad: "layer f()(x: f32[N, D]) -> f32[N, D] {\n  param w: f32[D] = 0\n  param w: f32[D] = 1\n  x\n}",
    good: "layer f()(x: f32[N, D]) -> f32[N, D] {\n  param w: f32[D] = 0\n  param v: f32[D] = 1\n  x\n}",
  },
  E0222: {
    code: "E0222",
    severity: "error",
    title: "No steps are counted here",
    message: "`{name}` is known in train blocks alone",
    help: ["pass it as an argument"],
    explanation: "A train block counts its steps from 0; nothing else does.",
    bad: "fn rate(peak: f32) -> f32 = peak / f32(step + 1)",
    good: "fn rate(peak: f32, step: i32) -> f32 = peak / f32(step + 1)",
  },
  E0223: {
    code: "E0223",
    severity: "error",
    title: "A state that cannot change here",
    message: "{path} cannot be given a new value in {where}",
    help: ["guard it with `if training { .. }`, or carry the value in the scan"],
    explanation: "Prediction and evaluation change nothing. A scan's body runs many times, so what it hands on has to be its carry.",
    bad: "layer f()(x: f32[N, D]) -> f32[N, D] {\n  state seen: f32[D] = 0\n  seen := x[0, :]\n  x\n}\nmodel M(x: f32[N, 4]) -> f32[N, 4] = x |> f()",
    good: "layer f()(x: f32[N, D]) -> f32[N, D] {\n  state seen: f32[D] = 0\n  if training { seen := x[0, :] }\n  x\n}\nmodel M(x: f32[N, 4]) -> f32[N, 4] = x |> f()",
  },
  E0224: {
    code: "E0224",
    severity: "error",
    title: "An initial value that depends on a call",
    message: "the initial value of {path} depends on inputs",
    help: ["use a number, a function of the shape, or parameters"],
    explanation: "Initial values are computed once, before any input is there.",
    bad: "model M(x: f32[4]) -> f32[4] {\n  param w: f32[4] = x\n  x * w\n}",
    good: "model M(x: f32[4]) -> f32[4] {\n  param w: f32[4] = 1\n  x * w\n}",
  },
  E0225: {
    code: "E0225",
    severity: "error",
    title: "Nothing to minimize over",
    message: "`over` needs parameters; got {got}",
    help: ["write `over MODEL.params`, or one parameter such as `MODEL.head.params`"],
    explanation: "`minimize` changes parameters of models; everything else stays as it is.",
    bad: "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}\noptimizer sgd(lr: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g\ntrain t()(x: f32[4]) {\n  minimize loss = sum(M(x)) over x using sgd(lr: 0.1)\n}",
    good: "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}\noptimizer sgd(lr: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g\ntrain t()(x: f32[4]) {\n  minimize loss = sum(M(x)) over M.params using sgd(lr: 0.1)\n}",
  },
  E0226: {
    code: "E0226",
    severity: "error",
    title: "Two declarations of one name",
    message: "`{name}` is declared twice in this module",
    help: ["rename one of them"],
    explanation: "Functions, layers, models, optimizers and train blocks of a module share one set of names.",
    bad: "fn f(x: f32) -> f32 = x\nfn f(x: f32) -> f32 = 2 * x",
    good: "fn f(x: f32) -> f32 = x\nfn g(x: f32) -> f32 = 2 * x",
  },
  E0227: {
    code: "E0227",
    severity: "error",
    title: "A metric of totals and of one batch",
    message: "`{name}` is computed from totals, and reads {reads} of one batch beside them",
    help: ["put everything that depends on the data inside `total(..)`"],
    explanation: "What stands inside `total(..)` is summed over all batches of an evaluation. What stands around it is computed once, of the sums, when no batch is at hand; weights and states it may read.",
    bad: "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}\ntrain t(batch: int = 4)(x: f32[batch]) {\n  metric spread = total(sum(M(x)^2)) / sum(x^2)\n}",
    good: "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}\ntrain t(batch: int = 4)(x: f32[batch]) {\n  metric spread = total(sum(M(x)^2)) / total(sum(x^2))\n}",
  },
  E0228: {
    code: "E0228",
    severity: "error",
    title: "A total inside a loop",
    message: "`total(..)` cannot stand inside `scan`",
    help: ["let the loop give the sum as its result, and take the total of that"],
    explanation: "A total is one part for each batch; inside a loop that runs there would be one for each of its iterations.",
    bad: "train t(batch: int = 4)(x: f32[batch]) {\n  metric ups = scan(0.0, x, (count, v) => (count + total(v), ()))[0]\n}",
    good: "train t(batch: int = 4)(x: f32[batch]) {\n  metric ups = total(scan(0.0, x, (count, v) => (count + v, ()))[0])\n}",
  },
  E0229: {
    code: "E0229",
    severity: "error",
    title: "A cut where there is nothing",
    message: "{what} comes by no tensor {wanted}",
    help: ["did you mean {suggestion?}?","it applies {known?}","look at what it calls"],
    explanation: "`cut(f, at)` takes the last tensor on the way through `f` that is meant: the result of an instance, given itself or by its path,\nor the last one for which a function of a tensor is true. What is inside of a `scan`, a `custom_grad` or index notation cannot be\ntaken out.",
    bad: "layer twice()(x: f32[N]) -> f32[N] = 2 * x\nmodel M(x: f32[N]) -> f32[N] {\n  let first = twice()\n  x |> first\n}\nexport fn f(x: f32[4]) -> f32[4] = cut(M, \"M.second\")(x)[0]",
    good: "layer twice()(x: f32[N]) -> f32[N] = 2 * x\nmodel M(x: f32[N]) -> f32[N] {\n  let first = twice()\n  x |> first\n}\nexport fn f(x: f32[4]) -> f32[4] = cut(M, \"M.first\")(x)[0]",
  },
  E0301: {
    code: "E0301",
    severity: "error",
    title: "A shape that does not fit",
    message: "{name} expects {expected}; got {got}{from?}: {why}",
    help: ["{fix?}","change the value's shape, or what is expected of it"],
    explanation: "Shapes are types: every name in a declared shape stands for one extent in a whole application, and `...S` for any run of them.",
    bad: "fn total(x: f32[N, 3]) -> f32 = sum(x)\nfn f(x: f32[8, 4]) -> f32 = total(x)",
    good: "fn total(x: f32[N, C]) -> f32 = sum(x)\nfn f(x: f32[8, 4]) -> f32 = total(x)",
  },
  E0302: {
    code: "E0302",
    severity: "error",
    title: "Shapes that do not go together",
    message: "`{operation}` cannot combine {left} and {right}",
    help: ["write it with indices: {form?}","make the shapes equal, or insert axes with `_`: `b[_, :]`"],
    explanation: "Elementwise operations take tensors of equal shape, scalars, and axes inserted by `_`. Nothing else stretches: an index form says\nwhat is meant.",
    bad: "fn f(x: f32[N, C], b: f32[C]) -> f32[N, C] = x + b",
    good: "fn f(x: f32[N, C], b: f32[C]) -> f32[N, C] = x + b[_, :]",
  },
  E0303: {
    code: "E0303",
    severity: "error",
    title: "An index of unknown extent",
    message: "nothing says how far `{name}` runs",
    help: ["write its extent: `{index} < ..`"],
    explanation: "An index takes the extent of the axis where it stands alone in some read. Where there is no such read the extent is written.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  let y[i] = x[2 * i]\n  y\n}",
    good: "fn f(x: f32[N]) -> f32[N / 2] {\n  let y[i < N / 2] = x[2 * i]\n  y\n}",
  },
  E0304: {
    code: "E0304",
    severity: "error",
    title: "An index with two extents",
    message: "`{name}` runs over {first} in {firstTensor} and over {second} in {secondTensor}",
    help: ["make both axes equal, or write the extent: `{name} < ..`"],
    explanation: "An index that stands alone in several reads has to meet axes of one extent.",
    bad: "fn f(a: f32[3], b: f32[4]) -> f32 = sum[i] a[i] * b[i]",
    good: "fn f(a: f32[3], b: f32[4]) -> f32 = sum[i < 3] a[i] * b[i]",
  },
  E0305: {
    code: "E0305",
    severity: "error",
    title: "A coordinate out of range",
    message: "coordinate {axis} of {what} runs from {low} to {high}; the axis has {extent}",
    help: ["keep it in range, or say what is read outside: `x[i - 1 else 0]`"],
    explanation: "A read without `else` has to stay inside the tensor for every value of its indices.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  let y[i < N] = x[i + 1]\n  y\n}",
    good: "fn f(x: f32[N]) -> f32[N] {\n  let y[i < N] = x[i + 1 else 0]\n  y\n}",
  },
  E0306: {
    code: "E0306",
    severity: "error",
    title: "The wrong number of coordinates",
    message: "{what} needs {expected} coordinates; got {got}",
    help: ["give one coordinate an axis; `:` is a whole axis"],
    explanation: "Every axis is addressed: by an index, a number, a slice or a run `...s`.",
    bad: "fn f(x: f32[N, C]) -> f32[N] {\n  let y[i] = x[i]\n  y\n}",
    good: "fn f(x: f32[N, C]) -> f32[N] {\n  let y[i] = x[i, 0]\n  y\n}",
  },
  E0307: {
    code: "E0307",
    severity: "error",
    title: "A condition that does not hold",
    message: "{text}",
    help: ["change the arguments so that it holds"],
    explanation: "A `where` clause says what has to be true of a declaration's arguments; the text is the author's.",
    bad: "fn half(x: f32[N]) -> f32[N / 2]\nwhere N % 2 == 0 else \"{N} is odd\"\n{\n  let y[i < N / 2] = x[2 * i]\n  y\n}\nfn f(x: f32[5]) -> f32[2] = half(x)",
    good: "fn half(x: f32[N]) -> f32[N / 2]\nwhere N % 2 == 0 else \"{N} is odd\"\n{\n  let y[i < N / 2] = x[2 * i]\n  y\n}\nfn f(x: f32[6]) -> f32[3] = half(x)",
  },
  E0308: {
    code: "E0308",
    severity: "error",
    title: "A body that is not one element",
    message: "the body of index notation has to be one element; got {got}",
    help: ["index it, or reduce it: `sum[k] ..`"],
    explanation: "`let y[i, j] = body` says what the element at i, j is.",
    bad: "fn f(x: f32[N, C]) -> f32[N] {\n  let y[i < N] = x\n  y\n}",
    good: "fn f(x: f32[N, C]) -> f32[N] {\n  let y[i] = sum[c] x[i, c]\n  y\n}",
  },
  E0309: {
    code: "E0309",
    severity: "error",
    title: "Element types that do not go together",
    message: "`{operation}` is not defined for {got}",
    help: ["write {fix?}","convert with `f32(..)`, `i32(..)` or a comparison"],
    explanation: "Compile-time numbers take the type they meet; tensors are converted by name, so that nothing is lost unseen.",
    bad: "fn f(x: f32[N], n: i32[N]) -> f32[N] = x * n",
    good: "fn f(x: f32[N], n: i32[N]) -> f32[N] = x * f32(n)",
  },
  E0310: {
    code: "E0310",
    severity: "error",
    title: "A coordinate that is no whole number",
    message: "a coordinate has to be an int or an i32 element; got {got}",
    help: ["convert it: `i32(..)`"],
    explanation: "Coordinates are whole numbers: indices, compile-time ints, or elements of integer tensors.",
    bad: "fn f(x: f32[N], at: f32) -> f32 = x[at]",
    good: "fn f(x: f32[N], at: f32) -> f32 = x[i32(at)]",
  },
  E0311: {
    code: "E0311",
    severity: "error",
    title: "An extent below 1",
    message: "{name} would have extent {extent}",
    help: ["make it at least 1"],
    explanation: "Every axis has at least one element.",
    bad: "fn f(x: f32[4]) -> f32[4] = x + zeros([0])",
    good: "fn f(x: f32[4]) -> f32[4] = x + zeros([4])",
  },
  E0312: {
    code: "E0312",
    severity: "error",
    title: "A layer applied to other dimensions",
    message: "{path} is {first}, and would have to be {second} here",
    help: ["make a second instance, or give the layer the same dimensions"],
    explanation: "An instance's parameters come into being at its first application; applied again it uses the same ones.",
    bad: "import nn\nmodel M(x: f32[N, 8], y: f32[N, 4]) -> f32[N, 2] {\n  let d = dense(2)\n  d(x) + d(y)\n}",
    good: "import nn\nmodel M(x: f32[N, 8], y: f32[N, 4]) -> f32[N, 2] = (x |> dense(2)) + (y |> dense(2))",
  },
  E0313: {
    code: "E0313",
    severity: "error",
    title: "A value of another shape",
    message: "{name} is {expected}; got {got}",
    help: ["give a tensor of that shape, a number, or a function of the shape"],
    explanation: "A parameter or state keeps the shape it was declared with.",
    bad: "model M(x: f32[N, 4]) -> f32[N, 4] {\n  param w: f32[4] = zeros([3])\n  x * w[_, :]\n}",
    good: "model M(x: f32[N, 4]) -> f32[N, 4] {\n  param w: f32[4] = zeros\n  x * w[_, :]\n}",
  },
  E0314: {
    code: "E0314",
    severity: "error",
    title: "A division by zero",
    message: "`{operation}` by zero",
    help: ["check the divisor"],
    explanation: "Compile-time integers have no infinity.",
    bad: "fn f(x: f32[N], k: int = 0) -> f32[N] = x * (4 / k)",
    good: "fn f(x: f32[N], k: int = 2) -> f32[N] = x * (4 / k)",
  },
  E0315: {
    code: "E0315",
    severity: "error",
    title: "A slice that does not fit",
    message: "the slice {what} does not fit an axis of {extent}",
    help: ["slices are `from:to` with 0 <= from < to <= the extent, counted from 0"],
    explanation: "Negative positions do not count from the end: write `N - 1`.",
    bad: "fn f(x: f32[4]) -> f32[2] = x[3:5]",
    good: "fn f(x: f32[4]) -> f32[2] = x[2:4]",
  },
  E0316: {
    code: "E0316",
    severity: "error",
    title: "Trees of different form",
    message: "{operation} needs the same tensors on both sides: {first} and {second}",
    help: ["use trees that came from the same model"],
    explanation: "Functions over trees go through them tensor by tensor.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  let (a, _) = map((p, q) => p + q, (x, x), (x, x, x))\n  a\n}",
    good: "fn f(x: f32[N]) -> f32[N] {\n  let (a, _) = map((p, q) => p + q, (x, x), (x, x))\n  a\n}",
  },
  E0317: {
    code: "E0317",
    severity: "error",
    title: "A reshape to another number of elements",
    message: "{got} has {count} elements, {shape} has {wanted}",
    help: ["choose extents with the same product"],
    explanation: "`reshape` keeps every element, in row-major order.",
    bad: "fn f(x: f32[4, 3]) -> f32[2, 5] = reshape(x, [2, 5])",
    good: "fn f(x: f32[4, 3]) -> f32[2, 6] = reshape(x, [2, 6])",
  },
  E0318: {
    code: "E0318",
    severity: "error",
    title: "A size that nobody chose",
    message: "the size {name} of {what} is not known",
    help: ["give it: `--size {name}=..`, or define it: `where {name} = ..`"],
    explanation: "Building a graph needs every size as a number. The batch has 1 as its default; other open dimensions are chosen.",
    bad: "model M(id: i32[N, T]) -> i32[N, T] = id",
    good: "model M(id: i32[N, T]) -> i32[N, T] where T = 128 = id",
  },
  E0319: {
    code: "E0319",
    severity: "error",
    title: "A size that changes from element to element",
    message: "{what} depends on the index {index}",
    help: ["give every element the same size, and mask with `select` or `else` what is too much"],
    explanation: "Every element of a tensor is computed in the same way: sizes, counts and compile-time conditions cannot depend on where it stands.",
    bad: "fn f(x: f32[N]) -> f32[N] {\n  let y[i < N] = sum[j < i + 1] x[j]\n  y\n}",
    good: "fn f(x: f32[N]) -> f32[N] {\n  let y[i < N] = sum[j] select(j <= i, x[j], 0)\n  y\n}",
  },
  E0401: {
    code: "E0401",
    severity: "error",
    title: "A derivative with respect to something that is no float",
    message: "{what} is {got}, which has no derivatives",
    help: ["differentiate with respect to an f32 tensor"],
    explanation: "Only floating-point tensors vary continuously.",
    bad: "export fn f(n: i32[4]) -> f32[4] = grad(m => sum(f32(m)))(n)",
    good: "export fn f(x: f32[4]) -> f32[4] = grad(y => sum(y * y))(x)",
  },
  E0402: {
    code: "E0402",
    severity: "error",
    title: "A derivative of more than one number",
    message: "only one float can be differentiated; got {got}",
    help: ["reduce it first: `sum(..)`, `mean(..)`, or use `vjp`"],
    explanation: "A gradient points where one number grows. For functions with many results there are `vjp` and `jvp`.",
    bad: "export fn f(x: f32[4]) -> f32[4] = grad(y => y * y)(x)",
    good: "export fn f(x: f32[4]) -> f32[4] = grad(y => sum(y * y))(x)",
  },
  E0403: {
    code: "E0403",
    severity: "error",
    title: "A loss from before the update",
    message: "{name} was computed before {path} was updated",
    help: ["compute it again after the update, or take the gradient of both losses in one `minimize`"],
    explanation: "`minimize` changes parameters where it stands; a value computed earlier used the old ones.",
    bad: "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}\noptimizer sgd(lr: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g\ntrain t()(x: f32[4]) {\n  let y = M(x)\n  minimize a = sum(y) over M.params using sgd(lr: 0.1)\n  minimize b = sum(y * y) over M.params using sgd(lr: 0.1)\n}",
    good: "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}\noptimizer sgd(lr: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g\ntrain t()(x: f32[4]) {\n  minimize a = sum(M(x)) over M.params using sgd(lr: 0.1)\n  minimize b = sum(M(x) * M(x)) over M.params using sgd(lr: 0.1)\n}",
  },
  E0404: {
    code: "E0404",
    severity: "error",
    title: "A loss that no parameter reaches",
    message: "{name} does not depend on {paths}",
    help: ["use the model in the loss, and remove `stop_gradient` or integer steps between them"],
    explanation: "There is no path of differentiable operations from these parameters to the loss, so nothing could be learned.",
    bad: "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}\noptimizer sgd(lr: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g\ntrain t()(x: f32[4]) {\n  minimize loss = sum(stop_gradient(M(x))) over M.params using sgd(lr: 0.1)\n}",
    good: "model M(x: f32[N]) -> f32[N] {\n  param w: f32 = 1\n  x * w\n}\noptimizer sgd(lr: f32)(w: f32[...S], g: f32[...S], step: i32) -> f32[...S] = w - lr * g\ntrain t()(x: f32[4]) {\n  minimize loss = sum(M(x)) over M.params using sgd(lr: 0.1)\n}",
  },
  E0405: {
    code: "E0405",
    severity: "error",
    title: "A way without a derivative",
    message: "{what} has no gradient: the way {path} ends at {by}",
    help: ["let the float value itself reach the result, give the step a gradient by `custom_grad`, or make it a constant by `stop_gradient`"],
    explanation: "Whole numbers, truths, positions (`argmax`) and steps (`floor`, `round`) do not change with small changes of what they come from.\nWhat is meant to be a constant says so, `stop_gradient(round(x))`; a model whose parameters reach the loss through such steps\nalone learns nothing, and is not for `over`. `custom_grad(f, (x, y, dy) => dy)` lets the gradient through a step f as if it were none.",
    bad: "export fn f(x: f32[4]) -> f32[4] = grad(x => f32(argmax[i] x[i]))(x)",
    good: "export fn f(x: f32[4]) -> f32[4] = grad(x => max(x))(x)",
  },
  E0501: {
    code: "E0501",
    severity: "error",
    title: "Nested too deeply",
    message: "this is nested more than {limit} levels deep",
    help: ["give the inner part a name with `let`, or make it a function"],
    explanation: "Brackets, functions in functions, `if` in `if` and signs in front of signs may be nested 100 deep, texts in texts 3. This\nis a limit of dlx; no readable program comes near it. A long `else if` chain is better a list that an index reads.",
    bad: "fn f(x: f32) -> f32 = (((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((x)))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))",
    good: "fn f(x: f32) -> f32 = x",
  },
  E0502: {
    code: "E0502",
    severity: "error",
    title: "A file too large",
    message: "this file holds {size} million characters; dlx reads files up to {limit}",
    help: ["split it into modules and `import` them"],
    explanation: "A program of a megabyte was not written by hand. Repetition is written with `repeat` and functions, weights stand in\nsafetensors files beside the program. This is a limit of dlx.",
    bad: "dlx check network-with-weights-as-numbers.dlx",
    good: "dlx predict network.dlx --weights weights.safetensors --input x.npy",
  },
  E0503: {
    code: "E0503",
    severity: "error",
    title: "An expression too long",
    message: "this expression chains more than {limit} operators and calls",
    help: ["name parts of it with `let`, or write the repetition with `repeat` or `sum[k]`"],
    explanation: "The compiler follows an expression from the end to the beginning, and its stack is finite. This is a limit of dlx; what\nis so long is a repetition, which `repeat`, `fold` and the reductions write in one line.",
    bad: "fn f(x: f32) -> f32 = x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x + x",
    good: "fn f(x: f32) -> f32 = 620 * x",
  },
  E0510: {
    code: "E0510",
    severity: "error",
    title: "Calls nested too deeply",
    message: "calls are nested more than {limit} deep",
    help: ["end the recursion, or use `repeat`"],
    explanation: "A function that calls itself has to come to an end while compiling. This is a limit of dlx.",
    bad: "fn f(x: f32) -> f32 = f(x + 1)\nexport fn g(x: f32) -> f32 = f(x)",
    good: "fn f(x: f32, n: int) -> f32 = if n == 0 then x else f(x + 1, n - 1)\nexport fn g(x: f32) -> f32 = f(x, 10)",
  },
  E0511: {
    code: "E0511",
    severity: "error",
    title: "Too much to do while compiling",
    message: "this takes more than {limit} steps while compiling",
    help: ["use a smaller `repeat`, or index notation and `scan` for what is the same at every step"],
    explanation: "Everything that is no tensor is computed by the compiler, and `repeat` is written out. This is a limit of dlx.",
    bad: "export fn f(x: f32) -> f32 {\n  repeat i < 100000000, y = x { y + 1 }\n}",
    good: "export fn f(x: f32) -> f32 {\n  let (y, _) = scan(x, 1000, (y, i) => (y + 1, ()))\n  y\n}",
  },
  E0512: {
    code: "E0512",
    severity: "error",
    title: "A graph that grew too large",
    message: "this needs more than {limit} nodes",
    help: ["use index notation or `scan` instead of a long `repeat`"],
    explanation: "A program becomes one static graph. This is a limit of dlx.",
    bad: "export fn f(x: f32) -> f32 {\n  repeat i < 300, y = x {\n    repeat j < 300, z = y { sum(z) }\n  }\n}",
    good: "export fn f(x: f32) -> f32 = sum(x)",
  },
  E0514: {
    code: "E0514",
    severity: "error",
    title: "Something that cannot stand inside index notation",
    message: "{what} cannot be used for each index",
    help: ["compute it for the whole tensor before, and index the result"],
    explanation: "A `vjp` or `jvp` differentiates at every point of the indices around it, each point alone. Its derivative can be taken only inside the same indices. This is a limit of dlx.",
    bad: "export fn f(x: f32[4]) -> f32[4] {\n  let back = vjp(x => x * x, x)\n  let y[i] = back(fill([4], x[i]))[0]\n  y\n}",
    good: "export fn f(x: f32[4]) -> f32[4] {\n  let y[i] = vjp(v => v * v, x)(fill([4], x[i]))[0]\n  y\n}",
  },
  E0515: {
    code: "E0515",
    severity: "error",
    title: "A number too large",
    message: "{what} is too large",
    help: ["use smaller sizes"],
    explanation: "Compile-time integers are exact up to 2^53. This is a limit of dlx.",
    bad: "fn f(x: f32[4]) -> f32[4] = x * (10^400)",
    good: "fn f(x: f32[4]) -> f32[4] = x * 1e30",
  },
  E0521: {
    code: "E0521",
    severity: "error",
    title: "More memory than is allowed",
    message: "`{entry}` takes {least} {place} at least, but {limit} are allowed",
    help: ["{persistent} are weights, states and constants, and most of the rest is {largest}; build for a smaller batch, or allow more"],
    explanation: "With `--max-memory`, a program that would take more computes values of the forward pass again in the backward pass instead\nof keeping them. The size counts everything: weights, optimizer state, constants, and what a call works with. Where even\nthat is not enough, the message gives the smallest size that was found and what takes it. Nothing is written.",
    bad: "dlx build model.dlx --train --max-memory 1M --out bundle",
    good: "dlx build model.dlx --train --max-memory 64M --set batch=16 --out bundle",
  },
  E0522: {
    code: "E0522",
    severity: "error",
    title: "Too large for any device",
    message: "`{entry}` takes {least} {place}, where there are at most {limit}",
    help: ["{persistent} are weights, states and constants, and most of the rest is {largest}; build for a smaller batch, or with `--max-memory {limit}`"],
    explanation: "WebAssembly addresses 4 GiB of memory, and a buffer that a kernel of WebGPU binds has less than 2 GiB. A program that does not\nfit would not load anywhere, so it is not built.",
    bad: "dlx build model.dlx --train --set batch=100000 --out bundle",
    good: "dlx build model.dlx --train --set batch=64 --out bundle",
  },
  E0601: {
    code: "E0601",
    severity: "error",
    title: "A missing input",
    message: undefined,
    help: [],
    explanation: "A call has to give every input that has no default. Names are those of the program's parameters; `net.signature`\nlists them.",
    bad: "await net.train.lenet.step({ image });",
    good: "await net.train.lenet.step({ image, label });",
  },
  E0602: {
    code: "E0602",
    severity: "error",
    title: "An unknown input",
    message: undefined,
    help: [],
    explanation: "The call gives something the program has no input for, often a slip of the pen. Nothing is ignored silently.",
    bad: "await net.predict({ img: pixels });",
    good: "await net.predict({ image: pixels });",
  },
  E0603: {
    code: "E0603",
    severity: "error",
    title: "An input of the wrong kind",
    message: undefined,
    help: [],
    explanation: "Each element type has its typed array: f32 and f16 Float32Array, i32 Int32Array, u32 Uint32Array, u8 and bool\nUint8Array. A value of rank 0 is a number (bool: a boolean). Plain arrays are not converted: that would cost time on\nevery call.",
    bad: "await net.predict({ image: [0.1, 0.2, 0.3] });",
    good: "await net.predict({ image: Float32Array.of(0.1, 0.2, 0.3) });",
  },
  E0604: {
    code: "E0604",
    severity: "error",
    title: "An input of the wrong size",
    message: undefined,
    help: [],
    explanation: "The number of elements, or the shape given with `{ data, shape }`, is not what the program takes. N, the number of rows,\nhas to be the same in all inputs.",
    bad: "await net.predict({ image: new Float32Array(100) });",
    good: "await net.predict({ image: new Float32Array(3 * 28 * 28) });",
  },
  E0605: {
    code: "E0605",
    severity: "error",
    title: "A value out of bounds",
    message: undefined,
    help: [],
    explanation: "An integer that chooses something (a class, a token) must be one of those that exist. It is checked before anything\nruns: a label of 99 is an error, never a silent 9.",
    bad: "await net.trainStep({ image, label: Int32Array.of(99) });",
    good: "await net.trainStep({ image, label: Int32Array.of(9) });",
  },
  E0606: {
    code: "E0606",
    severity: "error",
    title: "A batch that was not built",
    message: undefined,
    help: [],
    explanation: "A step takes exactly the batch it was built for. A model whose rows do not depend on each other takes any number of\nrows; one whose rows do (batch_norm while training, say) takes the built sizes only. Build further sizes with `--batch`.",
    bad: "dlx build model.dlx --out bundle --batch 1",
    good: "dlx build model.dlx --out bundle --batch 1,32",
  },
  E0607: {
    code: "E0607",
    severity: "error",
    title: "Nothing of this name",
    message: undefined,
    help: [],
    explanation: "The program has no such model or train block, or it was not built in, or there are several and the short form\n(`net.predict`, `net.trainStep`, `net.evaluate`) does not say which.",
    bad: "const net = await load();\nawait net.trainStep(batch); // built without --train",
    good: "dlx build model.dlx --train --out bundle",
  },
  E0611: {
    code: "E0611",
    severity: "error",
    title: "A data specification that dlx does not understand",
    message: undefined,
    help: [],
    explanation: "`--data` takes `kind:path`, then options and names with commas: `idx:DIR`, `images:DIR`, `csv:FILE`, `npy:X,Y`,\n`npz:FILE`, `safetensors:FILE`, `text:FILE,HELD`, `synthetic:NAME`. `split=0.1` holds out a share where no second file is\nheld out; `COLUMN=INPUT` feeds a column to an input of another name.",
    bad: "dlx train model.dlx --data measurements.csv --out run",
    good: "dlx train model.dlx --data csv:measurements.csv,label=species --out run",
  },
  E0612: {
    code: "E0612",
    severity: "error",
    title: "A malformed data file",
    message: undefined,
    help: [],
    explanation: "The file is not what its kind says, or was cut short. Nothing of it is used.",
    bad: "dlx train model.dlx --data idx:half-downloaded --out run",
    good: "dlx train model.dlx --data idx:downloaded-again --out run",
  },
  E0613: {
    code: "E0613",
    severity: "error",
    title: "Data and program do not fit",
    message: undefined,
    help: [],
    explanation: "The data has another size than the program's input, lacks a column, has a label that is no class, or too few rows for one\nbatch. Channels of images are converted (grey and colour); sizes never, since how to resize is the program's business.",
    bad: "dlx train model.dlx --data images:photos --out run",
    good: "dlx train model.dlx --data images:photos-32x32 --out run",
  },
  E0614: {
    code: "E0614",
    severity: "error",
    title: "A file that cannot be read or written",
    message: undefined,
    help: [],
    explanation: "The path does not exist, is a folder where a file should be, or permission is missing. Output folders are tried before\ntraining begins.",
    bad: "dlx train model.dlx --data idx:digits --out /run",
    good: "dlx train model.dlx --data idx:digits --out run",
  },
  E0615: {
    code: "E0615",
    severity: "error",
    title: "A search that cannot be made",
    message: undefined,
    help: [],
    explanation: "`--search NAME=LOW..HIGH` draws a number between two, `LOW..HIGH:log` one whose logarithm is spread evenly (both above 0), and\n`A,B,C` takes each value. `NAME` is a knob or a configuration of the train block, or a model's configuration. Each trial is\ntrained `--folds` times (two at least, and no more than there are rows), each time with another part of the rows held out.",
    bad: "dlx train model.dlx --data csv:points.csv --out run --search lr=0..0.1:log --folds 1",
    good: "dlx train model.dlx --data csv:points.csv --out run --search lr=1e-4..1e-1:log --search width=8,16,32 --folds 5",
  },
  E0617: {
    code: "E0617",
    severity: "error",
    title: "A model that cannot be explained on an image",
    message: undefined,
    help: [],
    explanation: "`dlx predict --explain` draws over an image what moves the score of a class. The model takes one image, `f32[N, C, H, W]`, and\ngives scores, `f32[N, K]`; `--class` is one of the K. For other models `import explain` has the same functions, over tensors of any\nshape.",
    bad: "dlx predict digits.dlx --weights run/weights.safetensors --input 7.png --explain gradcam --class 10 --output overlay.png",
    good: "dlx predict digits.dlx --weights run/weights.safetensors --input 7.png --explain gradcam --class 9 --output overlay.png",
  },
  E0701: {
    code: "E0701",
    severity: "error",
    title: "Not a safetensors file",
    message: undefined,
    help: [],
    explanation: "The file's header is malformed, or says something that the file's length contradicts; most often a download was cut\nshort. Files are checked in full before a weight is changed.",
    bad: "dlx eval model.dlx --weights half-downloaded.safetensors --data idx:digits",
    good: "dlx eval model.dlx --weights weights.safetensors --data idx:digits",
  },
  E0702: {
    code: "E0702",
    severity: "error",
    title: "Weights that are missing",
    message: undefined,
    help: [],
    explanation: "The file lacks a parameter or a layer's state. Either it belongs to another program, or names changed: a parameter is\ncalled after the model, the enclosing `let`s and the layer. `dlx summary FILE --json` lists the program's names and shapes under\n`weights`, in order, for a script that renames another program's. `{ partial: true }` loads what there is.",
    bad: "await net.loadWeights(trunkOnly);",
    good: "await net.loadWeights(trunkOnly, { partial: true });",
  },
  E0703: {
    code: "E0703",
    severity: "error",
    title: "Weights of another shape",
    message: undefined,
    help: [],
    explanation: "A tensor of the file has another shape than the program's parameter of that name. Weights are never reshaped or cut.",
    bad: "dlx eval model.dlx --set width=32 --weights width16.safetensors --data idx:digits",
    good: "dlx eval model.dlx --set width=16 --weights width16.safetensors --data idx:digits",
  },
  E0704: {
    code: "E0704",
    severity: "error",
    title: "A checkpoint of another run",
    message: undefined,
    help: [],
    explanation: "`--resume` continues a run exactly, and so needs the same block, seed, batch and data. To start from trained weights\nand train otherwise, use `--weights`.",
    bad: "dlx train model.dlx --data idx:digits --batch 32 --out run-with-batch-64 --resume",
    good: "dlx train model.dlx --data idx:digits --batch 32 --weights run-with-batch-64/weights.safetensors --out run-32",
  },
  E0705: {
    code: "E0705",
    severity: "error",
    title: "Weights of another element type",
    message: undefined,
    help: [],
    explanation: "Floats of any width convert to floats, integers to integers if every value fits, and whole numbers of eight bits with\ntheir scales to floats. Anything else is a sign that the tensor means something else.",
    bad: "dlx eval model.dlx --weights counts-int32.safetensors --data idx:digits",
    good: "dlx eval model.dlx --weights weights.safetensors --data idx:digits",
  },
  E0706: {
    code: "E0706",
    severity: "error",
    title: "Weights in eight bits without their scales",
    message: undefined,
    help: [],
    explanation: "A weight that is stored as whole numbers (`I8`) stands for floats only together with the tensor `NAME.scale`: one positive\nnumber for each position along the first axis, which is the output channel. Here it is missing, has another shape, or\nholds what is no positive number. Weights that are infinite or NaN cannot be stored so at all.",
    bad: "dlx eval model.dlx --weights int8-without-scales.safetensors --data idx:digits",
    good: "dlx build model.dlx --weights weights.safetensors --quantise int8 --out bundle\ndlx eval model.dlx --weights bundle/weights.safetensors --data idx:digits",
  },
  E0801: {
    code: "E0801",
    severity: "error",
    title: "No such device",
    message: undefined,
    help: [],
    explanation: "What was asked for is not there: no WebGPU in this browser or Node, a GPU whose limits the program exceeds, a processor or\nengine whose WebAssembly has no SIMD, or a program built without that target. `device: \"auto\"` takes the CPU then.",
    bad: "const net = await load({ device: \"webgpu\" });",
    good: "const net = await load({ device: \"auto\" });",
  },
  E0802: {
    code: "E0802",
    severity: "error",
    title: "The device was lost",
    message: undefined,
    help: [],
    explanation: "The GPU went away: the driver was reset, the machine slept, memory ran out. Or a worker of the CPU, or one of its threads,\nended or no longer answers. What was not saved with `saveState` is gone;\n`load` again works.",
    bad: "await net.trainStep(batch); // rejects, and so does every later call",
    good: "const next = await load();\nawait next.loadState(saved);",
  },
  E0803: {
    code: "E0803",
    severity: "error",
    title: "Aborted",
    message: undefined,
    help: [],
    explanation: "The `signal` that the call was given was aborted. Training stops after the step under way; the program stays usable.",
    bad: "await net.train.lenet.fit(batches, { signal: AbortSignal.timeout(1000) });",
    good: "await net.train.lenet.fit(batches);",
  },
  E0804: {
    code: "E0804",
    severity: "error",
    title: "Used after dispose",
    message: undefined,
    help: [],
    explanation: "`dispose` frees the device's memory; what was loaded cannot be used any more.",
    bad: "net.dispose();\nawait net.predict({ image });",
    good: "await net.predict({ image });\nnet.dispose();",
  },
  E0805: {
    code: "E0805",
    severity: "error",
    title: "A file of the bundle is missing",
    message: undefined,
    help: [],
    explanation: "`index.js` looks for the bundle's other files next to itself. Copy the whole folder, see that the server serves `.wasm`\nand `.safetensors`, or build with `--single-file`.",
    bad: "cp bundle/index.js site/",
    good: "cp -r bundle site/",
  },
  E0806: {
    code: "E0806",
    severity: "error",
    title: "Training diverged",
    message: undefined,
    help: [],
    explanation: "A loss became infinite or no number at all, and everything that follows would too. Training ends; the checkpoint is the last\none whose weights were finite. A learning rate that is too high is the usual cause, seen as a loss that grows over a few steps.\nWhere the very first loss is not finite, it is not the rate: look at the data, the first weights, logarithms and divisions.",
    bad: "dlx train model.dlx --data csv:points.csv --out run --set lr=10",
    good: "dlx train model.dlx --data csv:points.csv --out run --set lr=0.1",
  },
  W0108: {
    code: "W0108",
    severity: "warning",
    title: "A division of ints that leaves a rest",
    message: "{left} / {right} is {value}: ints round down",
    help: ["write `{left}.0 / {right}` for the fraction"],
    explanation: "Between ints `/` rounds down, which shapes want. Where a fraction is meant, one side has to be a float.",
    bad: "fn f(x: f32[N]) -> f32[N] = x * (1 / 2)",
    good: "fn f(x: f32[N]) -> f32[N] = x * 0.5",
  },
  W0110: {
    code: "W0110",
    severity: "warning",
    title: "A library's warning",
    message: "{text}",
    help: ["change the arguments, or ignore it if it is meant"],
    explanation: "A `warn` in a `where` clause points at what is allowed and rarely meant.",
    bad: "fn drop(x: f32[N], stride: int) -> f32[N / stride]\nwhere warn N % stride == 0 else \"the last elements are never read\"\n{\n  let y[i < N / stride] = x[i * stride]\n  y\n}\nexport fn f(x: f32[7]) -> f32[3] = drop(x, 2)",
    good: "fn drop(x: f32[N], stride: int) -> f32[N / stride]\nwhere warn N % stride == 0 else \"the last elements are never read\"\n{\n  let y[i < N / stride] = x[i * stride]\n  y\n}\nexport fn f(x: f32[8]) -> f32[4] = drop(x, 2)",
  },
  W0111: {
    code: "W0111",
    severity: "warning",
    title: "Nothing was replaced",
    message: "{what} never calls {old}, so nothing stands in its place",
    help: ["say which function it does call"],
    explanation: "`replacing(f, old, new)` calls `new` wherever `f`, or what `f` calls, calls `old`. A function of the same text under another name\nis another function.",
    bad: "fn half(x: f32[N]) -> f32[N] = x / 2\nfn third(x: f32[N]) -> f32[N] = x / 3\nfn f(x: f32[N]) -> f32[N] = half(x)\nexport fn g(x: f32[4]) -> f32[4] = replacing(f, third, x => x)(x)",
    good: "fn half(x: f32[N]) -> f32[N] = x / 2\nfn f(x: f32[N]) -> f32[N] = half(x)\nexport fn g(x: f32[4]) -> f32[4] = replacing(f, half, x => x)(x)",
  },
} as const satisfies Readonly<Record<string, CatalogueEntry>>;

export type Code = keyof typeof catalogue;

/** One typed constructor a code; the texts are the catalogue's. */
export const diagnose = {
  /** A character that dlx does not know: dlx has no `{character}` */
  E0101: (source: Source, span: Span, values: Readonly<{ character: string | number; instead?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0101, source, span, values, details),
  /** A malformed number: `{text}` is neither a number nor a name */
  E0102: (source: Source, span: Span, values: Readonly<{ text: string | number; number?: string | number | undefined; rest?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0102, source, span, values, details),
  /** A text without an end: this text is not closed on its line */
  E0103: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0103, source, span, values, details),
  /** An escape that means nothing: `{escape}` means nothing in a text */
  E0104: (source: Source, span: Span, values: Readonly<{ escape: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0104, source, span, values, details),
  /** A bracket that is never closed: `{bracket}` is never closed */
  E0105: (source: Source, span: Span, values: Readonly<{ bracket: string | number; closer: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0105, source, span, values, details),
  /** A bracket that closes nothing: `{bracket}` closes nothing here */
  E0106: (source: Source, span: Span, values: Readonly<{ bracket: string | number; expected?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0106, source, span, values, details),
  /** Something else was expected: expected {expected}; got {got} */
  E0107: (source: Source, span: Span, values: Readonly<{ expected: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0107, source, span, values, details),
  /** Two statements on one line: {got} begins something new on the same line */
  E0108: (source: Source, span: Span, values: Readonly<{ got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0108, source, span, values, details),
  /** Something outside of every declaration: `{got}` does not begin a declaration */
  E0109: (source: Source, span: Span, values: Readonly<{ got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0109, source, span, values, details),
  /** Comparisons do not chain: `{operator}` compares the result of a comparison */
  E0110: (source: Source, span: Span, values: Readonly<{ operator: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0110, source, span, values, details),
  /** Something in front of `=>` that is no name: in front of `=>` stand names only */
  E0111: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0111, source, span, values, details),
  /** `_` outside of its places: `_` has no value */
  E0112: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0112, source, span, values, details),
  /** A word that cannot be a name: `{name}` is {what} and cannot be a name */
  E0113: (source: Source, span: Span, values: Readonly<{ name: string | number; what: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0113, source, span, values, details),
  /** No such type: `{name}` is no type */
  E0114: (source: Source, span: Span, values: Readonly<{ name: string | number; suggestion?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0114, source, span, values, details),
  /** A wrong number of parameter lists: {word} `{name}` takes {expected}; got {got} */
  E0115: (source: Source, span: Span, values: Readonly<{ word: string | number; name: string | number; expected: string | number; got: string | number; help?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0115, source, span, values, details),
  /** A declaration that cannot be exported: {word} cannot be exported */
  E0116: (source: Source, span: Span, values: Readonly<{ word: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0116, source, span, values, details),
  /** A path that is no plain text: a path to import holds no expressions */
  E0117: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0117, source, span, values, details),
  /** Something that cannot be assigned to: `:=` sets a param, a state or a member of a model */
  E0118: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0118, source, span, values, details),
  /** Some members have names and some have none: all members have names, or none has */
  E0119: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0119, source, span, values, details),
  /** Not a text file: this file is not a text: it holds a zero byte */
  E0120: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0120, source, span, values, details),
  /** `=` where nothing is bound: `=` binds nothing here */
  E0121: (source: Source, span: Span, values: Readonly<{ name: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0121, source, span, values, details),
  /** A word of another language: dlx has no `{word}` */
  E0122: (source: Source, span: Span, values: Readonly<{ word: string | number; instead: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0122, source, span, values, details),
  /** Braces with nothing in them: `{ }` in a text holds an expression */
  E0123: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0123, source, span, values, details),
  /** A number out of range: `{text}` is too large to be represented */
  E0124: (source: Source, span: Span, values: Readonly<{ text: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0124, source, span, values, details),
  /** An import below a declaration: `import {path}` stands below a declaration */
  E0125: (source: Source, span: Span, values: Readonly<{ path: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0125, source, span, values, details),
  /** An unknown name: `{name}` is not known here */
  E0201: (source: Source, span: Span, values: Readonly<{ name: string | number; suggestion?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0201, source, span, values, details),
  /** A missing argument: {callee} needs `{name}`: {type} */
  E0202: (source: Source, span: Span, values: Readonly<{ callee: string | number; name: string | number; type: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0202, source, span, values, details),
  /** The wrong number of arguments: {callee} takes {expected} arguments; got {got} */
  E0203: (source: Source, span: Span, values: Readonly<{ callee: string | number; expected: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0203, source, span, values, details),
  /** An argument that the function does not have: {callee} has no parameter `{name}` */
  E0204: (source: Source, span: Span, values: Readonly<{ callee: string | number; name: string | number; suggestion?: string | number | undefined; known?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0204, source, span, values, details),
  /** A value of the wrong kind: {name} has to be {expected}; got {got} */
  E0205: (source: Source, span: Span, values: Readonly<{ name: string | number; expected: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0205, source, span, values, details),
  /** A statement where it cannot stand: {what} may only stand in {where} */
  E0206: (source: Source, span: Span, values: Readonly<{ what: string | number; where: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0206, source, span, values, details),
  /** Something that cannot be called: {got} is not a function */
  E0207: (source: Source, span: Span, values: Readonly<{ got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0207, source, span, values, details),
  /** Something that cannot be assigned to: `:=` cannot change {what}: {got} */
  E0208: (source: Source, span: Span, values: Readonly<{ what: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0208, source, span, values, details),
  /** A module that is not there: there is no module {path} */
  E0209: (source: Source, span: Span, values: Readonly<{ path: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0209, source, span, values, details),
  /** Modules that import each other: these modules import each other: {cycle} */
  E0210: (source: Source, span: Span, values: Readonly<{ cycle: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0210, source, span, values, details),
  /** A name from two modules: `{name}` comes from {modules} */
  E0211: (source: Source, span: Span, values: Readonly<{ name: string | number; modules: string | number; qualified: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0211, source, span, values, details),
  /** A member that is not there: {what} has no `{name}` */
  E0213: (source: Source, span: Span, values: Readonly<{ what: string | number; name: string | number; suggestion?: string | number | undefined; known?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0213, source, span, values, details),
  /** A condition that is not known while compiling: {what} needs a compile-time bool; got {got} */
  E0214: (source: Source, span: Span, values: Readonly<{ what: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0214, source, span, values, details),
  /** Operands that do not go together: `{operator}` cannot be applied to {left} {right} */
  E0215: (source: Source, span: Span, values: Readonly<{ operator: string | number; left: string | number; right: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0215, source, span, values, details),
  /** Something that cannot be indexed: {got} has no elements */
  E0216: (source: Source, span: Span, values: Readonly<{ got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0216, source, span, values, details),
  /** Parts that do not match: expected {expected}; got {got} */
  E0217: (source: Source, span: Span, values: Readonly<{ expected: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0217, source, span, values, details),
  /** An argument given twice: {callee} gets `{name}` twice */
  E0218: (source: Source, span: Span, values: Readonly<{ callee: string | number; name: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0218, source, span, values, details),
  /** A layer outside a model: nothing here can own the weights of {name} */
  E0219: (source: Source, span: Span, values: Readonly<{ name: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0219, source, span, values, details),
  /** A name declared twice: {what} declares `{name}` twice */
  E0220: (source: Source, span: Span, values: Readonly<{ what: string | number; name: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0220, source, span, values, details),
  /** No steps are counted here: `{name}` is known in train blocks alone */
  E0222: (source: Source, span: Span, values: Readonly<{ name: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0222, source, span, values, details),
  /** A state that cannot change here: {path} cannot be given a new value in {where} */
  E0223: (source: Source, span: Span, values: Readonly<{ path: string | number; where: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0223, source, span, values, details),
  /** An initial value that depends on a call: the initial value of {path} depends on inputs */
  E0224: (source: Source, span: Span, values: Readonly<{ path: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0224, source, span, values, details),
  /** Nothing to minimize over: `over` needs parameters; got {got} */
  E0225: (source: Source, span: Span, values: Readonly<{ got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0225, source, span, values, details),
  /** Two declarations of one name: `{name}` is declared twice in this module */
  E0226: (source: Source, span: Span, values: Readonly<{ name: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0226, source, span, values, details),
  /** A metric of totals and of one batch: `{name}` is computed from totals, and reads {reads} of one batch beside them */
  E0227: (source: Source, span: Span, values: Readonly<{ name: string | number; reads: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0227, source, span, values, details),
  /** A total inside a loop: `total(..)` cannot stand inside `scan` */
  E0228: (source: Source, span: Span, values: NoValues, details?: Details): Diagnostic =>
    construct(catalogue.E0228, source, span, values, details),
  /** A cut where there is nothing: {what} comes by no tensor {wanted} */
  E0229: (source: Source, span: Span, values: Readonly<{ what: string | number; wanted: string | number; suggestion?: string | number | undefined; known?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0229, source, span, values, details),
  /** A shape that does not fit: {name} expects {expected}; got {got}{from?}: {why} */
  E0301: (source: Source, span: Span, values: Readonly<{ name: string | number; expected: string | number; got: string | number; from?: string | number | undefined; why: string | number; fix?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0301, source, span, values, details),
  /** Shapes that do not go together: `{operation}` cannot combine {left} and {right} */
  E0302: (source: Source, span: Span, values: Readonly<{ operation: string | number; left: string | number; right: string | number; form?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0302, source, span, values, details),
  /** An index of unknown extent: nothing says how far `{name}` runs */
  E0303: (source: Source, span: Span, values: Readonly<{ name: string | number; index: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0303, source, span, values, details),
  /** An index with two extents: `{name}` runs over {first} in {firstTensor} and over {second} in {secondTensor} */
  E0304: (source: Source, span: Span, values: Readonly<{ name: string | number; first: string | number; firstTensor: string | number; second: string | number; secondTensor: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0304, source, span, values, details),
  /** A coordinate out of range: coordinate {axis} of {what} runs from {low} to {high}; the axis has {extent} */
  E0305: (source: Source, span: Span, values: Readonly<{ axis: string | number; what: string | number; low: string | number; high: string | number; extent: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0305, source, span, values, details),
  /** The wrong number of coordinates: {what} needs {expected} coordinates; got {got} */
  E0306: (source: Source, span: Span, values: Readonly<{ what: string | number; expected: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0306, source, span, values, details),
  /** A condition that does not hold: {text} */
  E0307: (source: Source, span: Span, values: Readonly<{ text: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0307, source, span, values, details),
  /** A body that is not one element: the body of index notation has to be one element; got {got} */
  E0308: (source: Source, span: Span, values: Readonly<{ got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0308, source, span, values, details),
  /** Element types that do not go together: `{operation}` is not defined for {got} */
  E0309: (source: Source, span: Span, values: Readonly<{ operation: string | number; got: string | number; fix?: string | number | undefined }>, details?: Details): Diagnostic =>
    construct(catalogue.E0309, source, span, values, details),
  /** A coordinate that is no whole number: a coordinate has to be an int or an i32 element; got {got} */
  E0310: (source: Source, span: Span, values: Readonly<{ got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0310, source, span, values, details),
  /** An extent below 1: {name} would have extent {extent} */
  E0311: (source: Source, span: Span, values: Readonly<{ name: string | number; extent: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0311, source, span, values, details),
  /** A layer applied to other dimensions: {path} is {first}, and would have to be {second} here */
  E0312: (source: Source, span: Span, values: Readonly<{ path: string | number; first: string | number; second: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0312, source, span, values, details),
  /** A value of another shape: {name} is {expected}; got {got} */
  E0313: (source: Source, span: Span, values: Readonly<{ name: string | number; expected: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0313, source, span, values, details),
  /** A division by zero: `{operation}` by zero */
  E0314: (source: Source, span: Span, values: Readonly<{ operation: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0314, source, span, values, details),
  /** A slice that does not fit: the slice {what} does not fit an axis of {extent} */
  E0315: (source: Source, span: Span, values: Readonly<{ what: string | number; extent: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0315, source, span, values, details),
  /** Trees of different form: {operation} needs the same tensors on both sides: {first} and {second} */
  E0316: (source: Source, span: Span, values: Readonly<{ operation: string | number; first: string | number; second: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0316, source, span, values, details),
  /** A reshape to another number of elements: {got} has {count} elements, {shape} has {wanted} */
  E0317: (source: Source, span: Span, values: Readonly<{ got: string | number; count: string | number; shape: string | number; wanted: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0317, source, span, values, details),
  /** A size that nobody chose: the size {name} of {what} is not known */
  E0318: (source: Source, span: Span, values: Readonly<{ name: string | number; what: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0318, source, span, values, details),
  /** A size that changes from element to element: {what} depends on the index {index} */
  E0319: (source: Source, span: Span, values: Readonly<{ what: string | number; index: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0319, source, span, values, details),
  /** A derivative with respect to something that is no float: {what} is {got}, which has no derivatives */
  E0401: (source: Source, span: Span, values: Readonly<{ what: string | number; got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0401, source, span, values, details),
  /** A derivative of more than one number: only one float can be differentiated; got {got} */
  E0402: (source: Source, span: Span, values: Readonly<{ got: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0402, source, span, values, details),
  /** A loss from before the update: {name} was computed before {path} was updated */
  E0403: (source: Source, span: Span, values: Readonly<{ name: string | number; path: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0403, source, span, values, details),
  /** A loss that no parameter reaches: {name} does not depend on {paths} */
  E0404: (source: Source, span: Span, values: Readonly<{ name: string | number; paths: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0404, source, span, values, details),
  /** A way without a derivative: {what} has no gradient: the way {path} ends at {by} */
  E0405: (source: Source, span: Span, values: Readonly<{ what: string | number; path: string | number; by: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0405, source, span, values, details),
  /** Nested too deeply: this is nested more than {limit} levels deep */
  E0501: (source: Source, span: Span, values: Readonly<{ limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0501, source, span, values, details),
  /** A file too large: this file holds {size} million characters; dlx reads files up to {limit} */
  E0502: (source: Source, span: Span, values: Readonly<{ size: string | number; limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0502, source, span, values, details),
  /** An expression too long: this expression chains more than {limit} operators and calls */
  E0503: (source: Source, span: Span, values: Readonly<{ limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0503, source, span, values, details),
  /** Calls nested too deeply: calls are nested more than {limit} deep */
  E0510: (source: Source, span: Span, values: Readonly<{ limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0510, source, span, values, details),
  /** Too much to do while compiling: this takes more than {limit} steps while compiling */
  E0511: (source: Source, span: Span, values: Readonly<{ limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0511, source, span, values, details),
  /** A graph that grew too large: this needs more than {limit} nodes */
  E0512: (source: Source, span: Span, values: Readonly<{ limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0512, source, span, values, details),
  /** Something that cannot stand inside index notation: {what} cannot be used for each index */
  E0514: (source: Source, span: Span, values: Readonly<{ what: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0514, source, span, values, details),
  /** A number too large: {what} is too large */
  E0515: (source: Source, span: Span, values: Readonly<{ what: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0515, source, span, values, details),
  /** More memory than is allowed: `{entry}` takes {least} {place} at least, but {limit} are allowed */
  E0521: (source: Source, span: Span, values: Readonly<{ entry: string | number; least: string | number; place: string | number; limit: string | number; persistent: string | number; largest: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0521, source, span, values, details),
  /** Too large for any device: `{entry}` takes {least} {place}, where there are at most {limit} */
  E0522: (source: Source, span: Span, values: Readonly<{ entry: string | number; least: string | number; place: string | number; limit: string | number; persistent: string | number; largest: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0522, source, span, values, details),
  /** A division of ints that leaves a rest: {left} / {right} is {value}: ints round down */
  W0108: (source: Source, span: Span, values: Readonly<{ left: string | number; right: string | number; value: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.W0108, source, span, values, details),
  /** A library's warning: {text} */
  W0110: (source: Source, span: Span, values: Readonly<{ text: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.W0110, source, span, values, details),
  /** Nothing was replaced: {what} never calls {old}, so nothing stands in its place */
  W0111: (source: Source, span: Span, values: Readonly<{ what: string | number; old: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.W0111, source, span, values, details),
};
