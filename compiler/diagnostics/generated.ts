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
    help: ["{help?}"],
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
    message: "{word} `{name}` has {got} of parameters; it takes {expected}",
    help: ["{help?}"],
    explanation: "`fn` and `model` have one list of parameters. `layer`, `optimizer` and `train` have two: the configuration, which is known\nat compile time, and the tensors.",
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
  E0501: {
    code: "E0501",
    severity: "error",
    title: "Nested too deeply",
    message: "this is nested more than {limit} levels deep",
    help: ["give the inner part a name with `let`, or make it a function"],
    explanation: "Brackets, functions in functions, `if` in `if` and signs in front of signs may be nested 100 deep, texts in texts 3. This\nis a limit of dlx; no readable program comes near it. A long `else if` chain is better a list that an index reads.",
    bad: "fn f(x: f32) -> f32 = ((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((x))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))",
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
    bad: "const net = await load(); await net.trainStep(batch); // built without --train",
    good: "dlx build model.dlx --train --out bundle",
  },
  E0611: {
    code: "E0611",
    severity: "error",
    title: "A data specification that dlx does not understand",
    message: undefined,
    help: [],
    explanation: "`--data` takes `kind:path`, then options and names with commas: `idx:DIR`, `images:DIR`, `csv:FILE`, `npy:X,Y`,\n`npz:FILE`, `safetensors:FILE`, `text:FILE`, `synthetic:NAME`. `split=0.1` holds out a share; `COLUMN=INPUT` feeds a\ncolumn to an input of another name.",
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
    explanation: "The file lacks a parameter or a layer's state. Either it belongs to another program, or names changed: a parameter is\ncalled after the model, the enclosing `let`s and the layer. `{ partial: true }` loads what there is.",
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
    explanation: "Floats of any width convert to floats, integers to integers if every value fits. Anything else is a sign that the tensor\nmeans something else.",
    bad: "dlx eval model.dlx --weights quantised-int8.safetensors --data idx:digits",
    good: "dlx eval model.dlx --weights weights.safetensors --data idx:digits",
  },
  E0801: {
    code: "E0801",
    severity: "error",
    title: "No such device",
    message: undefined,
    help: [],
    explanation: "What was asked for is not there: no WebGPU in this browser or Node, a GPU whose limits the program exceeds, or a program\nbuilt without that target. `device: \"auto\"` takes the CPU then.",
    bad: "const net = await load({ device: \"webgpu\" });",
    good: "const net = await load({ device: \"auto\" });",
  },
  E0802: {
    code: "E0802",
    severity: "error",
    title: "The device was lost",
    message: undefined,
    help: [],
    explanation: "The GPU went away: the driver was reset, the machine slept, memory ran out. What was not saved with `saveState` is gone;\n`load` again works.",
    bad: "await net.trainStep(batch); // rejects, and so does every later call",
    good: "const next = await load(); await next.loadState(saved);",
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
    bad: "net.dispose(); await net.predict({ image });",
    good: "await net.predict({ image }); net.dispose();",
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
  E0107: (source: Source, span: Span, values: Readonly<{ expected: string | number; got: string | number; help?: string | number | undefined }>, details?: Details): Diagnostic =>
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
  /** A wrong number of parameter lists: {word} `{name}` has {got} of parameters; it takes {expected} */
  E0115: (source: Source, span: Span, values: Readonly<{ word: string | number; name: string | number; got: string | number; expected: string | number; help?: string | number | undefined }>, details?: Details): Diagnostic =>
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
  /** Nested too deeply: this is nested more than {limit} levels deep */
  E0501: (source: Source, span: Span, values: Readonly<{ limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0501, source, span, values, details),
  /** A file too large: this file holds {size} million characters; dlx reads files up to {limit} */
  E0502: (source: Source, span: Span, values: Readonly<{ size: string | number; limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0502, source, span, values, details),
  /** An expression too long: this expression chains more than {limit} operators and calls */
  E0503: (source: Source, span: Span, values: Readonly<{ limit: string | number }>, details?: Details): Diagnostic =>
    construct(catalogue.E0503, source, span, values, details),
};
