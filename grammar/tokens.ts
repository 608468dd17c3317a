/** The words and signs of dlx. */
import { createToken, Lexer, type TokenType } from "chevrotain";
import { scanString } from "./strings.ts";

const ordered: TokenType[] = [];

function token(name: string, pattern: string | RegExp, rest: Partial<Parameters<typeof createToken>[0]> = {}) {
  const made = createToken({ name, pattern, ...rest });
  ordered.push(made);
  return made;
}

// ---- Blanks and comments --------------------------------------------------------------------------------------------

token("Blank", /[ \t\r\n\uFEFF]+/, { group: Lexer.SKIPPED, line_breaks: true });
token("Comment", /\/\/[^\r\n]*/, { group: "comments" });

// ---- Literals -------------------------------------------------------------------------------------------------------

/** What may stand where a name stands; words with a meaning of their own in one place only belong to it too. */
export const Identifier = createToken({ name: "Identifier", pattern: /[A-Za-z_][A-Za-z0-9_]*/ });

export const NumberLiteral = createToken({ name: "NumberLiteral", pattern: /\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/ });
/** A number with letters stuck to it (`2pi`, `0x10`, `1e`). */
export const MalformedNumber = token(
  "MalformedNumber",
  /\d+(?:\.\d+)?(?:[eE][+-]?\d+[A-Za-z_]|(?![eE][+-]?\d)[A-Za-z_])[A-Za-z0-9_]*/,
  { categories: [NumberLiteral] },
);
ordered.push(NumberLiteral);

export const StringLiteral = createToken({
  name: "StringLiteral",
  pattern: (text: string, offset: number) => {
    const end = scanString(text, offset);
    return end === undefined ? null : [text.slice(offset, end)];
  },
  start_chars_hint: ['"'],
  line_breaks: false,
});
ordered.push(StringLiteral);
/** A string that its line does not close. */
export const OpenString = token("OpenString", /"[^\r\n]*/, { categories: [StringLiteral] });

// ---- Words ----------------------------------------------------------------------------------------------------------

export const Hole = token("Hole", /_/, { longer_alt: Identifier });

const keyword = (word: string, categories: TokenType[] = []) =>
  token(word[0]?.toUpperCase() + word.slice(1), new RegExp(word), { longer_alt: Identifier, categories });

export const Import = keyword("import");
export const Export = keyword("export");
export const Fn = keyword("fn");
export const Layer = keyword("layer");
export const Model = keyword("model");
export const Optimizer = keyword("optimizer");
export const Train = keyword("train");
export const Let = keyword("let");
export const Param = keyword("param");
export const State = keyword("state");
export const If = keyword("if");
export const Then = keyword("then");
export const Else = keyword("else");
export const Repeat = keyword("repeat");
export const Where = keyword("where");
export const Warn = keyword("warn");
export const When = keyword("when");
export const Minimize = keyword("minimize");
export const Over = keyword("over");
export const Using = keyword("using");
export const Gradients = keyword("gradients");
export const Metric = keyword("metric");
export const Not = keyword("not");
export const True = keyword("true");
export const False = keyword("false");

/** Every operator between two operands; the grammar is flat in it, `precedence.ts` gives it shape. */
export const BinaryOperator = createToken({ name: "BinaryOperator", pattern: Lexer.NA });

export const Or = keyword("or", [BinaryOperator]);
export const And = keyword("and", [BinaryOperator]);

/** Reductions before `[`, functions elsewhere. */
export const Reducer = token("Reducer", /argmax|argmin|sum|prod|max|min|mean|any|all/, {
  longer_alt: Identifier,
  categories: [Identifier],
});
export const TensorWord = token("TensorWord", /f32|f16|i32|u32|bool|u8/, {
  longer_alt: Identifier,
  categories: [Identifier],
});
export const SimpleWord = token("SimpleWord", /int|float|str/, { longer_alt: Identifier, categories: [Identifier] });
export const ListWord = token("ListWord", /list/, { longer_alt: Identifier, categories: [Identifier] });
export const LikeWord = token("LikeWord", /like/, { longer_alt: Identifier, categories: [Identifier] });

ordered.push(Identifier);

// ---- Signs (a longer one before its prefix) -------------------------------------------------------------------------

const operator = (name: string, sign: string) => token(name, sign, { categories: [BinaryOperator] });

export const Spread = token("Spread", "...");
export const Assign = token("Assign", ":=");
export const Maps = token("Maps", "=>");
export const Returns = token("Returns", "->");
export const Pipe = operator("Pipe", "|>");
export const Equal = operator("Equal", "==");
export const NotEqual = operator("NotEqual", "!=");
export const LessEqual = operator("LessEqual", "<=");
export const GreaterEqual = operator("GreaterEqual", ">=");
export const Less = operator("Less", "<");
export const Greater = operator("Greater", ">");
export const Plus = operator("Plus", "+");
export const Minus = operator("Minus", "-");
export const Times = operator("Times", "*");
export const Divide = operator("Divide", "/");
export const Remainder = operator("Remainder", "%");
export const MatrixProduct = operator("MatrixProduct", "@");
export const Power = operator("Power", "^");
export const Is = token("Is", "=");
export const Comma = token("Comma", ",");
export const Colon = token("Colon", ":");
export const Semicolon = token("Semicolon", ";");
export const Dot = token("Dot", ".");
export const OpenParenthesis = token("OpenParenthesis", "(");
export const CloseParenthesis = token("CloseParenthesis", ")");
export const OpenBracket = token("OpenBracket", "[");
export const CloseBracket = token("CloseBracket", "]");
export const OpenBrace = token("OpenBrace", "{");
export const CloseBrace = token("CloseBrace", "}");

// ---- Anything else --------------------------------------------------------------------------------------------------

/** Characters that begin none of the above: reported, and left out. */
export const Unknown = token("Unknown", /[^\w\s()[\]{}.,;:=\-|!<>+*/%@^"]+|[|!]|[^\S \t\r\n\uFEFF]/, {
  start_chars_hint: unusedCharacters(),
});

/** The lexer looks up what may begin with a character in a table; a complement has to be spelt out for it. */
function unusedCharacters(): number[] {
  const used = /[\w \t\r\n\uFEFF()[\]{}.,;:=\-<>+*/%@^"]/;
  return Array.from({ length: 1 << 16 }, (_, code) => code).filter((code) => !used.test(String.fromCharCode(code)));
}

/** What the lexer tries, in this order. */
export const lexedTokens: readonly TokenType[] = ordered;
/** What the grammar speaks of: the above and the categories. */
export const allTokens: readonly TokenType[] = [...ordered, BinaryOperator];

/** Words that begin a declaration. */
export const declarationWords: ReadonlySet<TokenType> = new Set([Import, Export, Fn, Layer, Model, Optimizer, Train]);

/** Words that begin a statement and nothing else. */
export const statementWords: ReadonlySet<TokenType> = new Set([Let, Param, State, When, Minimize, Metric]);

/** Names that a program cannot give to anything, as it can to every other identifier. */
export const reducers: ReadonlySet<string> = new Set([
  "sum",
  "prod",
  "max",
  "min",
  "mean",
  "argmax",
  "argmin",
  "any",
  "all",
]);

export const reservedWords: ReadonlySet<string> = new Set(
  "import export fn layer model optimizer train let param state if then else repeat where warn when minimize over using gradients metric or and not true false".split(
    " ",
  ),
);

/** Builds the lexer once; it holds no state between calls. */
export const lexer = new Lexer([...lexedTokens], {
  positionTracking: "full",
  ensureOptimizations: true,
  lineTerminatorsPattern: /\r\n|\n/g,
  lineTerminatorCharacters: ["\n"],
});
